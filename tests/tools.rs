//! The room of tools against workers on the real wire: dispatch, permits, queues, deadlines, death, cancel,
//! streams, nesting, registration. `tools/peer.rs` is the worker; the Python one is in `tools/python.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by a panic"
)]

#[path = "tools/host.rs"]
mod host;
#[path = "tools/peer.rs"]
mod peer;
#[path = "tools/python.rs"]
mod python;

use std::collections::HashMap;
use std::time::Duration;

use peer::{Peer, json, streaming, tool};
use snakepit::error::{Error, Kind, Outcome};
use snakepit::proto::bridge::{
    ExecuteToolRequest, ExecuteToolResponse, ParameterSpec, RegisterToolsRequest, ToolChunk, ToolRegistration,
};
use snakepit::tools::{ChunkStream, HostTools, Limits, Origin, Tools};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_stream::StreamExt as _;

fn tools() -> Tools {
    Tools::new(HostTools::built_in(), Limits::default())
}

fn request(tool: &str, value: &str) -> ExecuteToolRequest {
    ExecuteToolRequest {
        session_id: "s".into(),
        tool_name: tool.into(),
        parameters: HashMap::from([("value".to_owned(), json(value))]),
        ..Default::default()
    }
}

type Running = JoinHandle<Result<ExecuteToolResponse, Error>>;

fn spawn(tools: &Tools, request: ExecuteToolRequest, origin: Origin) -> Running {
    let tools = tools.clone();
    tokio::spawn(async move { tools.call(request, origin).await })
}

fn spawn_many(tools: &Tools, name: &str, calls: usize) -> Vec<Running> {
    (0..calls)
        .map(|n| spawn(tools, request(name, &n.to_string()), Origin::default()))
        .collect()
}

fn within(time: Duration) -> Origin {
    Origin {
        deadline: Some(Instant::now() + time),
        ..Default::default()
    }
}

/// Waits until the desk shows it: every task that could change it runs on this test's runtime or answers soon.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(waited.await.is_ok(), "never: {what}");
}

async fn queued(tools: &Tools, calls: usize) {
    until("queued", || tools.counters().queued == calls).await;
}

async fn ended(call: Running) -> Result<ExecuteToolResponse, Error> {
    tokio::time::timeout(Duration::from_secs(10), call)
        .await
        .expect("the call never ended")
        .unwrap()
}

#[tokio::test]
async fn small_calls_travel_together_and_each_gets_its_own_result() {
    let (tools, peer) = (tools(), Peer::start("w1", 64, vec![tool("echo")]));
    let _attached = peer.attach(&tools).await;
    for (n, call) in spawn_many(&tools, "echo", 64).into_iter().enumerate() {
        let response = ended(call).await.unwrap();
        assert!(response.success && response.call_id.starts_with("c-"));
        assert_eq!(response.worker_id, "w1");
        assert_eq!(response.result.unwrap().value, n.to_string().into_bytes());
    }
    assert!(
        peer.seen.messages() <= 16,
        "64 calls came in {} messages",
        peer.seen.messages()
    );
    assert_eq!((tools.counters().finished, tools.counters().running), (64, 0));
}

#[test]
fn calls_come_from_any_runtime() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let (tools, peer) = (
        tools(),
        Peer::start("w1", 8, vec![tool("echo"), streaming("count")]),
    );
    let home = runtime();
    let _attached = home.block_on(peer.attach(&tools));
    let (done, mut all_done) = tokio::sync::mpsc::channel::<()>(1);
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (tools, done) = (tools.clone(), done.clone());
            std::thread::spawn(move || {
                let _done = done;
                runtime().block_on(async {
                    for n in 0..100 {
                        let response = tools
                            .call(request("echo", &n.to_string()), Origin::default())
                            .await
                            .unwrap();
                        assert_eq!(response.result.unwrap().value, n.to_string().into_bytes());
                    }
                    let stream = tools
                        .stream(request("count", "1"), Origin::default())
                        .await
                        .unwrap();
                    assert!(final_item(stream).await.unwrap().is_final);
                });
            })
        })
        .collect();
    drop(done);
    // The link's tasks live here, as long as this runtime is driven.
    home.block_on(all_done.recv());
    for caller in callers {
        caller.join().unwrap();
    }
    assert_eq!((tools.counters().finished, tools.counters().failed), (404, 0));
}

