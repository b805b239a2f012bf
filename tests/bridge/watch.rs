//! The promise of a watch over a raw connection: a snapshot at one revision, then everything after it, in order,
//! and no gap that is not said.

use std::time::{Duration, Instant};

use snakepit::proto::bridge as pb;
use tonic::Code;

use crate::support::World;
use crate::wire::{Watch, any, client, info, register, session, set, told, watching};

/// A world with a bridge and a session `s` that has `a` = 1 and `b` = 2.
async fn prepared() -> (World, crate::support::Bridge, crate::wire::Bridge, u64) {
    let world = World::new();
    let server = world.serve(&[]);
    let mut bridge = client(&world).await;
    session(&mut bridge, "s").await;
    register(&mut bridge, "s", "a", 1.0).await;
    let revision = register(&mut bridge, "s", "b", 2.0).await;
    (world, server, bridge, revision)
}

#[tokio::test]
async fn a_snapshot_of_one_revision_then_its_end_mark_then_every_update_in_order() {
    let (world, _server, mut bridge, revision) = prepared().await;
    let mut watch = Watch::open(&world, watching("s", &[])).await.unwrap();
    let (first, second, mark) = (watch.next().await, watch.next().await, watch.next().await);
    assert_eq!(
        told(&first),
        ("initial_value".into(), "a".into(), "1.0".into(), revision)
    );
    assert_eq!(
        told(&second),
        ("initial_value".into(), "b".into(), "2.0".into(), revision)
    );
    assert_eq!(
        (mark.update_type.as_str(), mark.revision),
        ("initial_complete", revision)
    );
    assert!(!first.revision_end && !second.revision_end && mark.revision_end);
    assert_ne!(mark.epoch, 0);

    let changed = set(&mut bridge, "s", "a", 1.5).await;
    let update = watch.next().await;
    assert_eq!(
        told(&update),
        ("value_change".into(), "a".into(), "1.5".into(), changed)
    );
    assert_eq!(update.old_value.as_ref().unwrap().value.as_ref(), b"1.0");
    assert_eq!(update.old_version64, Some(0));
    assert_eq!(update.variable.as_ref().unwrap().version64, 1);
    assert!(update.revision_end && update.epoch == mark.epoch);

    let registered = register(&mut bridge, "s", "c", 3.0).await;
    let update = watch.next().await;
    assert_eq!(
        told(&update),
        ("registered".into(), "c".into(), "3.0".into(), registered)
    );
    let delete = pb::DeleteVariableRequest {
        session_id: "s".into(),
        variable_identifier: "c".into(),
        ..Default::default()
    };
    let deleted = bridge
        .delete_variable(delete)
        .await
        .unwrap()
        .into_inner()
        .revision;
    let update = watch.next().await;
    assert_eq!(
        (update.update_type.as_str(), update.revision),
        ("deleted", deleted)
    );
    assert!(revision < changed && changed < registered && registered < deleted);
}

#[tokio::test]
async fn a_watch_opened_under_writes_misses_none_and_repeats_none() {
    let (world, _server, mut bridge, _) = prepared().await;
    const WRITES: u32 = 400;
    let writer = tokio::spawn(async move {
        for value in 1..=WRITES {
            set(&mut bridge, "s", "a", f64::from(value) + 0.5).await;
        }
    });
    let mut watches = Vec::new();
    for _ in 0..8 {
        watches.push(tokio::spawn(follow(
            Watch::open(&world, watching("s", &["a"])).await.unwrap(),
            f64::from(WRITES) + 0.5,
        )));
    }
    writer.await.unwrap();
    for watch in watches {
        watch.await.unwrap();
    }
}

/// From the snapshot to the last value: each revision is the one after the last, each value the next one.
async fn follow(mut watch: Watch, last: f64) {
    let number = |update: &pb::VariableUpdate| told(update).2.parse::<f64>().unwrap();
    let initial = watch.next().await;
    let mut value = number(&initial);
    let mut revision = initial.revision;
    assert_eq!(watch.next().await.update_type, "initial_complete");
    while value < last {
        let update = watch.next().await;
        assert_eq!(update.revision, revision + 1, "no hole and no repeat: {update:?}");
        revision = update.revision;
        let next = number(&update);
        assert!(next == value + 1.0 || value == 1.0, "{value} then {next}");
        value = next;
    }
}

