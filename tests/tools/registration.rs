//! Workers and tools that come and go: scopes, replicas, newer processes, refusals.

use super::*;

#[tokio::test]
async fn a_worker_that_takes_no_new_calls_gets_none() {
    let tools = tools();
    let (leaving, other) = (
        Peer::start("w1", 4, vec![tool("refuses")]),
        Peer::start("w2", 4, vec![tool("refuses")]),
    );
    leaving.seen.refuse();
    let _attached = (leaving.attach(&tools).await, other.attach(&tools).await);
    let mut refused = 0;
    for _ in 0..8 {
        match tools.call(request("refuses", "1"), Origin::default()).await {
            Ok(response) => assert_eq!(response.worker_id, "w2"),
            Err(error) => {
                assert_eq!(
                    (error.kind(), error.known_outcome()),
                    (Kind::NoWorker, Some(Outcome::NeverStarted))
                );
                refused += 1;
            }
        }
    }
    assert!(refused <= 1, "{refused} calls went to a worker that had said no");
    assert_eq!(
        tools
            .workers()
            .iter()
            .filter(|worker| worker.state == "draining")
            .count(),
        refused
    );
}

#[tokio::test]
async fn dropping_the_lease_takes_the_worker_out() {
    let (tools, peer) = (tools(), Peer::start("w1", 2, vec![tool("gate")]));
    let attached = peer.attach(&tools).await;
    assert_eq!(attached.tools, ["gate"]);
    let call = spawn(&tools, request("gate", "1"), Origin::default());
    peer.seen.started(1).await;
    drop(attached);
    assert_eq!(ended(call).await.unwrap_err().kind(), Kind::WorkerDied);
    assert!(tools.workers().is_empty() && tools.describe("s", "gate").is_err());
}

#[tokio::test]
async fn a_newer_process_of_the_same_worker_supersedes_and_the_queue_moves_to_it() {
    let tools = tools();
    let (old, new) = (
        Peer::start("w1", 1, vec![tool("gate")]),
        Peer::start("w1", 1, vec![tool("gate")]),
    );
    let mut first = old.attach(&tools).await;
    let calls = spawn_many(&tools, "gate", 2);
    old.seen.started(1).await;
    queued(&tools, 1).await;
    let mut address = new.address();
    address.incarnation = 2;
    let _second = tools.attach(address).await.unwrap();
    let order = first.orders.recv().await.unwrap();
    assert!(format!("{order:?}").contains("Stop"), "{order:?}");
    new.seen.release(1);
    let mut ends = Vec::new();
    for call in calls {
        ends.push(ended(call).await.map(|_| ()).map_err(|error| error.kind()));
    }
    assert!(
        ends.contains(&Ok(())) && ends.contains(&Err(Kind::WorkerDied)),
        "{ends:?}"
    );
    drop(first);
    assert_eq!(
        tools.workers().len(),
        1,
        "the old lease must not take the new worker out"
    );
}

#[tokio::test]
async fn replicas_have_to_agree() {
    let tools = tools();
    let one = Peer::start("w1", 1, vec![tool("echo")]);
    let described = ToolRegistration {
        description: "another".into(),
        ..tool("echo")
    };
    let other = Peer::start("w2", 1, vec![described, tool("more")]);
    let _attached = one.attach(&tools).await;
    let error = tools.attach(other.address()).await.err().unwrap();
    assert_eq!(error.kind(), Kind::ToolConflict);
    assert!(error.message().contains("`w1`"), "{error}");
    assert!(tools.describe("s", "more").is_err(), "all of its tools or none");
    let host = Peer::start("w3", 1, vec![tool("host_time")]);
    assert_eq!(
        tools.attach(host.address()).await.err().unwrap().kind(),
        Kind::ToolConflict
    );
}

