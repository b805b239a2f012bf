//! The commit path, watches and the time to live, over the memory journal; under paused time where time matters.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::*;
use crate::{
    error::Kind,
    journal::MemoryJournal,
    session::{
        Actor, Command, Declare, Event, IfExists, Metadata, Principal, RawValue, Revision, Selector, Set,
        Ttl, Version,
    },
};

fn actor() -> Actor {
    Actor {
        principal: Principal::new("tester"),
        now: wall_now(),
    }
}

fn raw(json: &str) -> RawValue {
    RawValue::json(Bytes::copy_from_slice(json.as_bytes()))
}

fn opening(id: &str, ttl: Option<Ttl>) -> Opening {
    Opening {
        id: id.to_owned(),
        metadata: Metadata::new(),
        ttl,
        history_limit: 0,
        create_only: false,
    }
}

async fn session(bridge: &Bridge, id: &str, ttl: Ttl) -> Arc<Live> {
    bridge
        .open(&opening(id, Some(ttl)), &actor())
        .await
        .expect("opened")
        .live
}

async fn declare(bridge: &Bridge, live: &Arc<Live>, name: &str, json: &str) -> Committed {
    let declare = Declare {
        name: name.to_owned(),
        number: bridge.next_number(),
        ty: None,
        inferred: false,
        value: raw(json),
        constraints: String::new(),
        metadata: Metadata::new(),
        if_exists: IfExists::Fail,
    };
    bridge
        .execute_one(live, Command::Declare(declare), actor())
        .await
        .expect("declared")
}

async fn set(
    bridge: &Bridge,
    live: &Arc<Live>,
    name: &str,
    json: &str,
    expected: Option<Version>,
) -> Result<Committed> {
    let set = Set {
        target: name.to_owned(),
        value: raw(json),
        expected,
        metadata: Metadata::new(),
    };
    bridge.execute_one(live, Command::Set(set), actor()).await
}

fn value(live: &Live, name: &str) -> String {
    String::from_utf8(live.read().get(name).expect("there").value.json().to_vec()).expect("UTF-8")
}

#[tokio::test]
async fn opening_attaches_unless_told_to_create() {
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let first = bridge.open(&opening("s", None), &actor()).await.expect("created");
    assert!(first.created);
    let mut again = opening("s", None);
    again.metadata.insert("who".to_owned(), "me".to_owned());
    let second = bridge.open(&again, &actor()).await.expect("attached");
    assert!(!second.created && Arc::ptr_eq(&first.live, &second.live));
    assert_eq!(second.live.read().metadata["who"], "me");
    again.create_only = true;
    assert_eq!(
        bridge.open(&again, &actor()).await.expect_err("exists").kind(),
        Kind::SessionExists
    );
}