#[tokio::test]
async fn a_batch_arrives_in_one_piece_under_one_revision() {
    let (world, _server, mut bridge, _) = prepared().await;
    let request = |accept_batch| pb::WatchVariablesRequest {
        updates_only: true,
        accept_batch,
        ..watching("s", &[])
    };
    let mut plain = Watch::open(&world, request(false)).await.unwrap();
    let mut batched = Watch::open(&world, request(true)).await.unwrap();
    let batch = pb::BatchSetVariablesRequest {
        session_id: "s".into(),
        updates: [
            ("a".to_owned(), any("float", "5")),
            ("b".to_owned(), any("float", "6")),
        ]
        .into(),
        atomic: true,
        ..Default::default()
    };
    let revision = bridge.set_variables(batch).await.unwrap().into_inner().revision;
    let (first, second) = (plain.next().await, plain.next().await);
    assert_eq!((first.revision, second.revision), (revision, revision));
    assert!(!first.revision_end && second.revision_end, "the last one says so");
    assert!(
        first.batch.is_empty() && second.batch.is_empty(),
        "batches only for those who read them"
    );
    let message = batched.next().await;
    assert_eq!(message.batch.len(), 2, "{message:?}");
    assert!(message.batch.iter().all(|update| update.revision == revision));
    let names: Vec<_> = message.batch.iter().map(|update| told(update).1).collect();
    assert_eq!(names, ["a", "b"]);
}

#[tokio::test]
async fn a_client_without_the_vocabulary_gets_values_and_heartbeats_only() {
    let (world, _server, mut bridge, _) = prepared().await;
    let request = pb::WatchVariablesRequest {
        extended: false,
        ..watching("s", &[])
    };
    let mut watch = Watch::open(&world, request).await.unwrap();
    assert_eq!(watch.next().await.update_type, "initial_value");
    assert_eq!(watch.next().await.update_type, "initial_value");
    let mark = watch.next().await;
    assert_eq!(mark.update_type, "heartbeat");
    assert_eq!(
        mark.update_metadata.get("control").map(String::as_str),
        Some("initial_complete")
    );
    register(&mut bridge, "s", "c", 3.0).await;
    let update = watch.next().await;
    assert_eq!(
        (told(&update).0.as_str(), told(&update).1.as_str()),
        ("value_change", "c")
    );
    let delete = pb::DeleteVariableRequest {
        session_id: "s".into(),
        variable_identifier: "c".into(),
        ..Default::default()
    };
    bridge.delete_variable(delete).await.unwrap();
    let update = watch.next().await;
    assert_eq!(update.update_type, "heartbeat");
    assert_eq!(
        update.update_metadata.get("control").map(String::as_str),
        Some("deleted")
    );
    let end = pb::CleanupSessionRequest {
        session_id: "s".into(),
        force: true,
    };
    bridge.cleanup_session(end).await.unwrap();
    let last = watch.next().await;
    assert_eq!(last.update_type, "heartbeat");
    assert_eq!(
        last.update_metadata.get("control").map(String::as_str),
        Some("session_closed")
    );
    assert!(watch.message().await.unwrap().is_none());
}

#[tokio::test]
async fn a_resume_goes_on_after_the_revision_it_names() {
    let (world, _server, mut bridge, revision) = prepared().await;
    let mut watch = Watch::open(&world, watching("s", &[])).await.unwrap();
    let epoch = watch.next().await.epoch;
    drop(watch);
    let first = set(&mut bridge, "s", "a", 10.0).await;
    let second = set(&mut bridge, "s", "b", 20.0).await;
    let resume = |after: u64, epoch: u64| pb::WatchVariablesRequest {
        after_revision: Some(after),
        epoch,
        ..watching("s", &[])
    };
    let mut watch = Watch::open(&world, resume(revision, epoch)).await.unwrap();
    assert_eq!(told(&watch.next().await).3, first);
    assert_eq!(told(&watch.next().await).3, second);
    let mut watch = Watch::open(&world, resume(first, epoch)).await.unwrap();
    assert_eq!(told(&watch.next().await).3, second, "and no snapshot before it");

    // Another incarnation, or a revision of the future: said, with a fresh anchor.
    for (after, epoch) in [(first, epoch ^ 1), (second + 100, epoch)] {
        let mut watch = Watch::open(&world, resume(after, epoch)).await.unwrap();
        let resync = watch.next().await;
        assert_eq!((resync.update_type.as_str(), resync.revision), ("resync", second));
        assert_eq!(watch.next().await.update_type, "initial_value");
        assert_eq!(watch.next().await.update_type, "initial_value");
        assert_eq!(watch.next().await.update_type, "initial_complete");
        let strict = pb::WatchVariablesRequest {
            strict: true,
            ..resume(after, epoch)
        };
        let status = match Watch::open(&world, strict).await {
            Ok(mut watch) => watch.error().await,
            Err(status) => status,
        };
        assert_eq!(
            (status.code(), info(&status).0.as_str()),
            (Code::OutOfRange, "E0405")
        );
    }
}

