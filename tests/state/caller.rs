//! A bridge of its own for each test, and a caller that speaks the bare contract to it: no code of our client is
//! between a test and what it judges.

use std::path::PathBuf;

use bytes::Bytes;
use snakepit::error::Kind;
use snakepit::proto::{
    Any,
    admin::admin_service_client::AdminServiceClient,
    bridge::{self as pb, bridge_service_client::BridgeServiceClient},
};
use snakepit::wire::status::from_status;
use tonic::{
    Request, Status,
    transport::{Channel, Endpoint},
};

use crate::support::{Bridge, World};

/// Larger than any message, so that the bridge's own limit is met first.
const ANY_SIZE: usize = 256 * 1024 * 1024;

/// A bridge and its home.
pub struct Served {
    pub world: World,
    bridge: Bridge,
}

/// A caller in one session.
#[derive(Clone)]
pub struct Caller {
    pub bridge: BridgeServiceClient<Channel>,
    pub admin: AdminServiceClient<Channel>,
    pub session: String,
    /// Whether large arrays are asked for as bytes.
    pub raw: bool,
}

impl Served {
    pub fn new() -> Self {
        let world = World::new();
        let bridge = world.serve(&[]);
        Self { world, bridge }
    }

    /// The bridge's process.
    pub fn pid(&self) -> u32 {
        self.bridge.pid()
    }

    fn socket(&self) -> PathBuf {
        self.world.home().join("run/snakepit/default.sock")
    }

    /// A caller in a session that it makes.
    pub async fn caller(&self, session: &str) -> Caller {
        let target = format!("unix:{}", self.socket().display());
        let channel = Endpoint::from_shared(target)
            .expect("an endpoint")
            .origin(http::Uri::from_static("http://localhost"))
            .initial_stream_window_size(8 * 1024 * 1024)
            .initial_connection_window_size(64 * 1024 * 1024)
            .connect()
            .await
            .expect("connected");
        let caller = Caller {
            bridge: BridgeServiceClient::new(channel.clone())
                .max_decoding_message_size(ANY_SIZE)
                .max_encoding_message_size(ANY_SIZE),
            admin: AdminServiceClient::new(channel)
                .max_decoding_message_size(ANY_SIZE)
                .max_encoding_message_size(ANY_SIZE),
            session: session.to_owned(),
            raw: true,
        };
        caller.open(session, |_| {}).await.expect("a session");
        caller
    }
}

/// JSON text of a type, as it travels.
pub fn any(ty: &str, text: &str) -> Any {
    Any {
        type_url: format!("type.googleapis.com/snakepit.{ty}"),
        value: Bytes::copy_from_slice(text.as_bytes()),
    }
}

/// The header of a binary value, as it travels.
pub fn binary(ty: &str, header: &str) -> Any {
    any(&format!("{ty}.binary"), header)
}

/// The kind of a refusal.
pub fn kind<T: std::fmt::Debug>(result: Result<T, Status>) -> Kind {
    from_status(&result.expect_err("refused")).kind()
}

/// The text of a variable's value.
pub fn text(variable: &pb::Variable) -> String {
    let value = variable.value.as_ref().expect("a value");
    String::from_utf8(value.value.to_vec()).expect("UTF-8")
}

impl Caller {
    /// The same caller in another session.
    pub fn at(&self, session: &str) -> Self {
        Self {
            session: session.to_owned(),
            ..self.clone()
        }
    }

    fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        if self.raw {
            request
                .metadata_mut()
                .insert("snakepit-binary", "raw".parse().expect("a header"));
        }
        request
    }

    pub async fn open(
        &self,
        session: &str,
        with: impl FnOnce(&mut pb::InitializeSessionRequest),
    ) -> Result<pb::InitializeSessionResponse, Status> {
        let mut request = pb::InitializeSessionRequest {
            session_id: session.to_owned(),
            ..Default::default()
        };
        with(&mut request);
        let reply = self.bridge.clone().initialize_session(request).await?;
        Ok(reply.into_inner())
    }

    pub async fn register(
        &self,
        name: &str,
        value: Any,
        with: impl FnOnce(&mut pb::RegisterVariableRequest),
    ) -> Result<pb::RegisterVariableResponse, Status> {
        let ty = value.type_url.rsplit('/').next().unwrap_or_default();
        let ty = ty.trim_start_matches("snakepit.").trim_end_matches(".binary");
        let mut request = pb::RegisterVariableRequest {
            session_id: self.session.clone(),
            name: name.to_owned(),
            r#type: ty.to_owned(),
            initial_value: Some(value),
            ..Default::default()
        };
        with(&mut request);
        let reply = self.bridge.clone().register_variable(request).await?;
        Ok(reply.into_inner())
    }

    pub async fn set(
        &self,
        name: &str,
        value: Any,
        with: impl FnOnce(&mut pb::SetVariableRequest),
    ) -> Result<pb::SetVariableResponse, Status> {
        let mut request = pb::SetVariableRequest {
            session_id: self.session.clone(),
            variable_identifier: name.to_owned(),
            value: Some(value),
            ..Default::default()
        };
        with(&mut request);
        let reply = self.bridge.clone().set_variable(request).await?;
        Ok(reply.into_inner())
    }

    pub async fn get(&self, name: &str) -> Result<pb::Variable, Status> {
        let request = self.request(pb::GetVariableRequest {
            session_id: self.session.clone(),
            variable_identifier: name.to_owned(),
            ..Default::default()
        });
        let reply = self.bridge.clone().get_variable(request).await?;
        Ok(reply.into_inner().variable.expect("a variable"))
    }

    pub async fn list(&self, pattern: &str) -> Vec<pb::Variable> {
        let request = self.request(pb::ListVariablesRequest {
            session_id: self.session.clone(),
            pattern: pattern.to_owned(),
            ..Default::default()
        });
        let reply = self.bridge.clone().list_variables(request).await.expect("a list");
        reply.into_inner().variables
    }

    pub async fn delete(&self, name: &str) -> Result<pb::DeleteVariableResponse, Status> {
        let request = pb::DeleteVariableRequest {
            session_id: self.session.clone(),
            variable_identifier: name.to_owned(),
            ..Default::default()
        };
        let reply = self.bridge.clone().delete_variable(request).await?;
        Ok(reply.into_inner())
    }

    pub async fn set_all(
        &self,
        atomic: bool,
        values: impl IntoIterator<Item = (String, Any)>,
        expected: impl IntoIterator<Item = (String, u64)>,
    ) -> Result<pb::BatchSetVariablesResponse, Status> {
        let request = pb::BatchSetVariablesRequest {
            session_id: self.session.clone(),
            updates: values.into_iter().collect(),
            expected_versions: expected.into_iter().collect(),
            atomic,
            ..Default::default()
        };
        let reply = self.bridge.clone().set_variables(request).await?;
        Ok(reply.into_inner())
    }
}
