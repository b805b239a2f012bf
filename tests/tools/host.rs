//! Host tools: real programs, declared in a real file.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use snakepit::error::{Error, Kind, Outcome};
use snakepit::proto::bridge::{ExecuteElixirToolRequest, ExecuteToolRequest, ToolRegistration};
use snakepit::tools::{HostTools, Limits, Origin, Tools};
use tokio_stream::StreamExt as _;

use crate::peer::json;

fn declared(text: &str) -> (Tools, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let host = HostTools::from_config(text, &directory.path().join("snakepit.toml")).unwrap();
    (Tools::new(host, Limits::default()), directory)
}

fn request(tool: &str, parameters: &[(&str, &str)]) -> ExecuteToolRequest {
    ExecuteToolRequest {
        tool_name: tool.into(),
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json(value)))
            .collect(),
        ..Default::default()
    }
}

async fn value(tools: &Tools, request: ExecuteToolRequest) -> (String, String) {
    let response = tools.call(request, Origin::default()).await.unwrap();
    assert!(response.success, "{response:?}");
    let result = response.result.unwrap();
    (
        result.type_url.rsplit('.').next().unwrap().to_owned(),
        String::from_utf8(result.value.to_vec()).unwrap(),
    )
}

/// Waits until no process has the mark in its arguments.
async fn gone(mark: &str) {
    for _ in 0..2000 {
        let alive = std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            std::fs::read(entry.path().join("cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark))
        });
        if !alive {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("a process with `{mark}` is alive");
}

#[tokio::test]
async fn a_command_gets_json_on_stdin_and_answers_json_or_text() {
    let (tools, _directory) = declared(
        "[host_tools.same]\ncommand = ['cat']\nparameters = { text = 'str', n = 'int' }\n\
         [host_tools.words]\ncommand = ['sh', '-c', 'wc -w']\nparameters = { text = 'str' }\noutput = 'text'",
    );
    let given = request("same", &[("text", "\"a b\""), ("n", "3")]);
    assert_eq!(
        value(&tools, given).await,
        ("map".into(), "{\"n\":3,\"text\":\"a b\"}".into())
    );
    let (kind, words) = value(&tools, request("words", &[("text", "\"a b\"")])).await;
    assert_eq!(
        (kind.as_str(), words.trim_matches(|c: char| !c.is_ascii_digit())),
        ("string", "2")
    );
}

#[tokio::test]
async fn arguments_are_filled_without_a_shell() {
    let (tools, directory) = declared(
        "[host_tools.say]\ncommand = ['printf', '%s|', '{text}', '{n}']\ninput = 'args'\n\
         parameters = { text = 'str', n = { type = 'int', required = false } }",
    );
    let given = request("say", &[("text", "\"$(touch pwned); `x` a  b\"")]);
    assert_eq!(
        value(&tools, given).await,
        ("string".into(), "\"$(touch pwned); `x` a  b||\"".into())
    );
    assert!(!directory.path().join("pwned").exists());
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_all_it_started() {
    let (tools, _directory) = declared(
        "[host_tools.slow]\ncommand = ['sh', '-c', 'sleep 71.371 & sleep 71.371']\ntimeout = '100ms'",
    );
    let error = tools
        .call(request("slow", &[]), Origin::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.known_outcome()),
        (Kind::DeadlineExceeded, Some(Outcome::MayHaveRun))
    );
    gone("71.371").await;
    assert_eq!(tools.counters().running, 0);
}

#[tokio::test]
async fn a_call_does_not_wait_for_what_a_command_leaves_in_the_background() {
    let (tools, _directory) =
        declared("[host_tools.leaves]\ncommand = ['sh', '-c', 'sleep 73.373 & echo 1']\ntimeout = '60s'");
    let ended = tokio::time::timeout(Duration::from_secs(10), value(&tools, request("leaves", &[]))).await;
    assert_eq!(ended.unwrap(), ("integer".into(), "1".into()));
    gone("73.373").await;
}

#[tokio::test]
async fn output_over_the_limit_ends_the_command() {
    let (tools, _directory) = declared(
        "[host_tools.fits]\ncommand = ['head', '-c', '1024', '/dev/zero']\noutput = 'text'\nmax_output = 1024\n\
         [host_tools.over]\ncommand = ['head', '-c', '1025', '/dev/zero']\noutput = 'text'\nmax_output = 1024\n\
         [host_tools.floods]\ncommand = ['sh', '-c', 'trap \"\" PIPE; while :; do echo 75.375; done']",
    );
    assert_eq!(value(&tools, request("fits", &[])).await.0, "string");
    for name in ["over", "floods"] {
        let error = tools
            .call(request(name, &[]), Origin::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::LimitExceeded, "{name}: {error}");
    }
    gone("75.375").await;
}

#[tokio::test]
async fn a_command_that_fails_is_a_failed_tool_with_its_stderr() {
    let (tools, _directory) =
        declared("[host_tools.broken]\ncommand = ['sh', '-c', 'echo no disk >&2; exit 3']");
    let response = tools
        .call(request("broken", &[]), Origin::default())
        .await
        .unwrap();
    assert!(!response.success);
    assert_eq!(
        response.error_message,
        "command of `broken` ended with exit status: 3"
    );
    assert_eq!(response.failure.unwrap().traceback, "no disk");
}

#[tokio::test]
async fn cancel_kills_the_command() {
    let (tools, _directory) = declared("[host_tools.slow]\ncommand = ['sleep', '77.377']");
    let call = tokio::spawn({
        let tools = tools.clone();
        let named = ExecuteToolRequest {
            call_id: "mine".into(),
            ..request("slow", &[])
        };
        async move { tools.call(named, Origin::default()).await }
    });
    while !tools.cancel("mine", "enough").accepted {
        tokio::task::yield_now().await;
    }
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.details()),
        (Kind::CallCancelled, &["enough".to_owned()][..])
    );
    gone("77.377").await;
}