#[tokio::test]
async fn a_large_call_gets_an_rpc_of_its_own() {
    let (tools, peer) = (tools(), Peer::start("w1", 4, vec![tool("echo")]));
    let _attached = peer.attach(&tools).await;
    let text = format!("\"{}\"", "x".repeat(300 * 1024));
    let response = tools
        .call(request("echo", &text), Origin::default())
        .await
        .unwrap();
    assert_eq!(response.result.unwrap().value, text.into_bytes());
    assert_eq!((peer.seen.rpcs(), peer.seen.messages()), (1, 0));
}

#[tokio::test]
async fn a_worker_never_has_more_calls_than_its_capacity() {
    let (tools, peer) = (tools(), Peer::start("w1", 2, vec![tool("gate")]));
    let _attached = peer.attach(&tools).await;
    let calls = spawn_many(&tools, "gate", 6);
    peer.seen.started(2).await;
    queued(&tools, 4).await;
    assert_eq!((tools.counters().running, tools.workers()[0].running), (2, 2));
    assert_eq!(tools.workers()[0].state, "busy");
    peer.seen.release(6);
    for call in calls {
        assert!(ended(call).await.unwrap().success);
    }
    assert_eq!(peer.seen.most(), 2);
}

#[tokio::test]
async fn a_tool_with_concurrency_one_runs_one_call_and_leaves_the_rest_to_others() {
    let single = ToolRegistration {
        concurrency: 1,
        ..tool("gate")
    };
    let (tools, peer) = (tools(), Peer::start("w1", 8, vec![single, tool("echo")]));
    let _attached = peer.attach(&tools).await;
    let calls = spawn_many(&tools, "gate", 3);
    peer.seen.started(1).await;
    queued(&tools, 2).await;
    assert!(
        tools
            .call(request("echo", "1"), Origin::default())
            .await
            .unwrap()
            .success
    );
    peer.seen.release(3);
    for call in calls {
        ended(call).await.unwrap();
    }
    assert_eq!(peer.seen.most(), 2, "one gate and the echo beside it");
}

#[tokio::test]
async fn calls_go_to_the_replica_with_the_fewest() {
    let tools = tools();
    let peers = ["w1", "w2", "w3"].map(|id| Peer::start(id, 8, vec![tool("gate")]));
    let mut attached = Vec::new();
    for peer in &peers {
        attached.push(peer.attach(&tools).await);
    }
    let calls = spawn_many(&tools, "gate", 12);
    for peer in &peers {
        peer.seen.started(4).await;
    }
    assert_eq!(peers.each_ref().map(|peer| peer.seen.started_now()), [4, 4, 4]);
    peers.iter().for_each(|peer| peer.seen.release(4));
    for call in calls {
        ended(call).await.unwrap();
    }
}

#[tokio::test]
async fn a_full_queue_refuses_and_says_that_nothing_ran() {
    let tools = Tools::new(
        HostTools::empty(),
        Limits {
            queue_per_tool: 2,
            ..Default::default()
        },
    );
    let peer = Peer::start("w1", 1, vec![tool("gate")]);
    let _attached = peer.attach(&tools).await;
    let calls = spawn_many(&tools, "gate", 3);
    queued(&tools, 2).await;
    let refused = tools
        .call(request("gate", "4"), Origin::default())
        .await
        .unwrap_err();
    assert_eq!(
        (refused.kind(), refused.known_outcome()),
        (Kind::QueueFull, Some(Outcome::NeverStarted))
    );
    peer.seen.release(3);
    for call in calls {
        assert!(ended(call).await.unwrap().success);
    }
    assert_eq!(peer.seen.started_now(), 3);
}

