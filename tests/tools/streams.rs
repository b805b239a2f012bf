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
