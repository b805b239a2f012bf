//! The main job: a Python process streams through the bridge while another terminal changes what it does.

use serde_json::Value;

use crate::support::process::Process;
use crate::support::{PATIENCE, World, eventually};

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|cause| panic!("{cause}: {line}"))
}

/// The next chunk whose step used this learning rate.
fn step_with(call: &mut Process, rate: f64) -> Value {
    let line = call.line_where(&format!("step with learning_rate {rate}"), |line| {
        json(line)["data"]["learning_rate"].as_f64() == Some(rate)
    });
    json(&line)["data"].clone()
}

/// How far a step went, as a share of the distance to the goal: twice the learning rate.
fn slope(step: &Value) -> f64 {
    let (before, x) = (step["before"].as_f64().unwrap(), step["x"].as_f64().unwrap());
    (x - before) / (3.0 - before)
}

fn steer(world: &World) {
    // Tool and watch are started before the variable exists: the tool declares it.
    let mut watch = world.process(&["var", "watch", "l*"]);
    eventually(PATIENCE, "the watch", || {
        (world.json("session show")["watches"] == 1).then_some(())
    });
    let mut call = world.process(&["tool", "call", "train", "epochs=100000", "delay=0.005"]);
    let registered = json(&watch.line());
    assert_eq!(registered["type"], "registered", "{registered}");
    let mut revision = registered["revision"].as_u64().unwrap();
    let first = step_with(&mut call, 0.05);
    assert!((slope(&first) - 0.1).abs() < 1e-9, "{first}");

    let mut old = 0.05;
    for rate in [0.01, 0.25, 0.001] {
        let set = world.json(&format!("var set learning_rate {rate}"));
        let change = json(&watch.line());
        assert_eq!(change["type"], "value_change", "{change}");
        assert_eq!(change["name"], "learning_rate");
        assert_eq!(change["value"].as_f64(), Some(rate));
        assert_eq!(change["old_value"].as_f64(), Some(old));
        assert_eq!(change["revision"], set["revision"], "{set}");
        assert!(change["revision"].as_u64().unwrap() > revision, "{change}");
        revision = change["revision"].as_u64().unwrap();
        old = rate;
        let step = step_with(&mut call, rate);
        assert!((slope(&step) - 2.0 * rate).abs() < 1e-6, "{step}");
    }

    call.signal(nix::sys::signal::Signal::SIGINT);
    let run = call.end();
    assert_eq!(run.code, 130, "{}", run.err);
    let numbers: Vec<u64> = run
        .out
        .lines()
        .filter_map(|line| json(line)["seq"].as_u64())
        .collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] < pair[1]),
        "chunks are in order"
    );
}

#[test]
fn a_variable_steers_a_tool_that_streams_and_a_watch_sees_each_change_with_its_revision() {
    let world = World::new();
    world.tools("steer.py");
    let _bridge = world.serve(&[]);
    let _worker = world.worker("steer.py", &[]);
    steer(&world);
}

#[test]
fn serve_with_a_worker_inside_does_the_same() {
    let world = World::new();
    world.tools("steer.py");
    let _bridge = world.foreground(&["--worker", "steer.py"]);
    steer(&world);
}

#[test]
fn a_stream_ends_with_what_the_generator_returned() {
    let world = World::new();
    world.tools("steer.py");
    let _bridge = world.foreground(&["--worker", "steer.py"]);
    let run = world.run("-o json tool call train epochs=5 delay=0");
    assert_eq!(run.code, 0, "{}", run.err);
    let whole = json(&run.out);
    let epochs: Vec<u64> = whole["chunks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|chunk| chunk["epoch"].as_u64())
        .collect();
    assert_eq!(epochs, [1, 2, 3, 4, 5]);
    assert_eq!(whole["result"]["epochs"], 5);
    assert_eq!(whole["result"]["x"], whole["chunks"][4]["x"]);
}