#[tokio::test]
async fn a_deadline_ends_a_waiting_call_before_it_starts() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![tool("gate")]));
    let _attached = peer.attach(&tools).await;
    let first = spawn(&tools, request("gate", "1"), Origin::default());
    peer.seen.started(1).await;
    let late = tools
        .call(request("gate", "2"), within(Duration::from_millis(30)))
        .await
        .unwrap_err();
    assert_eq!(
        (late.kind(), late.known_outcome()),
        (Kind::DeadlineExceeded, Some(Outcome::NeverStarted))
    );
    assert_eq!(tools.counters().queued, 0);
    peer.seen.release(1);
    ended(first).await.unwrap();
    assert_eq!(peer.seen.started_now(), 1, "the late call must never start");
}

#[tokio::test]
async fn a_deadline_cancels_a_running_call_and_its_permit_waits_for_the_worker() {
    let (tools, peer) = (
        tools(),
        Peer::start("w1", 1, vec![tool("stubborn"), tool("echo")]),
    );
    let _attached = peer.attach(&tools).await;
    let mut metadata = request("stubborn", "1");
    metadata.metadata.insert("timeout_ms".into(), "30".into());
    let late = tools.call(metadata, Origin::default()).await.unwrap_err();
    assert_eq!(
        (late.kind(), late.known_outcome()),
        (Kind::DeadlineExceeded, Some(Outcome::MayHaveRun))
    );
    peer.seen.cancelled(1).await;
    let next = spawn(&tools, request("echo", "1"), Origin::default());
    queued(&tools, 1).await;
    assert_eq!(
        tools.workers()[0].running,
        1,
        "the worker has not said that the call ended"
    );
    peer.seen.release(1);
    assert!(ended(next).await.unwrap().success);
}

#[tokio::test]
async fn the_tools_own_timeout_counts_where_the_caller_names_none() {
    let hasty = ToolRegistration {
        timeout_ms: 30,
        ..tool("gate")
    };
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![hasty]));
    let _attached = peer.attach(&tools).await;
    let late = tools
        .call(request("gate", "1"), Origin::default())
        .await
        .unwrap_err();
    assert_eq!(late.kind(), Kind::DeadlineExceeded);
    let patient = spawn(&tools, request("gate", "1"), within(Duration::from_secs(60)));
    peer.seen.started(2).await;
    peer.seen.release(1);
    assert!(ended(patient).await.unwrap().success);
}

#[tokio::test]
async fn a_worker_that_dies_ends_each_of_its_calls_once_with_the_truth() {
    let (tools, mut peer) = (tools(), Peer::start("w1", 8, vec![tool("gate")]));
    let mut attached = peer.attach(&tools).await;
    let calls = spawn_many(&tools, "gate", 12);
    peer.seen.started(8).await;
    queued(&tools, 4).await;
    peer.kill();
    let mut ends = HashMap::new();
    for call in calls {
        let error = ended(call).await.unwrap_err();
        *ends
            .entry((error.kind().code(), error.known_outcome().unwrap().as_str()))
            .or_insert(0) += 1;
        if error.kind() == Kind::WorkerDied {
            assert_eq!(error.message(), "worker `w1` died during `gate`");
            assert!(
                error.hints()[0].contains("`snakepit worker logs w1`; declare it `@tool(idempotent=True)`")
            );
        }
    }
    assert_eq!(
        ends,
        HashMap::from([(("E0603", "MAY_HAVE_RUN"), 8), (("E0606", "NEVER_STARTED"), 4)])
    );
    assert_eq!(
        attached.orders.recv().await,
        None,
        "the lease has to end with the worker"
    );
    assert_eq!(
        (
            tools.counters().failed,
            tools.counters().running,
            tools.workers().len()
        ),
        (12, 0, 0)
    );
    let gone = tools
        .call(request("gate", "1"), Origin::default())
        .await
        .unwrap_err();
    assert_eq!(gone.kind(), Kind::ToolNotFound);
    assert!(gone.message().contains("not found"));
}

