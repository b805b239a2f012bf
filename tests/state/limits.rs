//! Each limit at one below, at it, and at one above.

use prost::Message as _;
use snakepit::error::Kind;
use snakepit::proto::bridge as pb;
use snakepit::server::MAX_MESSAGE_BYTES;
use snakepit::session::{MAX_BATCH, MAX_CHECKPOINTS, MAX_SESSION_BYTES, MAX_VALUE_BYTES, MAX_VARIABLES};

use crate::caller::{Caller, Served, any, binary, kind};

/// Requests under way at once.
const PIPELINE: usize = 64;

async fn fill(caller: &Caller, from: usize, to: usize) {
    let mut running = tokio::task::JoinSet::new();
    for number in from..to {
        if running.len() >= PIPELINE {
            running.join_next().await.expect("one runs").expect("it ends");
        }
        let caller = caller.clone();
        running.spawn(async move {
            let name = format!("v{number}");
            caller
                .register(&name, any("integer", "1"), |_| {})
                .await
                .expect("within the limit");
        });
    }
    while let Some(done) = running.join_next().await {
        done.expect("it ends");
    }
}

#[tokio::test]
async fn variables_a_session_and_variables_a_batch() {
    let served = Served::new();
    let caller = served.caller("many").await;
    fill(&caller, 0, MAX_VARIABLES - 1).await;
    caller
        .register("last", any("integer", "1"), |_| {})
        .await
        .expect("at the limit");
    let above = caller.register("above", any("integer", "1"), |_| {}).await;
    assert_eq!(kind(above), Kind::LimitExceeded);
    assert_eq!(caller.list("").await.len(), MAX_VARIABLES);
    caller.delete("last").await.expect("deleted");
    caller
        .register("above", any("integer", "1"), |_| {})
        .await
        .expect("there is room again");

    let values = |count: usize| (0..count).map(|number| (format!("v{number}"), any("integer", "2")));
    for count in [MAX_BATCH - 1, MAX_BATCH] {
        let written = caller.set_all(true, values(count), []).await.expect("a batch");
        assert!(written.success, "{:?}", written.errors);
        assert_eq!(written.new_versions64.len(), count);
    }
    assert_eq!(
        kind(caller.set_all(true, values(MAX_BATCH + 1), []).await),
        Kind::LimitExceeded
    );
    assert_eq!(
        kind(caller.set_all(false, values(MAX_BATCH + 1), []).await),
        Kind::LimitExceeded
    );
    for (count, fits) in [(MAX_BATCH - 1, true), (MAX_BATCH, true), (MAX_BATCH + 1, false)] {
        let request = pb::BatchGetVariablesRequest {
            session_id: caller.session.clone(),
            variable_identifiers: (0..count).map(|number| format!("v{number}")).collect(),
            ..Default::default()
        };
        match caller.bridge.clone().get_variables(request).await {
            Ok(reply) => assert_eq!((reply.into_inner().variables.len(), fits), (count, true)),
            refused => assert_eq!((kind(refused), fits), (Kind::LimitExceeded, false)),
        }
    }
}

#[tokio::test]
async fn lengths_of_names_and_depth_of_values() {
    let served = Served::new();
    let caller = served.caller("names").await;
    for (length, fits) in [(254, true), (255, true), (256, false)] {
        let name = "n".repeat(length);
        let made = caller.register(&name, any("integer", "1"), |_| {}).await;
        assert_eq!(made.is_ok(), fits, "a name of {length} bytes");
        assert_eq!(
            caller.open(&"s".repeat(length), |_| {}).await.is_ok(),
            fits,
            "a session of {length}"
        );
    }
    for (depth, fits) in [(63, true), (64, true), (65, false)] {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let made = caller
            .register(&format!("d{depth}"), any("list", &text), |_| {})
            .await;
        assert_eq!(made.is_ok(), fits, "a list {depth} deep");
    }
}

