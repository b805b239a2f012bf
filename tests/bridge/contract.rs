//! The contract over a raw connection: every method is answered, health and reflection are on, statuses explain
//! themselves.

use snakepit::proto::bridge as pb;
use tonic::codec::Streaming;
use tonic::{Code, Request, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::support::World;
use crate::wire::{any, channel, client, info, register, session, set};

/// Methods that this release does not serve, each until its issue.
const LATER: &[&str] = &[
    "AddDependency",
    "StartOptimization",
    "StopOptimization",
    "GetVariableHistory",
    "RollbackVariable",
    "AttachCall",
];

/// Methods that the bridge speaks to workers and does not serve itself.
const WORKERS_ONLY: &[&str] = &["Dispatch", "Handshake"];

/// Every method of the two tables: name, and whether it answers with a stream.
fn methods() -> Vec<(&'static str, bool)> {
    let tables = [
        include_str!("../data/bridge_contract.tsv"),
        include_str!("../data/additions.tsv"),
    ];
    tables
        .iter()
        .flat_map(|table| table.lines())
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|row| row[0] == "method" && row[1] == "BridgeService")
        .map(|row| (row[2], row[5] != "unary"))
        .collect()
}

/// Calls a method with an empty message, whatever its types: every field has its default.
async fn call_empty(channel: tonic::transport::Channel, method: &str, streams: bool) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let path = http::uri::PathAndQuery::try_from(format!("/snakepit.bridge.BridgeService/{method}")).unwrap();
    // The unit is an empty message that skips every field of an answer.
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    if streams {
        let reply = grpc.server_streaming(Request::new(()), path, codec).await?;
        let mut chunks: Streaming<()> = reply.into_inner();
        chunks.message().await.map(drop)
    } else {
        grpc.unary(Request::new(()), path, codec).await.map(drop)
    }
}

#[tokio::test]
async fn every_method_of_the_contract_is_answered_and_none_pretends() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    let channel = channel(&world).await;
    let methods = methods();
    assert_eq!(methods.len(), 27, "{methods:?}");
    for (method, streams) in methods {
        let answer = call_empty(channel.clone(), method, streams).await;
        let told = format!("{method}: {answer:?}");
        match answer {
            Ok(()) => assert!(
                [
                    "Ping",
                    "Heartbeat",
                    "GetExposedElixirTools",
                    "CleanupSession",
                    "CancelCall"
                ]
                .contains(&method),
                "{told}"
            ),
            Err(status) if LATER.contains(&method) => {
                assert_eq!(status.code(), Code::Unimplemented, "{told}");
                assert!(status.message().contains("not served by this release"), "{told}");
                assert_eq!(info(&status).0, "E0808");
            }
            Err(status) if WORKERS_ONLY.contains(&method) => {
                assert_eq!(status.code(), Code::Unimplemented, "{told}");
            }
            Err(status) => {
                assert!(
                    matches!(
                        status.code(),
                        Code::NotFound | Code::InvalidArgument | Code::FailedPrecondition
                    ),
                    "{told}"
                );
                info(&status);
            }
        }
    }
    let status = call_empty(channel, "NoSuchMethod", false).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn health_is_serving_and_reflection_lists_both_services() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    let channel = channel(&world).await;
    let health = HealthClient::new(channel.clone())
        .check(HealthCheckRequest::default())
        .await
        .unwrap();
    assert_eq!(health.into_inner().status(), ServingStatus::Serving);

    let ask = |message| ServerReflectionRequest {
        message_request: Some(message),
        ..Default::default()
    };
    let questions = tokio_stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(
            "snakepit.bridge.BridgeService".into(),
        )),
    ]);
    let mut answers = ServerReflectionClient::new(channel)
        .server_reflection_info(questions)
        .await
        .unwrap()
        .into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("no list");
    };
    let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
    for name in [
        "snakepit.bridge.BridgeService",
        "snakepit.admin.AdminService",
        "grpc.health.v1.Health",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let file = answers.message().await.unwrap().unwrap().message_response;
    assert!(
        matches!(&file, Some(MessageResponse::FileDescriptorResponse(files)) if !files.file_descriptor_proto.is_empty()),
        "{file:?}"
    );
}

