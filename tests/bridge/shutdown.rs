//! Ends that were asked for: a signal drains, leaves nothing, and says so by its exit code.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{PATIENCE, PROMISE, World, eventually};

#[test]
fn a_signal_to_serve_drains_and_leaves_no_process_and_no_socket() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let world = World::new();
        world.tools("kit.py");
        let bridge = world.foreground(&["--worker", "kit.py", "-n", "2"]);
        world.pool(2, PATIENCE);
        // Bridge, two reapers, two workers.
        assert!(world.alive().len() >= 5, "{:?}", world.alive());
        assert!(world.sockets().len() >= 3, "{:?}", world.sockets());
        let (run, took) = bridge.stop(signal);
        assert_eq!(run.code, 0, "{signal}: {}", run.err);
        assert!(run.err.contains("stopping;"), "{}", run.err);
        assert_eq!(run.err.lines().last(), Some("stopped"), "{}", run.err);
        assert!(
            !run.err.contains("error") && !run.err.contains("panicked"),
            "{}",
            run.err
        );
        world.nothing_is_alive(Instant::now());
        assert_eq!(world.sockets(), Vec::<String>::new(), "{signal}");
        println!("{signal}: down in {took:?}");
    }
}

#[test]
fn a_call_that_runs_when_the_signal_comes_gets_its_result() {
    let world = World::new();
    world.tools("kit.py");
    let bridge = world.foreground(&["--worker", "kit.py"]);
    let note = world.work().join("note");
    let path = format!("path={}", note.display());
    let call = world.process(&["tool", "call", "nap", "seconds=1", &path]);
    eventually(Duration::from_secs(20), "the call's beginning", || {
        note.exists().then_some(())
    });
    bridge.signal(Signal::SIGTERM);
    let run = call.end();
    assert_eq!((run.code, run.out.as_str()), (0, "rested\n"), "{}", run.err);
    let run = bridge.end();
    assert_eq!(run.code, 0, "{}", run.err);
    world.nothing_is_alive(Instant::now());
}

#[test]
fn a_tool_that_runs_when_the_signal_comes_still_reaches_its_variables_whoever_started_its_worker() {
    let world = World::new();
    world.file(
        "late.py",
        "import time\nfrom snakepit import Context, tool\n\n@tool\ndef late(ctx: Context, path: str) -> int:\n    open(path, 'w').close()\n    time.sleep(1)\n    ctx['x'] = 2\n    return ctx['x']\n",
    );
    let bridge = world.foreground(&[]);
    let worker = world.worker("late.py", &[]);
    assert_eq!(world.run("var register x 1").code, 0);
    let note = world.work().join("note");
    let call = world.process(&["tool", "call", "late", &format!("path={}", note.display())]);
    eventually(Duration::from_secs(20), "the call's beginning", || {
        note.exists().then_some(())
    });
    let (run, _) = bridge.stop(Signal::SIGTERM);
    assert_eq!(run.code, 0, "{}", run.err);
    let run = call.end();
    assert_eq!((run.code, run.out.as_str()), (0, "2\n"), "{}", run.err);
    assert_eq!(worker.stop(Signal::SIGTERM).0.code, 0);
}

#[test]
fn a_second_ctrl_c_ends_serve_at_once() {
    let world = World::new();
    world.tools("kit.py");
    let mut bridge = world.foreground(&["--worker", "kit.py"]);
    let note = world.work().join("note");
    let path = format!("path={}", note.display());
    let call = world.process(&["tool", "call", "nap", "seconds=60", &path]);
    eventually(Duration::from_secs(20), "the call's beginning", || {
        note.exists().then_some(())
    });
    bridge.signal(Signal::SIGINT);
    bridge.says("Ctrl-C again ends everything at once");
    let again = Instant::now();
    let (run, took) = bridge.stop(Signal::SIGINT);
    assert_eq!(run.code, 130, "{}", run.err);
    assert!(took < Duration::from_secs(1), "{took:?}");
    let cut = call.end();
    assert_ne!(cut.code, 0, "{cut:?}");
    world.nothing_is_alive(again);
    assert_eq!(world.sockets(), Vec::<String>::new());
}

#[test]
fn a_signal_to_worker_spawn_ends_its_workers_and_the_bridge_forgets_them() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let world = World::new();
        world.tools("kit.py");
        let bridge = world.foreground(&[]);
        let worker = world.worker("kit.py", &["-n", "2"]);
        world.pool(2, Duration::from_secs(20));
        let (run, _) = worker.stop(signal);
        assert_eq!(run.code, 0, "{signal}: {}", run.err);
        let since = Instant::now();
        eventually(PROMISE, "an empty list of workers", || {
            world.workers().is_empty().then_some(())
        });
        assert_eq!(world.run("tool call add a=1").code, 3, "its tools are gone");
        eventually(PROMISE, "only the bridge", || {
            (world.alive().len() == 1).then_some(())
        });
        assert!(since.elapsed() < PROMISE);
        assert_eq!(world.sockets(), ["default.sock"]);
        assert_eq!(bridge.stop(signal).0.code, 0);
    }
}

#[test]
fn a_second_ctrl_c_ends_worker_spawn_with_what_ignores_the_first() {
    let world = World::new();
    world.file(
        "stubborn.py",
        "import signal\nfrom snakepit import tool\n\n@tool\ndef hang(path: str):\n    open(path, 'w').close()\n    while True:\n        try:\n            signal.pause()\n        except BaseException:\n            pass\n",
    );
    let _bridge = world.serve(&[]);
    let mut worker = world.worker("stubborn.py", &["--stop-grace", "600"]);
    let note = world.work().join("note");
    let path = format!("path={}", note.display());
    let _call = world.process(&["tool", "call", "hang", &path]);
    eventually(Duration::from_secs(20), "the call's beginning", || {
        note.exists().then_some(())
    });
    worker.signal(Signal::SIGINT);
    worker.says("Ctrl-C again ends them at once");
    let (run, took) = worker.stop(Signal::SIGINT);
    println!("second Ctrl-C: {took:?}, exit {}", run.code);
    assert!(took < PROMISE, "{took:?}");
}