#[tokio::test]
async fn calls_that_wait_go_to_another_replica_when_one_dies() {
    let tools = tools();
    let (mut victim, other) = (
        Peer::start("w1", 1, vec![tool("gate")]),
        Peer::start("w2", 1, vec![tool("gate")]),
    );
    let _attached = (victim.attach(&tools).await, other.attach(&tools).await);
    let calls = spawn_many(&tools, "gate", 5);
    victim.seen.started(1).await;
    other.seen.started(1).await;
    queued(&tools, 3).await;
    victim.kill();
    other.seen.release(4);
    let mut good = 0;
    for call in calls {
        match ended(call).await {
            Ok(_) => good += 1,
            Err(error) => assert_eq!(error.kind(), Kind::WorkerDied),
        }
    }
    assert_eq!((good, other.seen.started_now()), (4, 4));
}

#[tokio::test]
async fn a_worker_that_takes_no_new_calls_gets_none() {
    let tools = tools();
    let (leaving, other) = (
        Peer::start("w1", 4, vec![tool("refuses")]),
        Peer::start("w2", 4, vec![tool("refuses")]),
    );
    leaving.seen.refuse();
    let _attached = (leaving.attach(&tools).await, other.attach(&tools).await);
    let mut refused = 0;
    for _ in 0..8 {
        match tools.call(request("refuses", "1"), Origin::default()).await {
            Ok(response) => assert_eq!(response.worker_id, "w2"),
            Err(error) => {
                assert_eq!(
                    (error.kind(), error.known_outcome()),
                    (Kind::NoWorker, Some(Outcome::NeverStarted))
                );
                refused += 1;
            }
        }
    }
    assert!(refused <= 1, "{refused} calls went to a worker that had said no");
    assert_eq!(
        tools
            .workers()
            .iter()
            .filter(|worker| worker.state == "draining")
            .count(),
        refused
    );
}

#[tokio::test]
async fn dropping_the_lease_takes_the_worker_out() {
    let (tools, peer) = (tools(), Peer::start("w1", 2, vec![tool("gate")]));
    let attached = peer.attach(&tools).await;
    assert_eq!(attached.tools, ["gate"]);
    let call = spawn(&tools, request("gate", "1"), Origin::default());
    peer.seen.started(1).await;
    drop(attached);
    assert_eq!(ended(call).await.unwrap_err().kind(), Kind::WorkerDied);
    assert!(tools.workers().is_empty() && tools.describe("s", "gate").is_err());
}

#[tokio::test]
async fn a_newer_process_of_the_same_worker_supersedes_and_the_queue_moves_to_it() {
    let tools = tools();
    let (old, new) = (
        Peer::start("w1", 1, vec![tool("gate")]),
        Peer::start("w1", 1, vec![tool("gate")]),
    );
    let mut first = old.attach(&tools).await;
    let calls = spawn_many(&tools, "gate", 2);
    old.seen.started(1).await;
    queued(&tools, 1).await;
    let mut address = new.address();
    address.incarnation = 2;
    let _second = tools.attach(address).await.unwrap();
    let order = first.orders.recv().await.unwrap();
    assert!(format!("{order:?}").contains("Stop"), "{order:?}");
    new.seen.release(1);
    let mut ends = Vec::new();
    for call in calls {
        ends.push(ended(call).await.map(|_| ()).map_err(|error| error.kind()));
    }
    assert!(
        ends.contains(&Ok(())) && ends.contains(&Err(Kind::WorkerDied)),
        "{ends:?}"
    );
    drop(first);
    assert_eq!(
        tools.workers().len(),
        1,
        "the old lease must not take the new worker out"
    );
}

