//! Calls beside, inside and across each other: concurrency, host tools both ways, nesting, cancellation.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{PATIENCE, World, eventually};

const GREET: &str = r#"
[host_tools.greet]
command = ["cat"]
description = "Gives back what it was given."
parameters = { who = "str", times = { type = "int", required = false } }
output = "json"
"#;

#[test]
fn ten_sleeping_calls_take_the_time_of_one_and_hold_nobody_up() {
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.serve(&[]);
    let _worker = world.worker("kit.py", &[]);
    world.run("var register x 1");
    world.run("tool call add a=1"); // The first call of all makes the worker's threads.
    let began = Instant::now();
    let naps: Vec<_> = (0..10)
        .map(|_| world.process(&["--timeout", "60s", "tool", "call", "nap", "seconds=0.5", "--time"]))
        .collect();
    eventually(PATIENCE, "ten calls at once", || {
        (world.workers()[0]["running"] == 10).then_some(())
    });
    let asked = Instant::now();
    assert_eq!(world.run("var get x").out, "1\n");
    let read = asked.elapsed();
    let asked = Instant::now();
    assert_eq!(world.run("tool call pid").code, 0);
    let answered = asked.elapsed();
    for nap in naps {
        let run = nap.end();
        assert_eq!((run.code, run.out.as_str()), (0, "rested\n"), "{}", run.err);
    }
    let took = began.elapsed();
    println!("ten naps of 500 ms: {took:?}; meanwhile `var get` {read:?}, a quick tool {answered:?}");
    assert!(took < Duration::from_millis(1200), "{took:?}");
    assert!(read < Duration::from_millis(300), "{read:?}");
    assert!(answered < Duration::from_millis(300), "{answered:?}");
}

#[test]
fn a_declared_host_tool_is_called_from_here_and_from_python() {
    let world = World::new();
    world.tools("kit.py");
    world.file("snakepit.toml", GREET);
    let _bridge = world.foreground(&["--worker", "kit.py", "--max-concurrent", "1"]);
    let list = world.json("tool list");
    let greet = list
        .as_array()
        .into_iter()
        .flatten()
        .find(|tool| tool["name"] == "greet")
        .unwrap_or_else(|| panic!("{list}"));
    assert_eq!(greet["kind"], "host");
    assert_eq!(
        world.json("tool call greet who=you times=2"),
        json!({"who": "you", "times": 2})
    );

    let address = format!("address=unix:{}", world.socket().display());
    let names = world.args(&["-o", "json", "tool", "call", "host_names", &address]);
    let names: Vec<String> = serde_json::from_str(&names.out).unwrap_or_else(|_| panic!("{}", names.err));
    assert_eq!(names, ["greet", "host_info", "host_time"]);

    let asked = world.args(&[
        "-o",
        "json",
        "tool",
        "call",
        "ask_host",
        "name=greet",
        r#"arguments={"who": "python"}"#,
    ]);
    assert_eq!(asked.code, 0, "{}", asked.err);
    let asked: serde_json::Value = serde_json::from_str(&asked.out).unwrap();
    assert_eq!(asked, json!({"who": "python"}));

    let run = world.run("tool call greet");
    assert_eq!(run.code, 10, "{}", run.err);
    assert!(run.err.contains("`who` is missing (str)"), "{}", run.err);
    let run = world.args(&["tool", "call", "ask_host", "name=gret", "arguments={}"]);
    assert_eq!(run.code, 6, "{}", run.err);
    assert!(run.err.contains("not found"), "{}", run.err);
}

#[test]
fn a_host_tool_that_fails_exits_6_with_its_last_words() {
    let world = World::new();
    world.file(
        "snakepit.toml",
        "[host_tools.broken]\ncommand = [\"sh\", \"-c\", \"echo no paper >&2; exit 3\"]\n",
    );
    let _bridge = world.serve(&[]);
    let run = world.run("tool call broken");
    assert_eq!(run.code, 6, "{}", run.err);
    assert!(run.err.starts_with("error[E0602]: "), "{}", run.err);
    assert!(
        run.err.contains("no paper") && run.err.contains("exit status: 3"),
        "{}",
        run.err
    );
}

#[test]
fn a_tool_calls_another_on_a_worker_with_one_place_without_deadlock() {
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.serve(&[]);
    let _worker = world.worker("kit.py", &["--max-concurrent", "1"]);
    let sum = world.json("--timeout 20s tool call outer a=40");
    assert_eq!(sum["sum"], 42);
    let calls: Vec<_> = (0..4)
        .map(|_| world.process(&["--timeout", "30s", "tool", "call", "outer", "a=1"]))
        .collect();
    for call in calls {
        let run = call.end();
        assert_eq!(run.code, 0, "{}", run.err);
    }
}

#[test]
fn a_tool_that_calls_itself_stops_at_depth_16() {
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.serve(&[]);
    let _worker = world.worker("kit.py", &["--max-concurrent", "1"]);
    assert_eq!(world.json("--timeout 30s tool call deep levels=15"), 15);
    let run = world.run("--timeout 30s tool call deep levels=100");
    assert_eq!(run.code, 6, "{}", run.err);
    assert!(run.err.contains("16"), "{}", run.err);
    assert_eq!(
        world.json("--timeout 30s tool call add a=1"),
        3,
        "the worker is well"
    );
}

#[test]
fn ctrl_c_on_a_stream_runs_the_generator_s_finally_and_the_worker_stays() {
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.serve(&[]);
    let _worker = world.worker("kit.py", &[]);
    let before = world.json("tool call pid");
    let note = world.work().join("note");
    let path = format!("path={}", note.display());
    let mut call = world.process(&["tool", "call", "endless", &path]);
    call.line();
    let (run, took) = call.stop(nix::sys::signal::Signal::SIGINT);
    assert_eq!(run.code, 130, "{}", run.err);
    assert!(took < Duration::from_secs(2), "{took:?}");
    eventually(PATIENCE, "the generator's `finally`", || {
        std::fs::read_to_string(&note)
            .ok()
            .filter(|text| text == "closed\n")
    });
    assert_eq!(world.json("tool call pid"), before);
}

#[test]
fn a_deadline_ends_a_call_with_124_and_says_that_it_may_have_run() {
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.serve(&[]);
    let _worker = world.worker("kit.py", &["--max-concurrent", "1"]);
    let note = world.work().join("note");
    let path = format!("path={}", note.display());
    let run = world.args(&["--timeout", "300ms", "tool", "call", "nap", "seconds=1", &path]);
    assert_eq!(run.code, 124, "{}", run.err);
    assert!(run.err.contains("outcome: may have run"), "{}", run.err);
    assert!(std::fs::read_to_string(&note).unwrap().starts_with("began\n"));
    // The thread still sleeps, so the one place is taken: this one never starts.
    let run = world.run("--timeout 100ms tool call add a=1");
    assert_eq!(run.code, 124, "{}", run.err);
    assert!(run.err.contains("outcome: never started"), "{}", run.err);
    assert_eq!(
        world.json("--timeout 20s tool call add a=1"),
        3,
        "the place came back"
    );
}
