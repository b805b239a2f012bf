//! Sessions: make, describe, list, end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::Client;
use super::view::{as_iso, time};
use crate::error::{Error, Kind, Result};
use crate::proto::admin::ListSessionsRequest;
use crate::proto::bridge::{
    CleanupSessionRequest, GetSessionRequest, InitializeSessionRequest, InitializeSessionResponse,
    SessionConfig,
};

/// A session as it was read.
#[derive(Debug, Clone, Serialize)]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// The newest revision that is visible.
    pub revision: u64,
    /// Its variables.
    pub variables: u64,
    /// Its own tools.
    pub tools: u64,
    /// Watches that are open.
    pub watches: u32,
    /// Calls that run or wait.
    pub calls: u32,
    /// Seconds it lives after the last touch; none = it never expires.
    pub ttl_seconds: Option<i64>,
    /// Milliseconds until it expires if nobody touches it; none = never.
    pub expires_in_ms: Option<i64>,
    /// When it was made.
    #[serde(serialize_with = "as_iso")]
    pub created_at: Option<Timestamp>,
    /// Its incarnation, written as hexadecimal text: JSON numbers are too small for it.
    #[serde(rename = "epoch", serialize_with = "hexadecimal")]
    pub incarnation: u64,
    /// What was kept with it.
    pub metadata: BTreeMap<String, String>,
}

impl Client {
    /// Makes the session `id`, or attaches to it unless `create_only`. `ttl_seconds`: -1 = it never expires.
    ///
    /// # Errors
    /// [`Kind::SessionExists`] under `create_only`.
    pub async fn new_session(
        &self,
        id: &str,
        ttl_seconds: i64,
        create_only: bool,
    ) -> Result<InitializeSessionResponse> {
        let request = InitializeSessionRequest {
            session_id: id.to_owned(),
            config: Some(SessionConfig {
                ttl_seconds,
                ..Default::default()
            }),
            create_only,
            ..Default::default()
        };
        let reply = self
            .once(request, async |bridge, request| {
                bridge.initialize_session(request).await
            })
            .await?;
        if reply.success {
            Ok(reply)
        } else {
            Err(Error::new(Kind::Precondition, reply.error_message))
        }
    }

    /// Describes a session.
    ///
    /// # Errors
    /// [`Kind::SessionNotFound`].
    pub async fn session_view(&self, id: &str) -> Result<SessionView> {
        let request = GetSessionRequest {
            session_id: id.to_owned(),
        };
        let reply = self
            .read(request, async |bridge, request| bridge.get_session(request).await)
            .await?;
        Ok(SessionView {
            id: reply.session_id,
            revision: reply.revision,
            variables: u64::try_from(reply.variable_count).unwrap_or(0),
            tools: u64::try_from(reply.tool_count).unwrap_or(0),
            watches: reply.watch_count,
            calls: reply.call_count,
            ttl_seconds: unless_never(reply.ttl_seconds),
            expires_in_ms: unless_never(reply.expires_in_ms),
            created_at: time(reply.created_at.as_ref()),
            incarnation: reply.epoch,
            metadata: reply.metadata.into_iter().collect(),
        })
    }

    /// Every session, by id.
    pub async fn sessions(&self) -> Result<Vec<SessionView>> {
        let reply = self
            .ask(ListSessionsRequest {}, async |admin, request| {
                admin.list_sessions(request).await
            })
            .await?;
        let views = reply.sessions.into_iter().map(|session| SessionView {
            id: session.session_id,
            revision: session.revision,
            variables: session.variables.into(),
            tools: session.tools.into(),
            watches: session.watches,
            calls: session.calls,
            ttl_seconds: unless_never(session.ttl_seconds),
            expires_in_ms: unless_never(session.expires_in_ms),
            created_at: time(session.created_at.as_ref()),
            incarnation: session.epoch,
            metadata: session.metadata.into_iter().collect(),
        });
        Ok(views.collect())
    }

    /// Ends a session; says how much of each kind went with it.
    ///
    /// # Errors
    /// [`Kind::SessionBusy`] without `force` while something runs there.
    pub async fn end_session(&self, id: &str, force: bool) -> Result<BTreeMap<String, i32>> {
        let request = CleanupSessionRequest {
            session_id: id.to_owned(),
            force,
        };
        let reply = self
            .once(request, async |bridge, request| {
                bridge.cleanup_session(request).await
            })
            .await?;
        Ok(reply.cleaned_by_kind.into_iter().collect())
    }
}

fn unless_never(count: i64) -> Option<i64> {
    (count >= 0).then_some(count)
}

fn hexadecimal<S: Serializer>(epoch: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{epoch:016x}"))
}