#[tokio::test]
async fn nested_calls_do_not_deadlock_a_worker_of_capacity_one() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![tool("nest")]));
    let _attached = peer.attach(&tools).await;
    peer.seen.connect(&tools);
    let many: Vec<_> = (0..8)
        .map(|_| spawn(&tools, request("nest", "5"), Origin::default()))
        .collect();
    for call in many {
        let response = ended(call).await.unwrap();
        assert!(response.success, "{response:?}");
    }
    assert_eq!((peer.seen.started_now(), tools.workers()[0].running), (48, 0));
}

#[tokio::test]
async fn nesting_ends_at_sixteen() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![tool("nest")]));
    let _attached = peer.attach(&tools).await;
    peer.seen.connect(&tools);
    assert!(
        ended(spawn(&tools, request("nest", "16"), Origin::default()))
            .await
            .unwrap()
            .success
    );
    let error = ended(spawn(&tools, request("nest", "17"), Origin::default()))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("E0610"), "{error}");
}

#[tokio::test]
async fn every_parameter_problem_is_listed_and_the_worker_is_not_bothered() {
    let spec = |name: &str, kind: &str| ParameterSpec {
        name: name.into(),
        r#type: kind.into(),
        required: true,
        ..Default::default()
    };
    let strict = ToolRegistration {
        name: "train".into(),
        parameters: vec![spec("epochs", "int"), spec("rate", "float")],
        ..Default::default()
    };
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![strict]));
    let _attached = peer.attach(&tools).await;
    let mut bad = request("train", "1");
    bad.parameters = HashMap::from([
        ("epoch".to_owned(), json("3")),
        ("rate".to_owned(), json("\"x\"")),
    ]);
    let error = tools.call(bad, Origin::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::BadParameters);
    assert_eq!(
        error.details(),
        [
            "`epochs` is missing (int)",
            "`rate` wants float, got str: \"x\"",
            "`epoch` is not a parameter: did you mean `epochs`?"
        ]
    );
    assert_eq!(peer.seen.started_now(), 0);
    let near = tools
        .call(request("trian", "1"), Origin::default())
        .await
        .unwrap_err();
    assert_eq!(
        (near.kind(), near.hints()),
        (Kind::ToolNotFound, &["did you mean `train`?".to_owned()][..])
    );
}

#[tokio::test]
async fn cancel_ends_a_waiting_call_unstarted_and_reaches_a_running_one() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![tool("gate")]));
    let _attached = peer.attach(&tools).await;
    let named = |id: &str| ExecuteToolRequest {
        call_id: id.into(),
        ..request("gate", "1")
    };
    let running = spawn(&tools, named("first"), Origin::default());
    peer.seen.started(1).await;
    let waiting = spawn(&tools, named("second"), Origin::default());
    queued(&tools, 1).await;

    assert_eq!(tools.cancel("second", "not needed").state, "queued");
    let error = ended(waiting).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.known_outcome()),
        (Kind::CallCancelled, Some(Outcome::NeverStarted))
    );

    assert_eq!(tools.cancel("first", "not needed").state, "running");
    let error = ended(running).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.known_outcome()),
        (Kind::CallCancelled, Some(Outcome::MayHaveRun))
    );
    assert_eq!(error.details(), ["not needed"]);
    assert!(
        !tools.cancel("first", "").accepted,
        "an ended call cannot be cancelled"
    );
}

#[tokio::test]
async fn a_caller_that_goes_away_cancels_and_the_permit_comes_back_with_the_workers_word() {
    let (tools, peer) = (
        tools(),
        Peer::start("w1", 1, vec![tool("stubborn"), tool("echo")]),
    );
    let _attached = peer.attach(&tools).await;
    let call = spawn(&tools, request("stubborn", "1"), Origin::default());
    peer.seen.started(1).await;
    call.abort();
    peer.seen.cancelled(1).await;
    assert_eq!(tools.workers()[0].running, 1);
    peer.seen.release(1);
    let next = ended(spawn(&tools, request("echo", "1"), Origin::default())).await;
    assert!(next.unwrap().success);
}

