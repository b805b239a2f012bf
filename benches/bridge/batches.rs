//! `GetVariables` of 100 against 100 single reads, over a unix socket: variables a second.

use bytes::Bytes;
use snakepit::proto::{
    Any,
    bridge::{self as pb, bridge_service_client::BridgeServiceClient},
};
use tokio::runtime::Builder;

use crate::{
    load::{closed_loop, connect},
    peers::{Peer, folder},
    report::{Side, ratio, rounds},
};

const VARIABLES: usize = 100;

/// Measures and prints.
pub fn run() {
    let folder = folder();
    let bridge = Peer::bridge(folder.path(), &[]);
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let client = BridgeServiceClient::new(connect(&bridge.address).await);
        for number in 0..VARIABLES {
            let request = pb::RegisterVariableRequest {
                session_id: "default".to_owned(),
                name: format!("x{number}"),
                r#type: "float".to_owned(),
                initial_value: Some(Any {
                    type_url: "type.googleapis.com/snakepit.float".to_owned(),
                    value: Bytes::from_static(b"0.001"),
                }),
                ..Default::default()
            };
            client.clone().register_variable(request).await.expect("registered");
        }
        let (mut batches, mut singles) = (Side::default(), Side::default());
        for _ in 0..rounds() {
            let many = client.clone();
            batches.0.push(
                closed_loop(1, move |_| {
                    let mut client = many.clone();
                    async move {
                        let request = pb::BatchGetVariablesRequest {
                            session_id: "default".to_owned(),
                            variable_identifiers: (0..VARIABLES).map(|number| format!("x{number}")).collect(),
                            ..Default::default()
                        };
                        let reply = client.get_variables(request).await.expect("read").into_inner();
                        assert_eq!(reply.variables.len(), VARIABLES);
                    }
                })
                .await,
            );
            let one = client.clone();
            singles.0.push(
                closed_loop(1, move |_| {
                    let mut client = one.clone();
                    async move {
                        let request = pb::GetVariableRequest {
                            session_id: "default".to_owned(),
                            variable_identifier: "x7".to_owned(),
                            ..Default::default()
                        };
                        client.get_variable(request).await.expect("read");
                    }
                })
                .await,
            );
        }
        let ratio = ratio(&batches, &singles, |sample| sample.rate) * VARIABLES as f64;
        println!(
            "{:<34} batches {:>9.0} variables/s   singles {:>8.0} variables/s   ratio {ratio:.1}  (aim >= 20)",
            format!("GetVariables of {VARIABLES}"),
            batches.rate() * VARIABLES as f64,
            singles.rate(),
        );
    });
}
