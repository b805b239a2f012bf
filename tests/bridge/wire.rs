//! A plain gRPC client on the bridge's socket: what a test asks by the generated messages, and nothing else.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use snakepit::proto::bridge::{self as pb, bridge_service_client::BridgeServiceClient};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};
use tonic_types::StatusExt as _;

use crate::support::World;

/// The longest wait for an update.
const PATIENCE: Duration = Duration::from_secs(20);

pub type Bridge = BridgeServiceClient<Channel>;

/// A connection to the world's bridge.
pub async fn channel(world: &World) -> Channel {
    at(&world.socket()).await
}

async fn at(socket: &Path) -> Channel {
    let endpoint = Endpoint::from_shared(format!("unix:{}", socket.display())).expect("an endpoint");
    endpoint.connect().await.expect("the bridge answers")
}

/// A client of the contract.
pub async fn client(world: &World) -> Bridge {
    BridgeServiceClient::new(channel(world).await)
}

/// JSON as a value of the contract.
pub fn any(kind: &str, json: &str) -> snakepit::proto::Any {
    snakepit::proto::Any {
        type_url: format!("type.googleapis.com/snakepit.{kind}"),
        value: json.to_owned().into_bytes().into(),
    }
}

/// Makes a session.
pub async fn session(bridge: &mut Bridge, id: &str) -> pb::InitializeSessionResponse {
    let request = pb::InitializeSessionRequest {
        session_id: id.into(),
        ..Default::default()
    };
    bridge.initialize_session(request).await.unwrap().into_inner()
}

/// Registers a float.
pub async fn register(bridge: &mut Bridge, session: &str, name: &str, value: f64) -> u64 {
    let request = pb::RegisterVariableRequest {
        session_id: session.into(),
        name: name.into(),
        r#type: "float".into(),
        initial_value: Some(any("float", &value.to_string())),
        ..Default::default()
    };
    bridge
        .register_variable(request)
        .await
        .unwrap()
        .into_inner()
        .revision
}

/// Writes a float; the revision.
pub async fn set(bridge: &mut Bridge, session: &str, name: &str, value: f64) -> u64 {
    let request = pb::SetVariableRequest {
        session_id: session.into(),
        variable_identifier: name.into(),
        value: Some(any("float", &value.to_string())),
        ..Default::default()
    };
    bridge.set_variable(request).await.unwrap().into_inner().revision
}

/// An open watch.
pub struct Watch(tonic::Streaming<pb::VariableUpdate>);

impl Watch {
    /// Opens it on a connection of its own.
    pub async fn open(world: &World, request: pb::WatchVariablesRequest) -> Result<Self, Status> {
        let mut bridge = client(world).await;
        Ok(Self(bridge.watch_variables(request).await?.into_inner()))
    }

    /// The next message; none at the end of the stream.
    pub async fn message(&mut self) -> Result<Option<pb::VariableUpdate>, Status> {
        let message = tokio::time::timeout(PATIENCE, self.0.message()).await;
        message.expect("something came in time")
    }

    /// The next update.
    pub async fn next(&mut self) -> pb::VariableUpdate {
        self.message().await.unwrap().expect("the stream goes on")
    }

    /// The status that it ends with.
    pub async fn error(&mut self) -> Status {
        loop {
            match self.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended well"),
                Err(status) => return status,
            }
        }
    }
}

/// What to look at of an update: type, name, value as JSON text, revision.
pub fn told(update: &pb::VariableUpdate) -> (String, String, String, u64) {
    let variable = update.variable.clone().unwrap_or_default();
    let value = variable.value.unwrap_or_default().value;
    (
        update.update_type.clone(),
        variable.name,
        String::from_utf8(value.to_vec()).unwrap(),
        update.revision,
    )
}

/// A watch of a session by names, with the full vocabulary and a snapshot first.
pub fn watching(session: &str, names: &[&str]) -> pb::WatchVariablesRequest {
    pb::WatchVariablesRequest {
        session_id: session.into(),
        variable_identifiers: names.iter().map(|name| (*name).to_owned()).collect(),
        include_initial_values: true,
        extended: true,
        ..Default::default()
    }
}

/// The `ErrorInfo` of a status: stable code and metadata. Every status of the bridge has one.
pub fn info(status: &Status) -> (String, HashMap<String, String>) {
    let info = status
        .get_details_error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "snakepit");
    (info.reason, info.metadata)
}