#[tokio::test]
async fn a_tool_that_failed_is_passed_on_as_it_came() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![tool("fails")]));
    let _attached = peer.attach(&tools).await;
    let response = tools
        .call(request("fails", "1"), Origin::default())
        .await
        .unwrap();
    assert!(!response.success);
    assert_eq!(response.failure.unwrap().r#type, "ValueError");
    assert_eq!((tools.counters().finished, tools.counters().failed), (0, 1));
}

#[tokio::test]
async fn a_stream_is_relayed_to_its_final_chunk() {
    let (tools, peer) = (
        tools(),
        Peer::start("w1", 1, vec![streaming("count"), tool("echo")]),
    );
    let _attached = peer.attach(&tools).await;
    let mut stream = tools
        .stream(request("count", "1"), Origin::default())
        .await
        .unwrap();
    let mut seen = Vec::new();
    while let Some(chunk) = stream.next().await {
        seen.push(chunk.unwrap());
    }
    assert_eq!(
        seen.iter().map(|chunk| chunk.seq).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    let last = seen.last().unwrap();
    assert!(last.is_final && last.worker_id == "w1" && last.timing.is_some());
    assert_eq!(tools.counters().finished, 1);

    let refused = tools
        .call(request("count", "1"), Origin::default())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::StreamingTool);
    let whole = tools
        .stream(request("echo", "1"), Origin::default())
        .await
        .unwrap();
    let whole: Vec<_> = whole.collect().await;
    assert!(whole.len() == 1 && whole[0].as_ref().unwrap().is_final);
}

#[tokio::test]
async fn a_stream_that_raises_keeps_its_chunks_and_brings_the_traceback() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![streaming("breaks")]));
    let _attached = peer.attach(&tools).await;
    let stream = tools
        .stream(request("breaks", "1"), Origin::default())
        .await
        .unwrap();
    let all: Vec<_> = stream.collect().await;
    assert_eq!(all.iter().filter(|item| item.is_ok()).count(), 2);
    let error = all.last().unwrap().as_ref().unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (Kind::ToolFailed, "`breaks` raised ValueError: bad loss")
    );
    assert_eq!(error.details().len(), 2);
    assert_eq!(tools.workers()[0].running, 0);
}

#[tokio::test]
async fn a_dropped_stream_cancels_and_frees_its_permit_when_the_worker_ended_it() {
    let (tools, peer) = (
        tools(),
        Peer::start("w1", 1, vec![streaming("endless"), tool("echo")]),
    );
    let _attached = peer.attach(&tools).await;
    let mut stream = tools
        .stream(request("endless", "1"), Origin::default())
        .await
        .unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    peer.seen.cancelled(1).await;
    peer.seen.ended(1).await;
    assert!(
        ended(spawn(&tools, request("echo", "1"), Origin::default()))
            .await
            .unwrap()
            .success
    );
}

#[tokio::test]
async fn a_cancel_lands_however_early_it_comes() {
    let (tools, peer) = (
        tools(),
        Peer::start("w1", 4, vec![streaming("endless"), tool("gate")]),
    );
    let _attached = peer.attach(&tools).await;
    let large = format!("\"{}\"", "x".repeat(300 * 1024));
    for round in 0..60 {
        let id = format!("r{round}");
        let call = ExecuteToolRequest {
            call_id: id.clone(),
            ..match round % 3 {
                0 => request("endless", "1"),
                1 => request("gate", "1"),
                _ => request("gate", &large),
            }
        };
        let tools_too = tools.clone();
        let running = tokio::spawn(async move {
            match round % 3 {
                0 => final_item(tools_too.stream(call, Origin::default()).await?)
                    .await
                    .map(|_| ()),
                _ => tools_too.call(call, Origin::default()).await.map(|_| ()),
            }
        });
        while !tools.cancel(&id, "too early").accepted {
            tokio::task::yield_now().await;
        }
        let end = tokio::time::timeout(Duration::from_secs(10), running)
            .await
            .expect("it never ended");
        assert_eq!(
            end.unwrap().unwrap_err().kind(),
            Kind::CallCancelled,
            "round {round}"
        );
    }
    until("idle", || {
        tools.counters().running == 0 && tools.workers()[0].running == 0
    })
    .await;
}