#[tokio::test]
async fn unknown_names_are_refused_unless_they_may_be_missing_and_then_they_are_armed() {
    let (world, _server, mut bridge, _) = prepared().await;
    let refused = Watch::open(&world, watching("s", &["a", "later"])).await;
    let status = refused.err().expect("refused");
    assert_eq!(
        (status.code(), info(&status).0.as_str()),
        (Code::NotFound, "E0201")
    );
    assert!(status.message().contains("later"), "{status:?}");
    let refused = Watch::open(&world, watching("t", &[])).await.err();
    assert_eq!(refused.map(|status| status.code()), Some(Code::NotFound));

    let request = pb::WatchVariablesRequest {
        allow_missing: true,
        ..watching("s", &["later", "none*"])
    };
    let mut watch = Watch::open(&world, request).await.unwrap();
    assert_eq!(watch.next().await.update_type, "initial_complete");
    set(&mut bridge, "s", "a", 3.0).await;
    register(&mut bridge, "s", "later", 1.0).await;
    let update = watch.next().await;
    assert_eq!(
        (told(&update).0.as_str(), told(&update).1.as_str()),
        ("registered", "later"),
        "and `a` is not told"
    );
    // Armed across delete and registration.
    let delete = pb::DeleteVariableRequest {
        session_id: "s".into(),
        variable_identifier: "later".into(),
        ..Default::default()
    };
    bridge.delete_variable(delete).await.unwrap();
    register(&mut bridge, "s", "later", 2.0).await;
    assert_eq!(watch.next().await.update_type, "deleted");
    assert_eq!(watch.next().await.update_type, "registered");
}

#[tokio::test]
async fn an_equal_write_takes_a_version_and_is_told_only_to_those_who_ask() {
    let (world, _server, mut bridge, _) = prepared().await;
    let request = |include_unchanged| pb::WatchVariablesRequest {
        updates_only: true,
        include_unchanged,
        ..watching("s", &["a"])
    };
    let mut quiet = Watch::open(&world, request(false)).await.unwrap();
    let mut all = Watch::open(&world, request(true)).await.unwrap();
    let equal = set(&mut bridge, "s", "a", 1.0).await;
    let other = set(&mut bridge, "s", "a", 2.0).await;
    assert_eq!(all.next().await.revision, equal);
    assert_eq!(all.next().await.revision, other);
    let update = quiet.next().await;
    assert_eq!(update.revision, other);
    assert_eq!(update.variable.unwrap().version64, 2);
}

#[tokio::test]
async fn a_throttle_thins_and_keeps_the_last_value() {
    let (world, _server, mut bridge, _) = prepared().await;
    let request = pb::WatchVariablesRequest {
        updates_only: true,
        throttle_ms: 100,
        ..watching("s", &["a"])
    };
    let mut watch = Watch::open(&world, request).await.unwrap();
    let began = Instant::now();
    let mut last = 0;
    for value in 1..=200_u32 {
        last = set(&mut bridge, "s", "a", f64::from(value) + 0.5).await;
    }
    let writing = began.elapsed();
    let mut seen = Vec::new();
    loop {
        let update = watch.next().await;
        seen.push(update.revision);
        if update.revision == last {
            assert_eq!(told(&update).2, "200.5");
            break;
        }
    }
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
    let most = writing.as_millis() / 100 + 3;
    assert!(
        seen.len() as u128 <= most,
        "{} updates in {writing:?}",
        seen.len()
    );
}

#[tokio::test]
async fn a_throttle_keeps_the_last_change_when_an_equal_write_follows_it() {
    let (world, _server, mut bridge, _) = prepared().await;
    let request = pb::WatchVariablesRequest {
        updates_only: true,
        throttle_ms: 300,
        heartbeat_ms: 2_000,
        ..watching("s", &["a"])
    };
    let mut watch = Watch::open(&world, request).await.unwrap();
    // The first is told at once; the rest falls into the pause after it.
    set(&mut bridge, "s", "a", 1.5).await;
    assert_eq!(told(&watch.next().await).2, "1.5");
    let changed = set(&mut bridge, "s", "a", 2.5).await;
    set(&mut bridge, "s", "a", 2.5).await;
    let update = watch.next().await;
    assert_eq!(
        told(&update),
        ("value_change".into(), "a".into(), "2.5".into(), changed)
    );
}