#[tokio::test(start_paused = true)]
async fn the_time_to_live_slides_and_is_exact() {
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let ttl = Duration::from_secs(10);
    session(&bridge, "s", Ttl::After(ttl)).await;
    tokio::time::advance(Duration::from_secs(9)).await;
    bridge.session("s").expect("alive, and touched");
    tokio::time::advance(ttl - Duration::from_millis(1)).await;
    assert!(bridge.peek("s").is_some(), "one millisecond is left");
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(
        bridge.session("s").expect_err("over").kind(),
        Kind::SessionNotFound
    );
    assert_eq!(
        bridge
            .session("s")
            .expect_err("a late look does not revive it")
            .kind(),
        Kind::SessionNotFound
    );
    assert_eq!(bridge.sweep().await, 1);
    assert!(
        bridge
            .open(&opening("s", None), &actor())
            .await
            .expect("a new one")
            .created
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_has_something_in_a_session_is_told_of_each_way_it_ends() {
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let told = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let seen = Arc::clone(&told);
    bridge.when_ended(move |id| seen.lock().push(id.as_str().to_owned()));
    let ttl = Ttl::After(Duration::from_secs(10));
    session(&bridge, "swept", ttl).await;
    session(&bridge, "reopened", ttl).await;
    let by_hand = session(&bridge, "by hand", Ttl::Never).await;
    bridge.end(&by_hand, "ended").await;
    bridge.end(&by_hand, "ended twice").await;
    tokio::time::advance(Duration::from_secs(10)).await;
    session(&bridge, "reopened", ttl).await;
    assert_eq!(bridge.sweep().await, 1);
    assert_eq!(*told.lock(), ["by hand", "reopened", "swept"]);
}

#[tokio::test(start_paused = true)]
async fn an_open_watch_keeps_its_session() {
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let live = session(&bridge, "s", Ttl::After(Duration::from_secs(10))).await;
    let (_, watch) = bridge
        .subscribe(&live, Selector::default(), Start::Snapshot, false)
        .expect("watched");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(bridge.peek("s").is_some());
    drop(watch);
    tokio::time::advance(Duration::from_secs(11)).await;
    assert!(bridge.peek("s").is_none());
}

#[tokio::test]
async fn a_session_that_ended_meanwhile_cannot_be_watched() {
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let live = session(&bridge, "s", Ttl::Never).await;
    bridge.end(&live, "ended").await;
    let refused = bridge.subscribe(&live, Selector::default(), Start::Snapshot, true);
    assert_eq!(
        refused.err().expect("nothing can follow").kind(),
        Kind::SessionNotFound
    );
}

#[tokio::test]
async fn a_new_incarnation_has_another_epoch_and_starts_at_revision_1() {
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let one = session(&bridge, "s", Ttl::Never).await;
    declare(&bridge, &one, "x", "1").await;
    bridge.end(&one, "ended").await;
    bridge.end(&one, "ended twice").await;
    let two = session(&bridge, "s", Ttl::Never).await;
    assert_ne!(one.epoch(), two.epoch());
    assert_eq!(two.read().revision, Revision(1));
    let stale = Start::After(Revision(2), Some(one.epoch()));
    let (_, mut watch) = bridge
        .subscribe(&two, Selector::default(), stale, true)
        .expect("watched");
    assert!(matches!(
        watch.next().await.expect("progress"),
        Progress::Resync { missed: 0, .. }
    ));
}

#[tokio::test]
async fn the_last_word_of_an_ended_session_reaches_its_watchers() {
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let live = session(&bridge, "s", Ttl::Never).await;
    let (_, mut watch) = bridge
        .subscribe(&live, Selector::default(), Start::Updates, true)
        .expect("watched");
    declare(&bridge, &live, "x", "1").await;
    bridge.end(&live, "by hand").await;
    let mut revisions = Vec::new();
    loop {
        match watch.next().await.expect("progress") {
            Progress::Commits(commits) => revisions.extend(commits.iter().map(|commit| commit.revision.0)),
            Progress::Closed(reason) => {
                assert_eq!(reason, "by hand");
                break;
            }
            Progress::Resync { .. } => panic!("nothing was missed"),
        }
    }
    assert_eq!(revisions.first(), Some(&2));
}

/// 100 writers count one variable up by compare-and-set: nothing is lost and nothing counted twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn compare_and_set_makes_an_exact_sum() {
    const WRITERS: u64 = 100;
    const EACH: u64 = 20;
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let live = session(&bridge, "s", Ttl::Never).await;
    declare(&bridge, &live, "sum", "0").await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (bridge, live) = (Arc::clone(&bridge), Arc::clone(&live));
            tokio::spawn(async move {
                let mut done = 0;
                while done < EACH {
                    let (now, version) = {
                        let state = live.read();
                        let sum = state.get("sum").expect("there");
                        (sum.value.as_f64().expect("a number"), sum.version)
                    };
                    match set(&bridge, &live, "sum", &format!("{}", now + 1.0), Some(version)).await {
                        Ok(_) => done += 1,
                        Err(error) => assert_eq!(error.kind(), Kind::VersionMismatch),
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer ends well");
    }
    assert_eq!(value(&live, "sum"), (WRITERS * EACH).to_string());
}

/// Watches opened while writers run: the snapshot and what follows it join without a gap or a repeat.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_snapshot_and_its_updates_join_exactly() {
    const WATCHES: usize = 2_000;
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let live = session(&bridge, "s", Ttl::Never).await;
    declare(&bridge, &live, "x", "0").await;
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writer = {
        let (bridge, live, stop) = (Arc::clone(&bridge), Arc::clone(&live), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut next = 1_u64;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                set(&bridge, &live, "x", &next.to_string(), None)
                    .await
                    .expect("written");
                next += 1;
                tokio::task::yield_now().await;
            }
        })
    };
    for _ in 0..WATCHES {
        let (snapshot, mut watch) = bridge
            .subscribe(&live, Selector::new(["x"]), Start::Snapshot, false)
            .expect("watched");
        let snapshot = snapshot.expect("asked for");
        let mut at = snapshot.revision;
        let mut version = snapshot.variables[0].version;
        let Progress::Commits(commits) = watch.next().await.expect("progress") else {
            panic!("only commits")
        };
        for commit in commits {
            assert_eq!(commit.revision, at.next());
            at = commit.revision;
            let Some(Event::ValueSet { new, .. }) = commit.events.first() else {
                panic!("only writes")
            };
            assert_eq!(new.version, version.next());
            version = new.version;
        }
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.await.expect("the writer ends well");
}

/// A reader who falls off the ring is caught up from the journal; past retention it is told.
#[tokio::test]
async fn a_laggard_is_caught_up_or_told() {
    for (kept, told) in [(1_000_000, false), (100, true)] {
        let bridge = Bridge::new(Arc::new(MemoryJournal::with_retention(kept)));
        let live = session(&bridge, "s", Ttl::Never).await;
        declare(&bridge, &live, "x", "0").await;
        let (_, mut watch) = bridge
            .subscribe(&live, Selector::default(), Start::Updates, true)
            .expect("watched");
        let writes = crate::watch::RING_COMMITS + 500;
        for number in 0..writes {
            set(&bridge, &live, "x", &number.to_string(), None)
                .await
                .expect("written");
        }
        let (mut seen, mut missed) = (0, 0);
        let mut at = Revision(2);
        while at < live.hub().tip() {
            match watch.next().await.expect("progress") {
                Progress::Commits(commits) => {
                    for commit in commits {
                        assert_eq!(commit.revision, at.next());
                        at = commit.revision;
                        seen += 1;
                    }
                }
                Progress::Resync {
                    missed: gone,
                    snapshot,
                    ..
                } => {
                    missed += gone;
                    at = snapshot.revision;
                }
                Progress::Closed(_) => panic!("nobody closed it"),
            }
        }
        assert_eq!(missed > 0, told);
        assert!(told || seen == writes);
    }
}
