//! Ten thousand variables and ten thousand sessions: how long, and how much memory. Run by `shows/ten-thousand-variables`.

use std::future::Future;
use std::time::Instant;

use snakepit::proto::bridge as pb;

use crate::caller::{Caller, Served, any};

const COUNT: usize = 10_000;
const BATCH: usize = 1_000;
const PIPELINE: usize = 64;

/// Memory of the bridge that is in use, in bytes.
fn resident(served: &Served) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.pid())).expect("it runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .expect("a size");
    let kilobytes: usize = line
        .split_whitespace()
        .nth(1)
        .expect("a number")
        .parse()
        .expect("a number");
    kilobytes * 1024
}

/// Does it for every number, some at once.
async fn all<F: Future<Output = ()> + Send + 'static>(caller: &Caller, one: impl Fn(Caller, usize) -> F) {
    let mut running = tokio::task::JoinSet::new();
    for number in 0..COUNT {
        if running.len() >= PIPELINE {
            running.join_next().await.expect("one runs").expect("it ends");
        }
        running.spawn(one(caller.clone(), number));
    }
    while let Some(done) = running.join_next().await {
        done.expect("it ends");
    }
}

#[tokio::test]
#[ignore = "measures; shows/ten-thousand-variables runs it"]
async fn memory_and_times_of_ten_thousand() {
    let served = Served::new();
    let caller = served.caller("many").await;
    caller
        .register("first", any("float", "0.5"), |_| {})
        .await
        .expect("registered");
    caller.delete("first").await.expect("deleted");
    let before = resident(&served);
    let began = Instant::now();
    all(&caller, |caller, number| async move {
        let name = format!("layer{:02}.weight{number}", number % 100);
        caller
            .register(&name, any("float", "0.5"), |_| {})
            .await
            .expect("registered");
    })
    .await;
    let registered = began.elapsed();
    let variables = resident(&served) - before;
    println!(
        "registered {COUNT} variables 64 at once in {:.0} ms",
        registered.as_secs_f64() * 1e3
    );

    let began = Instant::now();
    assert_eq!(caller.list("").await.len(), COUNT);
    println!("list of {COUNT}: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let began = Instant::now();
    assert_eq!(caller.list("layer07.*").await.len(), COUNT / 100);
    println!(
        "glob with {} matches: {:.1} ms",
        COUNT / 100,
        began.elapsed().as_secs_f64() * 1e3
    );
    let names: Vec<String> = (0..BATCH)
        .map(|number| format!("layer{:02}.weight{number}", number % 100))
        .collect();
    let began = Instant::now();
    let request = pb::BatchGetVariablesRequest {
        session_id: caller.session.clone(),
        variable_identifiers: names.clone(),
        ..Default::default()
    };
    let read = caller
        .bridge
        .clone()
        .get_variables(request)
        .await
        .expect("read")
        .into_inner();
    assert_eq!(read.variables.len(), BATCH);
    println!(
        "batch get of {BATCH}: {:.1} ms",
        began.elapsed().as_secs_f64() * 1e3
    );
    let began = Instant::now();
    let values = names.into_iter().map(|name| (name, any("float", "0.25")));
    let written = caller.set_all(true, values, []).await.expect("written");
    assert!(written.success);
    println!(
        "atomic batch set of {BATCH}: {:.1} ms",
        began.elapsed().as_secs_f64() * 1e3
    );

    let before = resident(&served);
    // Three are there already: the command line's, this one's, and the one that opens.
    all(&caller, |caller, number| async move {
        if number >= 3 {
            caller
                .open(&format!("session{number}"), |_| {})
                .await
                .expect("a session");
        }
    })
    .await;
    let sessions = resident(&served) - before;
    println!(
        "a variable (float) takes {} bytes with its commit in the journal, an empty session {} bytes",
        variables / COUNT,
        sessions / COUNT
    );
}