#[tokio::test]
async fn old_clients_get_raw_json_under_a_string_and_the_time_twice() {
    let (tools, _directory) = declared("[host_tools.same]\ncommand = ['cat']\nparameters = { n = 'int' }");
    let call = |tool: &str| ExecuteElixirToolRequest {
        tool_name: tool.into(),
        parameters: HashMap::from([("n".to_owned(), json("3"))]),
        ..Default::default()
    };
    let response = tools.call_host(call("same"), Origin::default()).await.unwrap();
    let result = response.result.unwrap();
    assert_eq!(result.type_url, "type.googleapis.com/google.protobuf.StringValue");
    assert_eq!(&*result.value, b"{\"n\":3}");
    let millis = response.execution_time_ms.to_string();
    assert_eq!(response.metadata["execution_time"], millis);
    assert_eq!(response.metadata["execution_time_ms"], millis);
    let error = tools
        .call_host(call("sane"), Origin::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.hints()),
        (Kind::ToolNotFound, &["did you mean `same`?".to_owned()][..])
    );
}

#[tokio::test]
async fn host_tools_are_checked_listed_and_streamed_like_any_other() {
    let (tools, _directory) = declared("[host_tools.same]\ncommand = ['cat']\nparameters = { n = 'int' }");
    let error = tools
        .call(request("same", &[("n", "\"x\"")]), Origin::default())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.details().len()), (Kind::BadParameters, 1));
    let kinds: Vec<_> = tools
        .list(None)
        .into_iter()
        .map(|tool| (tool.name, tool.kind))
        .collect();
    let host = |name: &str| (name.to_owned(), "host".to_owned());
    assert_eq!(kinds, [host("host_info"), host("host_time"), host("same")]);
    let stream = tools
        .stream(request("same", &[("n", "4")]), Origin::default())
        .await
        .unwrap();
    let chunks: Vec<_> = stream.collect().await;
    let chunk = chunks[0].as_ref().unwrap();
    assert!(chunks.len() == 1 && chunk.is_final && chunk.data.as_ref() == b"{\"n\":4}");
}

#[tokio::test]
async fn an_embedding_program_adds_functions() {
    let mut host = HostTools::empty();
    let double = ToolRegistration {
        name: "double".into(),
        accepts_extra: true,
        ..Default::default()
    };
    let function = |given: serde_json::Value, _| -> snakepit::tools::host::HostFuture {
        Box::pin(async move {
            let n = given["n"]
                .as_i64()
                .ok_or_else(|| Error::new(Kind::ToolFailed, "n is missing"))?;
            Ok(serde_json::json!(2 * n))
        })
    };
    host.add(double.clone(), std::sync::Arc::new(function)).unwrap();
    assert_eq!(
        host.add(double, std::sync::Arc::new(function))
            .unwrap_err()
            .kind(),
        Kind::Config
    );
    let tools = Tools::new(host, Limits::default());
    assert_eq!(
        value(&tools, request("double", &[("n", "21")])).await,
        ("integer".into(), "42".into())
    );
    let response = tools
        .call(request("double", &[]), Origin::default())
        .await
        .unwrap();
    assert_eq!(
        (response.success, response.error_message.as_str()),
        (false, "n is missing")
    );
}

#[test]
fn a_wrong_file_is_refused_when_the_bridge_starts() {
    let refused = |text: &str| {
        HostTools::from_config(text, Path::new("snakepit.toml"))
            .err()
            .unwrap()
    };
    let twice = refused("[host_tools.host_time]\ncommand = ['date']");
    assert_eq!(
        (twice.kind(), twice.message()),
        (Kind::Config, "there are two host tools `host_time`")
    );
    assert_eq!(
        refused("[host_tools.'a.b']\ncommand = ['date']").kind(),
        Kind::Config
    );
}