#[tokio::test]
async fn silence_is_broken_by_a_bookmark() {
    let (world, _server, mut bridge, _) = prepared().await;
    let request = pb::WatchVariablesRequest {
        updates_only: true,
        heartbeat_ms: 50,
        ..watching("s", &["a"])
    };
    let mut watch = Watch::open(&world, request).await.unwrap();
    let revision = set(&mut bridge, "s", "b", 9.0).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let beat = watch.next().await;
        assert_eq!(beat.update_type, "heartbeat");
        // It carries the current revision, of commits too that the watch is not about.
        if beat.revision == revision {
            break;
        }
        assert!(Instant::now() < deadline, "the bookmark does not move");
    }
}

#[tokio::test]
async fn a_bookmark_comes_also_while_others_are_written() {
    let (world, _server, mut bridge, from) = prepared().await;
    let request = pb::WatchVariablesRequest {
        updates_only: true,
        heartbeat_ms: 200,
        ..watching("s", &["a"])
    };
    let mut watch = Watch::open(&world, request).await.unwrap();
    let busy = async {
        loop {
            set(&mut bridge, "s", "b", 9.0).await;
        }
    };
    let beat = tokio::select! {
        beat = watch.next() => beat,
        () = busy => unreachable!(),
        () = tokio::time::sleep(Duration::from_secs(5)) => panic!("no sign of life"),
    };
    assert_eq!(beat.update_type, "heartbeat");
    assert!(beat.revision > from);
}

#[tokio::test]
async fn the_end_of_a_session_is_the_last_word_of_its_watches() {
    let (world, _server, mut bridge, _) = prepared().await;
    let mut watch = Watch::open(&world, watching("s", &["a"])).await.unwrap();
    assert_eq!(watch.next().await.update_type, "initial_value");
    assert_eq!(watch.next().await.update_type, "initial_complete");
    set(&mut bridge, "s", "a", 4.0).await;
    let end = pb::CleanupSessionRequest {
        session_id: "s".into(),
        force: true,
    };
    let cleaned = bridge.cleanup_session(end).await.unwrap().into_inner();
    assert!(cleaned.success);
    assert_eq!(watch.next().await.update_type, "value_change");
    let closed = watch.next().await;
    assert_eq!(closed.update_type, "session_closed");
    assert!(!closed.reason.is_empty());
    assert!(watch.message().await.unwrap().is_none(), "the stream ends well");
    // The same id is another incarnation.
    let again = session(&mut bridge, "s").await;
    assert!(again.created && again.epoch != closed.epoch);
}

#[tokio::test]
async fn a_reader_who_stalls_costs_writers_nothing_and_is_told_what_it_missed() {
    let (world, _server, mut bridge, _) = prepared().await;
    // 30 KiB a value: window, stream and ring are full long before the end.
    let text = |number: usize| format!("\"{number:06}{}\"", "x".repeat(30_000));
    let request = pb::RegisterVariableRequest {
        session_id: "s".into(),
        name: "text".into(),
        r#type: "string".into(),
        initial_value: Some(any("string", "\"\"")),
        ..Default::default()
    };
    bridge.register_variable(request).await.unwrap();
    let mut stalled = Watch::open(&world, watching("s", &["text"])).await.unwrap();
    assert_eq!(stalled.next().await.update_type, "initial_value");
    let mut slowest = Duration::ZERO;
    let mut last = 0;
    const WRITES: usize = 2_000;
    for number in 0..WRITES {
        let request = pb::SetVariableRequest {
            session_id: "s".into(),
            variable_identifier: "text".into(),
            value: Some(any("string", &text(number))),
            ..Default::default()
        };
        let asked = Instant::now();
        last = bridge.set_variable(request).await.unwrap().into_inner().revision;
        slowest = slowest.max(asked.elapsed());
    }
    println!("slowest write beside a stalled reader: {slowest:?}");
    let mut revision = 0;
    let mut missed = 0;
    while revision < last {
        let update = stalled.next().await;
        match update.update_type.as_str() {
            "resync" => {
                missed += update.missed;
                revision = update.revision;
            }
            "value_change" => {
                assert_eq!(update.revision, revision + 1, "a gap that nobody told");
                revision = update.revision;
            }
            "initial_complete" => revision = update.revision,
            "initial_value" => {}
            other => panic!("{other}"),
        }
    }
    println!("the reader missed {missed} revisions, and was told so");
}