#[tokio::test]
async fn bytes_of_a_message() {
    let served = Served::new();
    let caller = served.caller("message").await;
    let ping = |length: usize| pb::HeartbeatRequest {
        session_id: "x".repeat(length),
        client_time: None,
    };
    let around = ping(MAX_MESSAGE_BYTES).encoded_len() - MAX_MESSAGE_BYTES;
    for (length, fits) in [
        (MAX_MESSAGE_BYTES - 1, true),
        (MAX_MESSAGE_BYTES, true),
        (MAX_MESSAGE_BYTES + 1, false),
    ] {
        let request = ping(length - around);
        assert_eq!(request.encoded_len(), length);
        let answered = caller.bridge.clone().heartbeat(request).await;
        assert_eq!(answered.is_ok(), fits, "{length} bytes: {:?}", answered.err());
    }
}

#[tokio::test]
async fn bytes_of_a_value_and_of_a_session() {
    let served = Served::new();
    let caller = served.caller("bytes").await;
    let put = async |name: &str, bytes: usize| {
        let header =
            format!(r#"{{"shape":[{bytes}],"dtype":"uint8","binary_format":"raw","type":"tensor"}}"#);
        let around = header.len();
        let payload = bytes - around;
        let header = header.replace(&format!("[{bytes}]"), &format!("[{payload}]"));
        assert_eq!(
            header.len(),
            around,
            "the header has its length whatever the shape"
        );
        caller
            .register(name, binary("tensor", &header), |request| {
                request.initial_binary_value = vec![1; payload].into();
            })
            .await
    };
    put("below", MAX_VALUE_BYTES - 1).await.expect("below");
    put("at", MAX_VALUE_BYTES).await.expect("at the limit");
    assert_eq!(kind(put("above", MAX_VALUE_BYTES + 1).await), Kind::LimitExceeded);
    let back = caller.get("at").await.expect("what was written can be read");
    assert!(back.binary_value.len() > MAX_VALUE_BYTES - 1_000);
    let mut plain = caller.clone();
    plain.raw = false;
    assert_eq!(
        kind(plain.get("at").await),
        Kind::MessageTooLarge,
        "as JSON it is longer"
    );

    put("third", MAX_VALUE_BYTES).await.expect("three of them");
    put("fourth", MAX_VALUE_BYTES).await.expect("four of them");
    let mut admin = caller.admin.clone();
    let sessions = admin.list_sessions(snakepit::proto::admin::ListSessionsRequest {});
    let sessions = sessions.await.expect("sessions").into_inner().sessions;
    let held = sessions
        .iter()
        .find(|session| session.session_id == "bytes")
        .expect("it")
        .bytes;
    let left = MAX_SESSION_BYTES - usize::try_from(held).expect("a size");
    // A string counts its JSON text, two quotes more than itself, and `{}` of constraints.
    let text = |length: usize| any("string", &format!("\"{}\"", "x".repeat(length - 4)));
    assert_eq!(
        kind(caller.register("s", text(left + 1), |_| {}).await),
        Kind::LimitExceeded
    );
    caller
        .register("s", text(left - 1), |_| {})
        .await
        .expect("one below");
    caller.set("s", text(left), |_| {}).await.expect("at the limit");
    assert_eq!(
        kind(caller.set("s", text(left + 1), |_| {}).await),
        Kind::LimitExceeded
    );
    caller.delete("third").await.expect("deleted");
    caller
        .set("s", text(left + 1), |_| {})
        .await
        .expect("there is room again");
}

#[tokio::test]
async fn checkpoints_a_session() {
    let served = Served::new();
    let caller = served.caller("kept").await;
    let keep = async |number: usize| {
        let request = snakepit::proto::admin::CreateCheckpointRequest {
            session_id: caller.session.clone(),
            name: format!("c{number}"),
        };
        caller.admin.clone().create_checkpoint(request).await
    };
    for number in 0..MAX_CHECKPOINTS {
        keep(number).await.expect("within the limit");
    }
    assert_eq!(kind(keep(MAX_CHECKPOINTS).await), Kind::LimitExceeded);
    assert_eq!(kind(keep(0).await), Kind::CheckpointExists);
}
