//! Tool calls through the bridge against the same worker called without it, over the same path.
//!
//! "Direct" is the room `tools` of our own crate in this process, linked to the worker as the bridge is: what is
//! measured is the bridge and nothing else. The contract's plain unary call of the worker stands beside it.

use std::{collections::HashMap, process::Command, sync::Arc, time::Instant};

use bytes::Bytes;
use snakepit::{
    proto::{
        Any,
        bridge::{self as pb, bridge_service_client::BridgeServiceClient},
    },
    tools::{HostTools, Limits, Origin, Tools, WorkerAddress},
};
use tokio::runtime::Builder;
use tokio_stream::StreamExt as _;
use tonic::transport::Channel;

use crate::{
    load::{Sample, channels, closed_loop, connect},
    peers::{Peer, folder},
    report::{Side, line, median, ratio, rounds},
};

const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/bridge/data/tools.py");

/// Chunks of one streaming call, and bytes of each.
const CHUNKS: i64 = 20_000;
const CHUNK_BYTES: i64 = 256;

/// Unary calls.
pub fn run_unary() {
    let folder = folder();
    let bridge = Peer::bridge(folder.path(), &["--worker", TOOLS]);
    let (id, address) = worker(&bridge.address);
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let direct = Direct::link(&id, &address).await;
        for callers in [1, 8, 64] {
            let (mut ours, mut linked, mut plain) = (Side::default(), Side::default(), Side::default());
            for _ in 0..rounds() {
                ours.0.push(over_rpc(&bridge.address, callers).await);
                linked.0.push(direct.measure(callers).await);
                plain.0.push(over_rpc(&address, callers).await);
            }
            let what = format!("tool call x{callers}");
            let (latency, aim) = if callers == 1 {
                (true, "latency <= 1.25")
            } else {
                (false, ">= 0.9")
            };
            let of = move |sample: &Sample| {
                if latency {
                    sample.p50.as_secs_f64()
                } else {
                    sample.rate
                }
            };
            line(
                &what,
                ("bridge", &ours),
                ("direct", &linked),
                ratio(&ours, &linked, of),
                aim,
            );
            line(
                &what,
                ("bridge", &ours),
                ("plain unary", &plain),
                ratio(&ours, &plain, of),
                "shown",
            );
        }
    });
}

/// Chunks of a stream.
pub fn run_chunks() {
    let folder = folder();
    let bridge = Peer::bridge(folder.path(), &["--worker", TOOLS]);
    let (_, address) = worker(&bridge.address);
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (mut ours, mut direct) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            ours.push(chunk_rate(&bridge.address).await);
            direct.push(chunk_rate(&address).await);
        }
        let ratio = median(ours.iter().zip(&direct).map(|(one, other)| one / other).collect());
        println!(
            "{:<34} bridge {:>8.0}/s   direct {:>8.0}/s   ratio {ratio:.2}  (aim >= 0.9)",
            format!("chunks of {CHUNK_BYTES} B"),
            median(ours),
            median(direct),
        );
    });
}

/// The worker linked into this process as the bridge links it.
struct Direct {
    tools: Tools,
    _attached: Arc<snakepit::tools::Attached>,
}

impl Direct {
    async fn link(id: &str, address: &str) -> Self {
        let tools = Tools::new(HostTools::empty(), Limits::default());
        let attached = tools
            .attach(WorkerAddress {
                worker_id: id.to_owned(),
                incarnation: 1,
                address: address.to_owned(),
                session: None,
                pid: 0,
                source: TOOLS.to_owned(),
                restarts: 0,
                host: String::new(),
            })
            .await
            .expect("the worker shakes hands");
        Self {
            tools,
            _attached: Arc::new(attached),
        }
    }

    async fn measure(&self, callers: usize) -> Sample {
        let tools = self.tools.clone();
        closed_loop(callers, move |_| {
            let tools = tools.clone();
            async move {
                let reply = tools.call(request(), Origin::default()).await.expect("called");
                assert!(reply.success);
            }
        })
        .await
    }
}

fn request() -> pb::ExecuteToolRequest {
    pb::ExecuteToolRequest {
        session_id: "default".to_owned(),
        tool_name: "echo".to_owned(),
        parameters: HashMap::from([("text".to_owned(), json("\"hello\""))]),
        ..Default::default()
    }
}

fn json(text: &str) -> Any {
    Any {
        type_url: "type.googleapis.com/google.protobuf.StringValue".to_owned(),
        value: Bytes::copy_from_slice(text.as_bytes()),
    }
}

async fn over_rpc(address: &str, callers: usize) -> Sample {
    let clients: Vec<BridgeServiceClient<Channel>> = channels(address, callers)
        .await
        .into_iter()
        .map(BridgeServiceClient::new)
        .collect();
    closed_loop(callers, move |caller| {
        let mut client = clients[caller % clients.len()].clone();
        async move {
            let reply = client.execute_tool(request()).await.expect("called").into_inner();
            assert!(reply.success);
        }
    })
    .await
}

async fn chunk_rate(address: &str) -> f64 {
    let mut client = BridgeServiceClient::new(connect(address).await);
    let request = pb::ExecuteToolRequest {
        session_id: "default".to_owned(),
        tool_name: "chunks".to_owned(),
        parameters: HashMap::from([
            ("count".to_owned(), json(&CHUNKS.to_string())),
            ("size".to_owned(), json(&CHUNK_BYTES.to_string())),
        ]),
        stream: true,
        ..Default::default()
    };
    let begin = Instant::now();
    let mut stream = client
        .execute_streaming_tool(request)
        .await
        .expect("called")
        .into_inner();
    let mut seen = 0_i64;
    while let Some(chunk) = stream.next().await {
        seen += i64::from(!chunk.expect("a chunk").is_final);
    }
    assert_eq!(seen, CHUNKS);
    seen as f64 / begin.elapsed().as_secs_f64()
}

/// The bridge's one worker: its id and where it listens.
fn worker(bridge: &str) -> (String, String) {
    let listed = Command::new(env!("CARGO_BIN_EXE_snakepit"))
        .args(["worker", "list", "-o", "json", "--address", bridge])
        .output()
        .expect("the binary runs");
    let workers: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let text = |key: &str| workers[0][key].as_str().expect("one worker").to_owned();
    (text("id"), text("address"))
}
