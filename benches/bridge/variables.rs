//! GetVariable and SetVariable against the yardstick over a unix socket, at 1, 8 and 64 callers.

use bytes::Bytes;
use snakepit::proto::{
    Any,
    bridge::{self as pb, bridge_service_client::BridgeServiceClient},
};
use tokio::runtime::Builder;
use tonic::transport::Channel;

use crate::{
    load::{Sample, channels, closed_loop, connect},
    peers::{Peer, folder},
    report::{Side, line, ratio, rounds},
};

/// Measures and prints.
pub fn run() {
    let folder = folder();
    let ours = Peer::bridge(folder.path(), &[]);
    let same_layout = Peer::yardstick(folder.path(), "per-core");
    let multi = Peer::yardstick(folder.path(), "multi");
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        register(&ours.address).await;
        for (what, call) in [("GetVariable", Call::Get), ("SetVariable", Call::Set)] {
            for callers in [1, 8, 64] {
                let (mut one, mut two, mut three) = (Side::default(), Side::default(), Side::default());
                for _ in 0..rounds() {
                    one.0.push(measure(&ours.address, callers, call).await);
                    two.0.push(measure(&same_layout.address, callers, call).await);
                    three.0.push(measure(&multi.address, callers, call).await);
                }
                let rate = |sample: &Sample| sample.rate;
                let what = format!("{what} x{callers}");
                line(
                    &what,
                    ("ours", &one),
                    ("raw echo", &two),
                    ratio(&one, &two, rate),
                    ">= 0.85",
                );
                line(
                    &what,
                    ("ours", &one),
                    ("raw multi", &three),
                    ratio(&one, &three, rate),
                    "shown",
                );
            }
        }
    });
}

#[derive(Clone, Copy)]
enum Call {
    Get,
    Set,
}

fn float(text: &'static str) -> Option<Any> {
    Some(Any {
        type_url: "type.googleapis.com/snakepit.float".to_owned(),
        value: Bytes::from_static(text.as_bytes()),
    })
}

async fn register(address: &str) {
    let mut client = BridgeServiceClient::new(connect(address).await);
    client
        .register_variable(pb::RegisterVariableRequest {
            session_id: "default".to_owned(),
            name: "learning_rate".to_owned(),
            r#type: "float".to_owned(),
            initial_value: float("0.001"),
            ..Default::default()
        })
        .await
        .expect("registered");
}

async fn measure(address: &str, callers: usize, call: Call) -> Sample {
    let clients: Vec<BridgeServiceClient<Channel>> = channels(address, callers)
        .await
        .into_iter()
        .map(BridgeServiceClient::new)
        .collect();
    closed_loop(callers, move |caller| {
        let mut client = clients[caller % clients.len()].clone();
        async move {
            match call {
                Call::Get => {
                    let request = pb::GetVariableRequest {
                        session_id: "default".to_owned(),
                        variable_identifier: "learning_rate".to_owned(),
                        ..Default::default()
                    };
                    client.get_variable(request).await.expect("read");
                }
                Call::Set => {
                    let request = pb::SetVariableRequest {
                        session_id: "default".to_owned(),
                        variable_identifier: "learning_rate".to_owned(),
                        value: float("0.001"),
                        ..Default::default()
                    };
                    client.set_variable(request).await.expect("written");
                }
            }
        }
    })
    .await
}
