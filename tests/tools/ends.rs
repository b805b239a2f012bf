//! How calls end early: deadlines, cancels, callers that leave, workers that die, drains.

use super::*;

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
                error.hints()[0]
                    .contains("`snakepit worker spawn` runs; declare it `@tool(idempotent=True)`")
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
