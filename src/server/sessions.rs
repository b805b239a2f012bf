//! Sessions: open, end, describe, heartbeat; and the ping.

use std::{collections::HashMap, time::Duration};

use tonic::{Request, Response};

use super::{
    bridge_service::{Reply, Service},
    origin,
    repeat::mark,
};
use crate::{
    bridge::{Live, Opening, wall_now},
    error::{Error, Kind, Result},
    proto::bridge as pb,
    session::{Actor, Ttl},
    wire::{time::timestamp, variable::variable},
};

impl Service {
    pub(super) async fn ping(&self, request: Request<pb::PingRequest>) -> Reply<pb::PingResponse> {
        Ok(Response::new(pb::PingResponse {
            message: request.into_inner().message,
            server_time: Some(timestamp(wall_now())),
        }))
    }

    pub(super) async fn initialize_session(
        &self,
        request: Request<pb::InitializeSessionRequest>,
    ) -> Reply<pb::InitializeSessionResponse> {
        let encoding = origin::encoding(request.metadata());
        let actor = origin::actor(&request);
        let request = request.into_inner();
        let (mark, include_state) = (mark(&request), request.include_state);
        let service = self.clone();
        let id = request.session_id.clone();
        let mut reply = self
            .once(self.bridge.openings(), mark, async move {
                service.open_session(request, actor).await
            })
            .await?;
        if include_state {
            let live = self.bridge.session(&id)?;
            let state = live.read();
            reply.revision = state.revision.0;
            reply.initial_variables = state
                .variables()
                .map(|found| (found.name.as_str().to_owned(), variable(found, encoding)))
                .collect();
            reply.available_tools = self
                .tools
                .list(Some(live.id().as_str()))
                .into_iter()
                .map(|spec| (spec.name.clone(), spec))
                .collect();
        }
        Ok(Response::new(reply))
    }

    async fn open_session(
        &self,
        request: pb::InitializeSessionRequest,
        actor: Actor,
    ) -> Result<pb::InitializeSessionResponse> {
        let config = request.config.unwrap_or_default();
        let opening = Opening {
            id: request.session_id,
            metadata: request.metadata.into_iter().collect(),
            ttl: ttl(config.ttl_seconds)?,
            history_limit: config.history_limit,
            create_only: request.create_only,
        };
        let opened = self.bridge.open(&opening, &actor).await?;
        let live = opened.live;
        let state = live.read();
        Ok(pb::InitializeSessionResponse {
            success: true,
            epoch: state.epoch.0,
            revision: state.revision.0,
            created: opened.created,
            ttl_seconds: ttl_seconds(live.ttl()),
            ..Default::default()
        })
    }

    pub(super) async fn cleanup_session(
        &self,
        request: Request<pb::CleanupSessionRequest>,
    ) -> Reply<pb::CleanupSessionResponse> {
        let request = request.into_inner();
        let Some(live) = self.bridge.peek(&request.session_id) else {
            return Ok(Response::new(pb::CleanupSessionResponse {
                success: true,
                ..Default::default()
            }));
        };
        let running = self.tools.session_calls(&request.session_id);
        if running > 0 && !request.force {
            return Err(Error::new(
                Kind::SessionBusy,
                format!("session `{}` is in use: {running} calls run in it", live.id()),
            )
            .hint("wait for them, or end it with `--force`")
            .into());
        }
        let (tools, calls) = self.tools.end_session(&request.session_id);
        let ended = self.bridge.end(&live, "ended").await;
        let counts = [
            ("variables", ended.variables),
            ("tools", tools),
            ("watches", ended.watches),
            ("calls", calls),
        ];
        Ok(Response::new(pb::CleanupSessionResponse {
            success: true,
            resources_cleaned: int32(counts.iter().map(|(_, count)| count).sum()),
            cleaned_by_kind: counts
                .into_iter()
                .map(|(kind, count)| (kind.to_owned(), int32(count)))
                .collect(),
        }))
    }

    pub(super) async fn get_session(
        &self,
        request: Request<pb::GetSessionRequest>,
    ) -> Reply<pb::GetSessionResponse> {
        let live = self.bridge.session(&request.into_inner().session_id)?;
        let tools = self.tools.list(Some(live.id().as_str())).len();
        let state = live.read();
        let metadata: HashMap<_, _> = state.metadata.clone().into_iter().collect();
        Ok(Response::new(pb::GetSessionResponse {
            session_id: live.id().as_str().to_owned(),
            metadata,
            created_at: Some(timestamp(state.created_at)),
            variable_count: int32(state.len()),
            tool_count: int32(tools),
            epoch: state.epoch.0,
            revision: state.revision.0,
            ttl_seconds: ttl_seconds(live.ttl()),
            expires_in_ms: expires_in_ms(&live),
            first_revision: self.bridge.first_revision(&live).0,
            watch_count: u32::try_from(live.hub().watchers()).unwrap_or(u32::MAX),
            call_count: self.running_calls(&live),
        }))
    }

    pub(super) async fn heartbeat(
        &self,
        request: Request<pb::HeartbeatRequest>,
    ) -> Reply<pb::HeartbeatResponse> {
        let from_worker = origin::worker(request.metadata()).is_some();
        let request = request.into_inner();
        let live = self.bridge.peek(&request.session_id);
        if let Some(live) = live.as_ref().filter(|_| !from_worker) {
            // A worker's heartbeat says that the worker lives, not that anybody wants the session.
            live.touch();
        }
        Ok(Response::new(pb::HeartbeatResponse {
            server_time: Some(timestamp(wall_now())),
            session_valid: live.is_some(),
            revision: live.as_ref().map_or(0, |live| live.read().revision.0),
            epoch: live.as_ref().map_or(0, |live| live.epoch().0),
        }))
    }
}

/// A session's time to live on the wire: -1 = never.
pub(super) fn ttl_seconds(ttl: Ttl) -> i64 {
    match ttl {
        Ttl::Never => -1,
        Ttl::After(ttl) => i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX),
    }
}

/// Milliseconds until expiry on the wire: -1 = never.
pub(super) fn expires_in_ms(live: &Live) -> i64 {
    live.remaining()
        .map_or(-1, |micros| i64::try_from(micros / 1_000).unwrap_or(i64::MAX))
}

pub(super) fn ttl(seconds: i64) -> Result<Option<Ttl>> {
    match seconds {
        0 => Ok(None),
        -1 => Ok(Some(Ttl::Never)),
        seconds => match u64::try_from(seconds) {
            Ok(seconds) => Ok(Some(Ttl::After(Duration::from_secs(seconds)))),
            Err(_) => Err(Error::new(
                Kind::BadRequest,
                format!("ttl_seconds {seconds} is neither -1, 0 nor positive"),
            )),
        },
    }
}

fn int32(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