/// Reads a stream to its end and keeps only that.
async fn final_item(mut stream: ChunkStream) -> Result<ToolChunk, Error> {
    let mut last = None;
    while let Some(item) = stream.next().await {
        last = Some(item);
    }
    last.expect("an empty stream")
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline_and_with_its_worker() {
    let (tools, mut peer) = (tools(), Peer::start("w1", 2, vec![streaming("endless")]));
    let _attached = peer.attach(&tools).await;
    let stream = tools
        .stream(request("endless", "1"), within(Duration::from_millis(50)))
        .await
        .unwrap();
    let last = final_item(stream).await.unwrap_err();
    assert_eq!(
        (last.kind(), last.known_outcome()),
        (Kind::DeadlineExceeded, Some(Outcome::MayHaveRun))
    );
    peer.seen.ended(1).await;

    let mut stream = tools
        .stream(request("endless", "1"), Origin::default())
        .await
        .unwrap();
    stream.next().await.unwrap().unwrap();
    peer.kill();
    let last = tokio::time::timeout(Duration::from_secs(10), final_item(stream))
        .await
        .unwrap();
    assert_eq!(last.unwrap_err().kind(), Kind::WorkerDied);
}

#[tokio::test]
async fn replicas_have_to_agree() {
    let tools = tools();
    let one = Peer::start("w1", 1, vec![tool("echo")]);
    let described = ToolRegistration {
        description: "another".into(),
        ..tool("echo")
    };
    let other = Peer::start("w2", 1, vec![described, tool("more")]);
    let _attached = one.attach(&tools).await;
    let error = tools.attach(other.address()).await.err().unwrap();
    assert_eq!(error.kind(), Kind::ToolConflict);
    assert!(error.message().contains("`w1`"), "{error}");
    assert!(tools.describe("s", "more").is_err(), "all of its tools or none");
    let host = Peer::start("w3", 1, vec![tool("host_time")]);
    assert_eq!(
        tools.attach(host.address()).await.err().unwrap().kind(),
        Kind::ToolConflict
    );
}

#[tokio::test]
async fn a_session_tool_shadows_the_global_one_and_goes_with_the_session() {
    let tools = tools();
    let global = Peer::start("w1", 1, vec![tool("echo")]);
    let own = Peer::start(
        "w2",
        1,
        vec![ToolRegistration {
            description: "own".into(),
            ..tool("echo")
        }],
    );
    let _global = global.attach(&tools).await;
    let mut address = own.address();
    address.session = Some("s".into());
    let mut lease = tools.attach(address).await.unwrap();
    let named = |session: &str| tools.call(request_in(session), Origin::default());
    assert_eq!(named("s").await.unwrap().worker_id, "w2");
    assert_eq!(named("other").await.unwrap().worker_id, "w1");
    let names = |session| {
        tools
            .list(session)
            .iter()
            .map(|tool| tool.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(Some("s")), ["echo", "host_info", "host_time"]);
    assert_eq!(names(None), ["echo", "echo", "host_info", "host_time"]);
    assert_eq!((tools.session_tools("s"), tools.end_session("s")), (1, (1, 0)));
    assert_eq!(named("s").await.unwrap().worker_id, "w1");
    assert!(format!("{:?}", lease.orders.recv().await).contains("Stop"));
}

fn request_in(session: &str) -> ExecuteToolRequest {
    ExecuteToolRequest {
        session_id: session.into(),
        ..request("echo", "1")
    }
}

#[tokio::test]
async fn only_a_known_worker_registers_tools_and_none_hides_a_working_one() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![tool("echo")]));
    let _attached = peer.attach(&tools).await;
    let register = |worker: &str, header: Option<&str>, tool: ToolRegistration| {
        let request = RegisterToolsRequest {
            session_id: "s".into(),
            tools: vec![tool],
            worker_id: worker.into(),
        };
        let origin = Origin {
            worker_id: header.map(str::to_owned),
            ..Default::default()
        };
        tools.register(request, &origin)
    };
    assert_eq!(
        register("python-1", None, tool("late")).unwrap_err().kind(),
        Kind::WorkerUnknown
    );
    let reply = register("python-1", Some("w1"), tool("late")).unwrap();
    assert!(reply.success && reply.tool_ids.contains_key("late"));
    assert_eq!(
        register("w1", None, tool("late")).unwrap().tool_ids,
        reply.tool_ids,
        "again is the same"
    );
    assert!(
        tools
            .call(request("late", "1"), Origin::default())
            .await
            .unwrap()
            .success
    );
    assert!(register("w1", None, tool("echo")).unwrap().success);
    assert_eq!(
        tools.describe("s", "echo").unwrap().scope,
        "",
        "the global one stays the one in use"
    );
}

