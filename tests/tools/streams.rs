//! Streaming calls: relayed, broken in the middle, dropped, late.

use super::*;

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

/// Polls a future once.
async fn begin(future: &mut (impl Future + Unpin)) {
    tokio::select! {
        biased;
        _ = future => panic!("it has to wait"),
        () = async {} => {}
    }
}

async fn nothing_is_left(tools: &Tools) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while tools.workers()[0].running != 0 || tools.session_calls("s") != 0 {
        assert!(Instant::now() < deadline, "{:?}", tools.counters());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_caller_that_leaves_with_its_permit_unused_gives_it_back() {
    let (tools, peer) = (
        tools(),
        Peer::start("w1", 1, vec![streaming("endless"), tool("gate")]),
    );
    let _attached = peer.attach(&tools).await;
    let first = spawn(&tools, request("gate", "1"), Origin::default());
    peer.seen.started(1).await;
    let mut waiting = Box::pin(tools.stream(request("endless", "1"), Origin::default()));
    begin(&mut waiting).await;
    peer.seen.release(1);
    ended(first).await.unwrap();
    // The permit is the stream's now, and its caller goes before it looks.
    drop(waiting);
    nothing_is_left(&tools).await;
}

#[tokio::test]
async fn a_caller_that_leaves_while_its_stream_opens_leaves_no_call_behind() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![streaming("endless")]));
    let _attached = peer.attach(&tools).await;
    let mut opening = Box::pin(tools.stream(request("endless", "1"), Origin::default()));
    begin(&mut opening).await;
    peer.seen.started(1).await;
    // Time for the worker's first answer to arrive and lie there unread: nothing tells of it.
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(opening);
    peer.seen.ended(1).await;
    nothing_is_left(&tools).await;
}

#[tokio::test]
async fn a_call_under_the_id_of_an_ended_one_does_not_inherit_its_nested_calls() {
    let (tools, peer) = (tools(), Peer::start("w1", 3, vec![tool("gate")]));
    let _attached = peer.attach(&tools).await;
    let gate = |id: &str, parent: &str| ExecuteToolRequest {
        call_id: id.into(),
        parent_call_id: parent.into(),
        ..request("gate", "1")
    };
    let parent = spawn(&tools, gate("a", ""), Origin::default());
    peer.seen.started(1).await;
    let nested = spawn(&tools, gate("b", "a"), Origin::default());
    peer.seen.started(2).await;
    peer.seen.release(1);
    ended(parent).await.unwrap();
    let again = spawn(&tools, gate("a", ""), Origin::default());
    peer.seen.started(3).await;
    peer.seen.release(1);
    ended(nested).await.unwrap();
    peer.seen.release(1);
    ended(again).await.unwrap();
    nothing_is_left(&tools).await;
}

#[tokio::test]
async fn a_stream_that_is_dropped_after_its_final_chunk_has_ended_well() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![tool("echo")]));
    let _attached = peer.attach(&tools).await;
    for _ in 0..20 {
        let mut stream = tools
            .stream(request("echo", "1"), Origin::default())
            .await
            .unwrap();
        assert!(stream.next().await.unwrap().unwrap().is_final);
    }
    nothing_is_left(&tools).await;
    assert_eq!((tools.counters().finished, tools.counters().failed), (20, 0));
}
