//! Deaths that nobody asked for: SIGKILL to each process in turn. Nothing of the dead one's is left after two
//! seconds, and what should live is back by itself.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::process::Process;
use crate::support::{LOADED, PATIENCE, PROMISE, World, eventually, proc};

/// Rounds of killing a worker under load; `SNAKEPIT_SOAK` multiplies them.
const ROUNDS: usize = 30;

/// Calls in flight at each kill.
const CALLS: usize = 8;

fn murder(pid: u32) -> Instant {
    kill(Pid::from_raw(pid as i32), Signal::SIGKILL).expect("it is there");
    Instant::now()
}

fn gone(seen: &[proc::Seen], since: Instant) {
    loop {
        let alive: Vec<_> = seen.iter().filter(|process| proc::lives(process)).collect();
        if alive.is_empty() {
            println!("{} processes gone after {:?}", seen.len(), since.elapsed());
            return;
        }
        assert!(since.elapsed() < PROMISE, "still alive: {alive:#?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn pid(worker: &Value) -> u32 {
    worker["pid"].as_u64().unwrap() as u32
}

/// A process that a tool left behind in a session of its own.
fn runaway(world: &World) -> u32 {
    let pid = world.json("tool call detach").as_u64().unwrap() as u32;
    // The kernel shows a new program's words a moment after it started.
    eventually(PROMISE, "what the tool left behind", || {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).expect("it lives");
        line.starts_with(b"sleep").then_some(())
    });
    pid
}

#[test]
fn a_killed_bridge_leaves_nothing_of_its_own_and_starts_again_on_its_socket() {
    let world = World::new();
    world.tools("kit.py");
    world.file(
        "snakepit.toml",
        "[host_tools.stay]\ncommand = [\"sleep\", \"3601\"]\n",
    );
    let bridge = world.foreground(&["--worker", "kit.py", "-n", "2"]);
    world.pool(2, PATIENCE);
    runaway(&world);
    let waits = world.process(&["tool", "call", "stay"]);
    let naps = world.process(&["tool", "call", "nap", "seconds=3600"]);
    eventually(PATIENCE, "a busy worker and a host tool", || {
        let busy = world.workers().iter().any(|worker| worker["running"] == 1);
        let host = proc::tree(bridge.pid())
            .iter()
            .any(|seen| seen.line.ends_with("sleep 3601"));
        (busy && host).then_some(())
    });
    // Two reapers, two workers, the host tool, and what a tool put into a session of its own.
    let seen = proc::tree(bridge.pid());
    assert_eq!(seen.len(), 6, "{seen:#?}");
    let since = murder(bridge.pid());
    gone(&seen, since);
    let run = naps.end();
    assert_eq!(run.code, 8, "{}", run.err);
    assert!(run.err.contains("outcome: may have run"), "{}", run.err);
    drop((bridge, waits));
    world.nothing_is_alive(since);

    let again = world.foreground(&["--worker", "kit.py"]);
    assert_eq!(world.json("tool call add a=1"), 3);
    assert_eq!(again.stop(Signal::SIGTERM).0.code, 0);
    assert_eq!(
        world.sockets(),
        Vec::<String>::new(),
        "what the killed one left is gone too"
    );
}

#[test]
fn a_killed_supervisor_leaves_nothing_and_the_bridge_forgets_its_workers() {
    let world = World::new();
    world.tools("kit.py");
    let bridge = world.foreground(&[]);
    let worker = world.worker("kit.py", &["-n", "2"]);
    world.pool(2, PATIENCE);
    runaway(&world);
    let nap = world.process(&["tool", "call", "nap", "seconds=3600"]);
    eventually(PATIENCE, "a busy worker", || {
        world
            .workers()
            .iter()
            .any(|worker| worker["running"] == 1)
            .then_some(())
    });
    let seen = proc::tree(worker.pid());
    assert!(seen.len() >= 5, "{seen:#?}");
    let since = murder(worker.pid());
    gone(&seen, since);
    let run = nap.end();
    assert_eq!(run.code, 6, "{}", run.err);
    assert!(
        run.err.contains("error[E0603]") && run.err.contains("outcome: may have run"),
        "{}",
        run.err
    );
    eventually(PROMISE, "an empty list of workers", || {
        world.workers().is_empty().then_some(())
    });
    let ours: Vec<_> = world
        .alive()
        .into_iter()
        .filter(|seen| seen.pid != bridge.pid())
        .collect();
    assert!(
        ours.iter()
            .all(|seen| seen.pid == worker.pid() || !proc::lives(seen)),
        "{ours:?}"
    );
    assert_eq!(world.sockets(), ["default.sock"]);
}

#[test]
fn a_killed_worker_is_back_in_the_list_by_itself_and_serves_again() {
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.serve(&[]);
    let mut worker = world.worker("kit.py", &[]);
    let before = world.workers().remove(0);
    runaway(&world);
    let family = proc::tree(worker.pid());
    let since = murder(pid(&before));
    gone(&family, since);
    let after = back(&world, &before, since);
    assert_eq!(after["restarts"], 1);
    assert_eq!(after["id"], before["id"]);
    assert_eq!(world.json("tool call pid").as_u64(), Some(u64::from(pid(&after))));
    worker.says("ended by itself (SIGKILL)");
    worker.says("starts again in");
    worker.says(" is ready ");
}

#[test]
fn a_killed_reaper_takes_its_worker_along_and_the_slot_is_filled_again() {
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.serve(&[]);
    let worker = world.worker("kit.py", &[]);
    let before = world.workers().remove(0);
    runaway(&world);
    let family = proc::tree(worker.pid());
    let reaper = family
        .iter()
        .find(|seen| seen.line.contains("__reap"))
        .expect("a reaper");
    let since = murder(reaper.pid);
    gone(&family, since);
    back(&world, &before, since);
    assert_eq!(world.json("tool call add a=1"), 3);
}

/// The worker of the list that took the place of a dead one; within the promise.
fn back(world: &World, before: &Value, since: Instant) -> Value {
    let after = eventually(PATIENCE, "a worker in its place", || {
        world
            .workers()
            .into_iter()
            .find(|worker| worker["pid"] != before["pid"] && worker["state"] == "ready")
    });
    let took = since.elapsed();
    println!("back after {took:?}");
    assert!(took < LOADED, "{took:?}");
    after
}

#[test]
fn worker_spawn_outlives_a_killed_bridge_and_registers_with_the_next() {
    let world = World::new();
    world.tools("kit.py");
    let bridge = world.foreground(&[]);
    let mut worker = world.worker("kit.py", &["-n", "2"]);
    let before: Vec<u32> = world.pool(2, PATIENCE).iter().map(pid).collect();
    murder(bridge.pid());
    drop(bridge);
    worker.says("lost the bridge; it keeps running and registers again");
    let _next = world.foreground(&[]);
    let after: Vec<u32> = world.pool(2, PATIENCE).iter().map(pid).collect();
    assert_eq!(before, after, "the same processes, with what they had loaded");
    assert_eq!(world.json("tool call add a=1"), 3);
    // A variable works too: the worker's own connection came back.
    world.file("x", "");
    assert_eq!(world.json("tool call outer a=1")["sum"], 3);
}

#[test]
fn every_call_under_a_killed_worker_ends_once_and_the_pool_is_whole_again() {
    let factor: usize = std::env::var("SNAKEPIT_SOAK")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.serve(&[]);
    let _worker = world.worker("kit.py", &["-n", "2", "--max-concurrent", "4"]);
    world.pool(2, PATIENCE);
    let mut slowest = Duration::ZERO;
    let mut ends: HashMap<&str, usize> = HashMap::new();
    for round in 0..ROUNDS * factor {
        let workers = world.pool(2, PATIENCE);
        let victim = &workers[round % 2];
        let calls: Vec<Process> = (0..CALLS)
            .map(|call| {
                let note = format!("path=note-{round}-{call}");
                world.process(&["-o", "json", "tool", "call", "nap", "seconds=0.3", &note])
            })
            .collect();
        eventually(PATIENCE, "calls under way", || {
            let running: u64 = world
                .workers()
                .iter()
                .filter_map(|worker| worker["running"].as_u64())
                .sum();
            (running as usize >= CALLS / 2).then_some(())
        });
        let since = murder(pid(victim));
        for (call, process) in calls.into_iter().enumerate() {
            let end = judge(&world, round, call, process);
            *ends.entry(end).or_default() += 1;
        }
        eventually(PATIENCE, "a whole pool", || {
            let workers = world.workers();
            let up = workers
                .iter()
                .filter(|worker| worker["state"] == "ready" && worker["pid"] != victim["pid"]);
            (up.count() == 2).then_some(())
        });
        let took = since.elapsed();
        assert!(took < LOADED, "round {round}: the pool was whole after {took:?}");
        slowest = slowest.max(took);
    }
    println!("{} rounds: {ends:?}; slowest pool {slowest:?}", ROUNDS * factor);
    assert!(ends.contains_key("may have run"), "no call was hit: {ends:?}");
}

/// How a call ended, checked against what the tool itself wrote down: `began` and `ended`, once each at most.
fn judge(world: &World, round: usize, call: usize, process: Process) -> &'static str {
    let run = process.end();
    let note = world.work().join(format!("note-{round}-{call}"));
    let wrote = std::fs::read_to_string(note).unwrap_or_default();
    let told = format!("round {round}, call {call}: {run:?}, wrote {wrote:?}");
    assert!(wrote.matches("began").count() <= 1, "ran twice: {told}");
    if run.code == 0 {
        assert_eq!(
            (run.out.as_str(), wrote.as_str()),
            ("\"rested\"\n", "began\nended\n"),
            "{told}"
        );
        return "finished";
    }
    assert_eq!(run.out, "", "{told}");
    let error: Value = serde_json::from_str(&run.err).unwrap_or_else(|cause| panic!("{cause}: {told}"));
    match error["error"]["outcome"].as_str() {
        Some("MAY_HAVE_RUN") => "may have run",
        Some("NEVER_STARTED") => {
            assert_eq!(wrote, "", "it ran after all: {told}");
            "never started"
        }
        _ => panic!("no outcome: {told}"),
    }
}