#[tokio::test]
async fn a_worker_that_is_not_there_or_brings_too_much_is_refused() {
    let tools = Tools::new(
        HostTools::empty(),
        Limits {
            tools_per_worker: 2,
            ..Default::default()
        },
    );
    let mut peer = Peer::start("w1", 1, vec![tool("a"), tool("b"), tool("c")]);
    assert_eq!(
        tools.attach(peer.address()).await.err().unwrap().kind(),
        Kind::LimitExceeded
    );
    peer.kill();
    let gone = tools.attach(peer.address()).await.err().unwrap();
    assert_eq!(gone.kind(), Kind::WorkerUnreachable);
    let mut nowhere = peer.address();
    nowhere.address = "nowhere".into();
    assert_eq!(
        tools.attach(nowhere).await.err().unwrap().kind(),
        Kind::BadAddress
    );
}

#[tokio::test]
async fn a_drain_lets_calls_end_and_cancels_those_that_do_not() {
    let (tools, peer) = (
        tools(),
        Peer::start("w1", 2, vec![tool("gate"), tool("stubborn")]),
    );
    let mut attached = peer.attach(&tools).await;
    let good = spawn(&tools, request("gate", "1"), Origin::default());
    peer.seen.started(1).await;
    let draining = tokio::spawn({
        let tools = tools.clone();
        async move { tools.drain(Duration::from_secs(20)).await }
    });
    assert!(format!("{:?}", attached.orders.recv().await).contains("Drain"));
    let refused = tools
        .call(request("gate", "1"), Origin::default())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::ShuttingDown);
    peer.seen.release(1);
    assert!(ended(good).await.unwrap().success);
    tokio::time::timeout(Duration::from_secs(5), draining)
        .await
        .expect("it waits for nothing")
        .unwrap();
}

#[tokio::test]
async fn a_drain_cancels_what_is_left_after_its_grace() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![tool("gate")]));
    let _attached = peer.attach(&tools).await;
    let calls = spawn_many(&tools, "gate", 2);
    peer.seen.started(1).await;
    queued(&tools, 1).await;
    tools.drain(Duration::from_millis(10)).await;
    for call in calls {
        assert_eq!(ended(call).await.unwrap_err().kind(), Kind::CallCancelled);
    }
    assert_eq!(tools.counters().running, 0);
}

#[tokio::test]
async fn the_calls_of_a_session_are_counted_and_end_with_it() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![tool("gate")]));
    let _attached = peer.attach(&tools).await;
    let calls = spawn_many(&tools, "gate", 3);
    peer.seen.started(1).await;
    queued(&tools, 2).await;
    assert_eq!((tools.session_calls("s"), tools.session_calls("t")), (3, 0));
    assert_eq!(tools.end_session("s"), (0, 3));
    for call in calls {
        assert_eq!(ended(call).await.unwrap_err().kind(), Kind::CallCancelled);
    }
    assert_eq!(tools.session_calls("s"), 0);
}