#[tokio::test]
async fn a_session_tool_shadows_the_global_one_and_goes_with_the_session() {
    let tools = tools();
    let global = Peer::start("w1", 1, vec![tool("echo")]);
    let own = Peer::start(
        "w2",
        1,
        vec![ToolRegistration {
            description: "own".into(),
            ..tool("echo")
        }],
    );
    let _global = global.attach(&tools).await;
    let mut address = own.address();
    address.session = Some("s".into());
    let mut lease = tools.attach(address).await.unwrap();
    let named = |session: &str| tools.call(request_in(session), Origin::default());
    assert_eq!(named("s").await.unwrap().worker_id, "w2");
    assert_eq!(named("other").await.unwrap().worker_id, "w1");
    let names = |session| {
        tools
            .list(session)
            .iter()
            .map(|tool| tool.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(Some("s")), ["echo", "host_info", "host_time"]);
    assert_eq!(names(None), ["echo", "echo", "host_info", "host_time"]);
    assert_eq!((tools.session_tools("s"), tools.end_session("s")), (1, (1, 0)));
    assert_eq!(named("s").await.unwrap().worker_id, "w1");
    assert!(format!("{:?}", lease.orders.recv().await).contains("Stop"));
}

fn request_in(session: &str) -> ExecuteToolRequest {
    ExecuteToolRequest {
        session_id: session.into(),
        ..request("echo", "1")
    }
}

#[tokio::test]
async fn only_a_known_worker_registers_tools_and_none_hides_a_working_one() {
    let (tools, peer) = (tools(), Peer::start("w1", 1, vec![tool("echo")]));
    let _attached = peer.attach(&tools).await;
    let register = |worker: &str, header: Option<&str>, tool: ToolRegistration| {
        let request = RegisterToolsRequest {
            session_id: "s".into(),
            tools: vec![tool],
            worker_id: worker.into(),
        };
        let origin = Origin {
            worker_id: header.map(str::to_owned),
            ..Default::default()
        };
        tools.register(request, &origin)
    };
    assert_eq!(
        register("python-1", None, tool("late")).unwrap_err().kind(),
        Kind::WorkerUnknown
    );
    let reply = register("python-1", Some("w1"), tool("late")).unwrap();
    assert!(reply.success && reply.tool_ids.contains_key("late"));
    assert_eq!(
        register("w1", None, tool("late")).unwrap().tool_ids,
        reply.tool_ids,
        "again is the same"
    );
    assert!(
        tools
            .call(request("late", "1"), Origin::default())
            .await
            .unwrap()
            .success
    );
    assert!(register("w1", None, tool("echo")).unwrap().success);
    assert_eq!(
        tools.describe("s", "echo").unwrap().scope,
        "",
        "the global one stays the one in use"
    );
}

#[tokio::test]
async fn a_worker_that_is_not_there_or_brings_too_much_is_refused() {
    let tools = Tools::new(
        HostTools::empty(),
        Limits {
            tools_per_worker: 2,
            ..Default::default()
        },
    );
    let mut peer = Peer::start("w1", 1, vec![tool("a"), tool("b"), tool("c")]);
    assert_eq!(
        tools.attach(peer.address()).await.err().unwrap().kind(),
        Kind::LimitExceeded
    );
    peer.kill();
    let gone = tools.attach(peer.address()).await.err().unwrap();
    assert_eq!(gone.kind(), Kind::WorkerUnreachable);
    let mut nowhere = peer.address();
    nowhere.address = "nowhere".into();
    assert_eq!(
        tools.attach(nowhere).await.err().unwrap().kind(),
        Kind::BadAddress
    );
}

#[tokio::test]
async fn registering_the_same_again_takes_no_further_room() {
    let limits = Limits {
        tools_per_worker: 3,
        ..Limits::default()
    };
    let tools = Tools::new(HostTools::built_in(), limits);
    let peer = Peer::start("w1", 1, vec![tool("echo"), tool("more")]);
    let _attached = peer.attach(&tools).await;
    let register = |names: &[&str]| {
        let request = RegisterToolsRequest {
            worker_id: "w1".into(),
            tools: names.iter().map(|name| tool(name)).collect(),
            ..Default::default()
        };
        tools.register(request, &Origin::default())
    };
    register(&["echo", "more"]).unwrap();
    register(&["echo", "more", "third"]).unwrap();
    assert_eq!(register(&["fourth"]).unwrap_err().kind(), Kind::LimitExceeded);
}
