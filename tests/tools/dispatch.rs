//! Who gets a call: lanes, permits, queues, replicas, nesting, the check of parameters.

use super::*;

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
