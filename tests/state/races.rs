//! Many writers, repeated requests, and sessions beside each other.

use std::time::Duration;

use snakepit::error::Kind;

use crate::caller::{Caller, Served, any, kind, text};

const WRITERS: usize = 100;
const ROUNDS: usize = 3;

async fn add_one(caller: &Caller) {
    loop {
        let now = caller.get("sum").await.expect("the sum");
        let next = text(&now).parse::<i64>().expect("a number") + 1;
        let written = caller
            .set("sum", any("integer", &next.to_string()), |request| {
                request.expected_version64 = Some(now.version64);
            })
            .await;
        match written {
            Ok(made) => {
                assert_eq!(
                    made.version64,
                    now.version64 + 1,
                    "its own version, never a later one"
                );
                return;
            }
            Err(status) => assert_eq!(status.code(), tonic::Code::Aborted, "{status}"),
        }
    }
}

#[tokio::test]
async fn a_hundred_writers_with_compare_and_set_end_at_the_exact_sum() {
    let served = Served::new();
    let caller = served.caller("cas").await;
    caller
        .register("sum", any("integer", "0"), |_| {})
        .await
        .expect("registered");
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let caller = served.caller("cas").await;
        writers.spawn(async move {
            for _ in 0..ROUNDS {
                add_one(&caller).await;
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.expect("a writer ends well");
    }
    let sum = caller.get("sum").await.expect("the sum");
    assert_eq!(text(&sum), (WRITERS * ROUNDS).to_string());
    assert_eq!(sum.version64, (WRITERS * ROUNDS) as u64);
}

#[tokio::test]
async fn a_repeated_request_is_answered_and_not_done_again() {
    let served = Served::new();
    let caller = served.caller("repeat").await;
    let registered = caller
        .register("x", any("integer", "1"), |request| {
            request.request_id = "r".to_owned()
        })
        .await
        .expect("registered");
    let again = caller
        .register("x", any("integer", "1"), |request| {
            request.request_id = "r".to_owned()
        })
        .await
        .expect("the first answer, not ALREADY_EXISTS");
    assert_eq!(again, registered);
    let write = |id: &'static str, value: &'static str| {
        let caller = caller.clone();
        async move {
            caller
                .set("x", any("integer", value), |request| {
                    request.request_id = id.to_owned()
                })
                .await
        }
    };
    let first = write("w", "2").await.expect("written");
    assert_eq!(write("w", "2").await.expect("the first answer"), first);
    assert_eq!(kind(write("w", "3").await), Kind::BadRequest);
    assert_eq!(caller.get("x").await.expect("x").version64, 1);
    // A refusal is an answer as well.
    let refused = caller
        .set("x", any("integer", "5"), |request| {
            request.request_id = "cas".to_owned();
            request.expected_version64 = Some(0);
        })
        .await;
    assert_eq!(kind(refused), Kind::VersionMismatch);
    // Many at once: one does it.
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        callers.spawn(write("many", "7"));
    }
    let mut versions = Vec::new();
    while let Some(done) = callers.join_next().await {
        versions.push(done.expect("it ends").expect("answered").version64);
    }
    assert_eq!(versions, vec![2; 20]);
    assert_eq!(caller.get("x").await.expect("x").version64, 2);
}

#[tokio::test]
async fn opening_a_session_twice_under_one_id_is_one_opening() {
    let served = Served::new();
    let caller = served.caller("other").await;
    let open = |id: &'static str| {
        let caller = caller.clone();
        async move {
            caller
                .open("fresh", |request| {
                    request.create_only = true;
                    request.request_id = id.to_owned();
                })
                .await
        }
    };
    let first = open("a").await.expect("made");
    assert!(first.created);
    assert_eq!(open("a").await.expect("the first answer"), first);
    assert_eq!(kind(open("b").await), Kind::SessionExists);
}

#[tokio::test]
async fn sessions_with_the_same_names_never_see_each_other() {
    let served = Served::new();
    let one = served.caller("one").await;
    let two = served.caller("two").await;
    for (caller, value) in [(&one, "1"), (&two, "2")] {
        caller
            .register("x", any("integer", value), |_| {})
            .await
            .expect("registered");
    }
    let id = one.get("x").await.expect("x").id;
    assert_eq!(
        kind(two.get(&id).await),
        Kind::VariableNotFound,
        "an id of another session"
    );
    let mut writers = tokio::task::JoinSet::new();
    for (caller, step) in [(one.clone(), 1i64), (two.clone(), 1_000)] {
        writers.spawn(async move {
            for round in 0..200 {
                let value = (round * step).to_string();
                caller
                    .set("x", any("integer", &value), |_| {})
                    .await
                    .expect("written");
                assert_eq!(text(&caller.get("x").await.expect("x")), value);
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.expect("undisturbed");
    }
    two.delete("x").await.expect("deleted");
    assert_eq!(text(&one.get("x").await.expect("still there")), "199");
    assert_eq!(one.get("x").await.expect("x").version64, 200);
}

#[tokio::test]
async fn a_large_write_does_not_hold_up_small_ones() {
    let served = Served::new();
    let caller = served.caller("large").await;
    caller
        .register("small", any("integer", "0"), |_| {})
        .await
        .expect("registered");
    // Two million numbers as JSON: far longer to judge than a small write takes, in any build.
    let text: String = (0..2_000_000).map(|n: u32| format!(",{n}")).collect();
    let large = format!("[{}]", &text[1..]);
    caller
        .register("big", any("list", "[]"), |_| {})
        .await
        .expect("registered");
    let big = caller.clone();
    let writing = tokio::spawn(async move { big.set("big", any("list", &large), |_| {}).await });
    let (mut slowest, mut during) = (Duration::ZERO, 0);
    while !writing.is_finished() {
        let began = std::time::Instant::now();
        caller
            .set("small", any("integer", "1"), |_| {})
            .await
            .expect("written");
        slowest = slowest.max(began.elapsed());
        during += 1;
    }
    writing.await.expect("it ends").expect("written");
    println!("{during} small writes beside it, the slowest took {slowest:?}");
    assert!(during > 3, "small writes waited for the large one");
}