#[tokio::test]
async fn statuses_carry_the_stable_code_and_old_clients_words() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    let mut bridge = client(&world).await;
    session(&mut bridge, "s").await;
    let request = pb::RegisterVariableRequest {
        session_id: "s".into(),
        name: "rate".into(),
        r#type: "float".into(),
        initial_value: Some(any("float", "0.5")),
        constraints_json: r#"{"min": 0, "max": 1}"#.into(),
        ..Default::default()
    };
    bridge.register_variable(request.clone()).await.unwrap();

    let status = bridge.register_variable(request).await.unwrap_err();
    assert_eq!(
        (status.code(), info(&status).0.as_str()),
        (Code::AlreadyExists, "E0202")
    );
    let get = |session: &str, name: &str| pb::GetVariableRequest {
        session_id: session.into(),
        variable_identifier: name.into(),
        ..Default::default()
    };
    let status = bridge.get_variable(get("s", "rat")).await.unwrap_err();
    assert_eq!(
        (status.code(), info(&status).0.as_str()),
        (Code::NotFound, "E0201")
    );
    assert!(status.message().contains("not found"), "{status:?}");
    let status = bridge.get_variable(get("t", "rate")).await.unwrap_err();
    assert_eq!(
        (status.code(), info(&status).0.as_str()),
        (Code::NotFound, "E0101")
    );
    assert!(status.message().contains("not found"), "{status:?}");

    let set = |value: &str, expected: Option<i32>| pb::SetVariableRequest {
        session_id: "s".into(),
        variable_identifier: "rate".into(),
        value: Some(any("float", value)),
        expected_version: expected,
        ..Default::default()
    };
    let status = bridge.set_variable(set("3", None)).await.unwrap_err();
    assert_eq!(
        (status.code(), info(&status).0.as_str()),
        (Code::InvalidArgument, "E0301")
    );
    assert!(status.message().contains("above maximum"), "{status:?}");
    let status = bridge.set_variable(set("\"x\"", None)).await.unwrap_err();
    assert_eq!(
        (status.code(), info(&status).0.as_str()),
        (Code::InvalidArgument, "E0302")
    );
    let status = bridge.set_variable(set("0.6", Some(7))).await.unwrap_err();
    assert_eq!(
        (status.code(), info(&status).0.as_str()),
        (Code::Aborted, "E0401")
    );
    assert!(
        status
            .message()
            .contains("version_mismatch: expected 7, current 0"),
        "{status:?}"
    );

    let call = pb::ExecuteToolRequest {
        session_id: "s".into(),
        tool_name: "nothing".into(),
        ..Default::default()
    };
    let status = bridge.execute_tool(call).await.unwrap_err();
    let (code, parts) = info(&status);
    assert_eq!((status.code(), code.as_str()), (Code::NotFound, "E0601"));
    assert_eq!(parts.get("outcome").map(String::as_str), Some("NEVER_STARTED"));
    let later = pb::ExecuteToolRequest {
        session_id: "s".into(),
        tool_name: "host_time".into(),
        idempotency_key: "k".into(),
        ..Default::default()
    };
    let status = bridge.execute_tool(later).await.unwrap_err();
    assert_eq!(
        status.code(),
        Code::Unimplemented,
        "a field of a later issue: {status:?}"
    );
}

#[tokio::test]
async fn an_atomic_batch_is_one_revision_or_nothing() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    let mut bridge = client(&world).await;
    session(&mut bridge, "s").await;
    register(&mut bridge, "s", "a", 1.0).await;
    let before = register(&mut bridge, "s", "b", 1.0).await;
    let batch = |a: &str, b: &str| pb::BatchSetVariablesRequest {
        session_id: "s".into(),
        updates: [
            ("a".to_owned(), any("float", a)),
            ("b".to_owned(), any("float", b)),
        ]
        .into(),
        atomic: true,
        ..Default::default()
    };
    let reply = bridge
        .set_variables(batch("2", "\"x\""))
        .await
        .unwrap()
        .into_inner();
    assert!(!reply.success && reply.errors.contains_key("b"), "{reply:?}");
    assert_eq!(reply.error_codes.get("b").map(String::as_str), Some("E0302"));
    let reply = bridge.set_variables(batch("2", "3")).await.unwrap().into_inner();
    assert!(reply.success, "{reply:?}");
    assert_eq!(reply.revision, before + 1, "the refused one took no revision");
    assert_eq!(set(&mut bridge, "s", "a", 5.0).await, before + 2);
}

