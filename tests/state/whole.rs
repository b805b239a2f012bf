//! Forks, checkpoints, files, and what watches see of a session that goes back.

use bytes::Bytes;
use snakepit::error::Kind;
use snakepit::proto::{admin, bridge as pb};

use crate::caller::{Caller, Served, any, binary, kind, text};

async fn export(caller: &Caller) -> Vec<u8> {
    let request = admin::ExportSessionRequest {
        session_id: caller.session.clone(),
        ..Default::default()
    };
    let mut chunks = caller
        .admin
        .clone()
        .export_session(request)
        .await
        .expect("exported")
        .into_inner();
    let mut file = Vec::new();
    while let Some(chunk) = chunks.message().await.expect("a part") {
        assert!(chunk.data.len() <= 1024 * 1024, "chunks are bounded");
        file.extend_from_slice(&chunk.data);
    }
    file
}

async fn import(
    caller: &Caller,
    to: &str,
    file: &[u8],
    part: usize,
) -> Result<admin::ImportSessionResponse, tonic::Status> {
    let mut chunks = vec![admin::ImportChunk {
        target: Some(admin::ImportTarget {
            session_id: to.to_owned(),
            ttl_seconds: 0,
        }),
        data: Bytes::new(),
    }];
    chunks.extend(file.chunks(part).map(|data| admin::ImportChunk {
        target: None,
        data: Bytes::copy_from_slice(data),
    }));
    let reply = caller
        .admin
        .clone()
        .import_session(tokio_stream::iter(chunks))
        .await?;
    Ok(reply.into_inner())
}

async fn of_every_kind(caller: &Caller) {
    for (ty, json) in [
        ("float", "\"NaN\""),
        ("integer", "123456789012345678901234567890"),
        ("string", "\"two\\nlines \u{1f40d}\""),
        ("boolean", "true"),
        ("choice", "\"a\""),
        ("module", "\"os.path\""),
        ("embedding", "[0.5,-1.0]"),
        ("map", "{\"z\":1,\"a\":[null]}"),
        ("list", "[1,2.5]"),
    ] {
        caller
            .register(ty, any(ty, json), |_| {})
            .await
            .expect("registered");
    }
    let payload: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    let header = r#"{"shape":[3000000],"dtype":"uint8","binary_format":"raw","type":"tensor"}"#;
    caller
        .register("tensor", binary("tensor", header), |request| {
            request.initial_binary_value = payload.into();
            request.constraints_json = r#"{"min":0,"max":255}"#.to_owned();
        })
        .await
        .expect("registered");
    caller
        .set("boolean", any("boolean", "false"), |request| {
            request.metadata.insert("source".to_owned(), "python".to_owned());
            request.metadata.insert("why".to_owned(), "because".to_owned());
        })
        .await
        .expect("written");
}

/// What has to survive a file: everything but the id and the revision.
fn essence(variable: &pb::Variable) -> pb::Variable {
    pb::Variable {
        id: String::new(),
        revision: 0,
        ..variable.clone()
    }
}

#[tokio::test]
async fn what_is_exported_comes_back_whole_however_it_is_cut() {
    let served = Served::new();
    let caller = served.caller("src").await;
    of_every_kind(&caller).await;
    let file = export(&caller).await;
    let wanted: Vec<_> = caller.list("").await.iter().map(essence).collect();
    assert_eq!(wanted.len(), 10);
    for part in [701, 64 * 1024, 1024 * 1024] {
        let to = format!("copy{part}");
        let made = import(&caller, &to, &file, part).await.expect("imported");
        assert_eq!((made.variables, made.revision), (10, 1));
        let copy = caller.at(&to);
        let seen: Vec<_> = copy.list("").await.iter().map(essence).collect();
        assert_eq!(seen, wanted);
        let ids: Vec<_> = copy
            .list("")
            .await
            .iter()
            .map(|variable| variable.id.clone())
            .collect();
        assert!(
            caller
                .list("")
                .await
                .iter()
                .all(|variable| !ids.contains(&variable.id))
        );
    }
    assert_eq!(
        kind(import(&caller, "src", &file, 4096).await),
        Kind::SessionExists
    );
}