#[tokio::test]
async fn a_streaming_tool_called_unary_is_refused_with_the_way_out() {
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.foreground(&["--worker", "kit.py"]);
    let mut bridge = client(&world).await;
    let call = |tool: &str| pb::ExecuteToolRequest {
        session_id: "default".into(),
        tool_name: tool.into(),
        ..Default::default()
    };
    let status = bridge.execute_tool(call("breaks")).await.unwrap_err();
    let (code, parts) = info(&status);
    assert_eq!(
        (status.code(), code.as_str()),
        (Code::FailedPrecondition, "E0605")
    );
    assert!(parts["hints"].contains("ExecuteStreamingTool"), "{parts:?}");

    // A unary tool called as a stream: one final chunk.
    let mut chunks = bridge
        .execute_streaming_tool(call("pid"))
        .await
        .unwrap()
        .into_inner();
    let only = chunks.message().await.unwrap().unwrap();
    assert!(only.is_final && only.seq == 1, "{only:?}");
    assert!(chunks.message().await.unwrap().is_none());

    // One that raises in the middle: chunks first, then a status that says so.
    let mut chunks = bridge
        .execute_streaming_tool(call("breaks"))
        .await
        .unwrap()
        .into_inner();
    for seq in [1, 2] {
        let chunk = chunks.message().await.unwrap().unwrap();
        assert_eq!((chunk.seq, chunk.is_final), (seq, false));
    }
    let status = chunks.message().await.unwrap_err();
    let (code, parts) = info(&status);
    assert_eq!((status.code(), code.as_str()), (Code::Unknown, "E0602"));
    assert_eq!(parts.get("reason").map(String::as_str), Some("TOOL_FAILED"));
    assert_eq!(parts.get("outcome").map(String::as_str), Some("MAY_HAVE_RUN"));
}

#[tokio::test]
async fn a_registration_by_a_worker_that_nobody_runs_is_refused() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    let mut bridge = client(&world).await;
    let request = pb::RegisterToolsRequest {
        session_id: "default".into(),
        worker_id: "python-1".into(),
        tools: vec![pb::ToolRegistration {
            name: "x".into(),
            ..Default::default()
        }],
    };
    let status = bridge.register_tools(request).await.unwrap_err();
    assert_eq!(
        (status.code(), info(&status).0.as_str()),
        (Code::FailedPrecondition, "E0708")
    );
}

#[tokio::test]
async fn tcp_on_loopback_serves_the_same_when_it_was_said_aloud() {
    let world = World::new();
    let bridge = world.foreground(&["--listen", "127.0.0.1:0", "--no-auth"]);
    let address = bridge
        .out
        .text()
        .split_whitespace()
        .find(|word| word.starts_with("127.0.0.1:"))
        .expect("a port")
        .to_owned();
    world.run("var register x 7");
    let run = world.run(&format!("--address {address} var get x"));
    assert_eq!(run.out, "7\n", "{}", run.err);
}

#[tokio::test]
async fn a_condition_on_what_a_batch_does_not_write_is_refused() {
    let world = World::new();
    let _server = world.serve(&[]);
    let mut bridge = client(&world).await;
    session(&mut bridge, "s").await;
    register(&mut bridge, "s", "a", 1.0).await;
    let batch = pb::BatchSetVariablesRequest {
        session_id: "s".into(),
        updates: [("a".to_owned(), any("float", "2.0"))].into(),
        // By another name than the update: a condition that was not met.
        expected_versions: [("var_a_1".to_owned(), 7)].into(),
        atomic: true,
        ..Default::default()
    };
    let status = bridge.set_variables(batch).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument, "{status}");
}