#[tokio::test]
async fn a_broken_file_makes_nothing_and_says_which_line() {
    let served = Served::new();
    let caller = served.caller("src").await;
    caller
        .register("a", any("integer", "1"), |_| {})
        .await
        .expect("registered");
    caller
        .register("b", any("float", "0.5"), |request| {
            request.constraints_json = r#"{"max":1}"#.to_owned()
        })
        .await
        .expect("registered");
    let file = String::from_utf8(export(&caller).await).expect("UTF-8");
    let lines: Vec<&str> = file.lines().collect();
    let broken = [
        ("", Kind::BadExport, "line 1"),
        ("not json\n", Kind::BadExport, "line 1"),
        (&lines[..2].join("\n"), Kind::BadExport, "cut off"),
        (&file[..file.len() - 20], Kind::BadExport, "line 3"),
        (
            &file.replace("\"version\":1,\"session\"", "\"version\":99,\"session\""),
            Kind::BadExport,
            "99",
        ),
        (
            &file.replace("snakepit-session", "other"),
            Kind::BadExport,
            "other",
        ),
        (
            &file.replace("\"name\":\"b\"", "\"name\":\"a\""),
            Kind::BadExport,
            "twice",
        ),
        (
            &file.replace("\"name\":\"b\"", "\"name\":\"b c\""),
            Kind::VariableName,
            "line 3",
        ),
        (
            &file.replace("\"value\":0.5", "\"value\":1.5"),
            Kind::ConstraintViolated,
            "above maximum",
        ),
        (
            &file.replace("\"value\":0.5", "\"value\":\"x\""),
            Kind::WrongType,
            "line 3",
        ),
        (
            &file.replace("\"max\":1", "\"mux\":1"),
            Kind::BadConstraint,
            "mux",
        ),
        (&format!("{file}{}\n", lines[1]), Kind::BadExport, "more lines"),
    ];
    for (text, why, told) in broken {
        let status = import(&caller, "copy", text.as_bytes(), 50)
            .await
            .expect_err(told);
        assert!(status.message().contains(told), "{told}: {}", status.message());
        assert_eq!(kind::<()>(Err(status)), why, "{told}");
        let request = pb::GetSessionRequest {
            session_id: "copy".to_owned(),
        };
        assert_eq!(
            kind(caller.bridge.clone().get_session(request).await),
            Kind::SessionNotFound
        );
    }
}

#[tokio::test]
async fn a_watch_of_a_session_that_goes_back_is_told_and_goes_on() {
    let served = Served::new();
    let caller = served.caller("back").await;
    caller
        .register("x", any("integer", "1"), |_| {})
        .await
        .expect("registered");
    let name = "before".to_owned();
    let session_id = caller.session.clone();
    let keep = admin::CreateCheckpointRequest {
        session_id: session_id.clone(),
        name: name.clone(),
    };
    caller.admin.clone().create_checkpoint(keep).await.expect("kept");
    caller
        .set("x", any("integer", "2"), |_| {})
        .await
        .expect("written");
    caller
        .register("y", any("integer", "3"), |_| {})
        .await
        .expect("registered");
    let watch = |after: Option<(u64, u64)>| pb::WatchVariablesRequest {
        session_id: session_id.clone(),
        include_initial_values: true,
        extended: true,
        after_revision: after.map(|(revision, _)| revision),
        epoch: after.map_or(0, |(_, epoch)| epoch),
        ..Default::default()
    };
    let mut updates = caller
        .bridge
        .clone()
        .watch_variables(watch(None))
        .await
        .expect("watched")
        .into_inner();
    let mut next = async || updates.message().await.expect("an update").expect("it goes on");
    let mut before = (0, 0);
    for wanted in ["initial_value", "initial_value", "initial_complete"] {
        let update = next().await;
        assert_eq!(update.update_type, wanted);
        before = (update.revision, update.epoch);
    }
    let restore = admin::RestoreCheckpointRequest {
        session_id: session_id.clone(),
        name,
    };
    let restored = caller
        .admin
        .clone()
        .restore_checkpoint(restore)
        .await
        .expect("restored")
        .into_inner();
    assert_ne!(restored.epoch, before.1);
    assert_eq!(next().await.update_type, "resync");
    let back = next().await;
    let x = back.variable.as_ref().expect("x");
    assert_eq!(
        (back.update_type.as_str(), x.name.as_str(), text(x).as_str()),
        ("initial_value", "x", "1")
    );
    assert_eq!(
        (x.version64, back.epoch),
        (2, restored.epoch),
        "a new version: 1 was another value"
    );
    assert_eq!(next().await.update_type, "initial_complete", "y is gone");
    caller
        .set("x", any("integer", "5"), |_| {})
        .await
        .expect("written");
    let after = next().await;
    assert_eq!(
        (after.update_type.as_str(), after.epoch),
        ("value_change", restored.epoch)
    );
    // Who resumes with what it saw before is told as well.
    let mut resumed = caller
        .bridge
        .clone()
        .watch_variables(watch(Some(before)))
        .await
        .expect("watched")
        .into_inner();
    let first = resumed.message().await.expect("an update").expect("it goes on");
    assert_eq!(first.update_type, "resync");
    // Compare-and-set by who read before it went back is refused.
    let stale = caller
        .set("x", any("integer", "9"), |request| {
            request.expected_version64 = Some(1)
        })
        .await;
    assert_eq!(kind(stale), Kind::VersionMismatch);
}
