//! Writes that carry a `request_id`: told from each other by what they ask for, done once, answered again.

use std::{
    collections::HashMap,
    future::Future,
    hash::{DefaultHasher, Hasher as _},
};

use prost::Message;

use super::bridge_service::Service;
use crate::{
    bridge::{Claimed, Repeats},
    error::{Error, Kind, Result},
    proto::{Any, admin, bridge as pb},
};

/// A request whose repeats are recognised.
pub(super) trait Repeatable {
    /// The id that its caller gave it; empty = none.
    fn request_id(&self) -> &str;

    /// A number that another request would hardly have.
    fn print(&self) -> u64;
}

impl Service {
    /// Does the work, or gives the answer that a request of this id got before. Work under an id is not cut off when
    /// its caller goes away: the caller may come back for the answer.
    pub(super) async fn once<M>(
        &self,
        repeats: &Repeats,
        (id, print): (String, u64),
        work: impl Future<Output = Result<M>> + Send + 'static,
    ) -> Result<M>
    where
        M: Message + Default + 'static,
    {
        if id.is_empty() {
            return work.await;
        }
        match repeats.claim(&id, print)? {
            Claimed::Again(earlier) => M::decode(earlier.answer().await?)
                .map_err(|cause| Error::new(Kind::Internal, format!("a kept reply is broken: {cause}"))),
            Claimed::First(ticket) => {
                let done = self.home.spawn(async move {
                    let reply = work.await;
                    let answer = reply.as_ref().map(|reply| reply.encode_to_vec().into());
                    ticket.settle(answer.map_err(Error::clone));
                    reply
                });
                done.await
                    .map_err(|_| Error::new(Kind::ShuttingDown, "the bridge is shutting down"))?
            }
        }
    }
}

/// The id and the print of a request; nothing is printed where there is no id.
pub(super) fn mark(request: &impl Repeatable) -> (String, u64) {
    let id = request.request_id();
    if id.is_empty() {
        return (String::new(), 0);
    }
    (id.to_owned(), request.print())
}

struct Print(DefaultHasher);

impl Print {
    fn of(method: &str) -> Self {
        Self(DefaultHasher::new()).and(method)
    }

    fn and(mut self, part: impl std::hash::Hash) -> Self {
        part.hash(&mut self.0);
        self
    }

    /// Maps come in any order.
    fn and_map<V: std::hash::Hash>(self, map: &HashMap<String, V>) -> Self {
        let mut sorted: Vec<_> = map.iter().collect();
        sorted.sort_by_key(|(key, _)| *key);
        self.and(sorted)
    }

    fn end(self) -> u64 {
        self.0.finish()
    }
}

macro_rules! repeatable {
    ($($request:ty, $this:ident => $print:expr;)*) => {
        $(impl Repeatable for $request {
            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn print(&self) -> u64 {
                let $this = self;
                $print.end()
            }
        })*
    };
}

fn any(any: &Option<Any>) -> Option<(&str, &[u8])> {
    any.as_ref().map(|any| (any.type_url.as_str(), &*any.value))
}

repeatable! {
    pb::InitializeSessionRequest, this => Print::of("open")
        .and(&this.session_id)
        .and_map(&this.metadata)
        .and(this.config.as_ref().map(Message::encode_to_vec))
        .and((this.create_only, this.include_state));
    pb::RegisterVariableRequest, this => Print::of("register")
        .and((&this.name, &this.r#type, any(&this.initial_value), &this.constraints_json))
        .and_map(&this.metadata)
        .and(&this.initial_binary_value)
        .and((this.if_exists, this.type_inferred, this.history_limit));
    pb::SetVariableRequest, this => Print::of("set")
        .and((&this.variable_identifier, any(&this.value)))
        .and_map(&this.metadata)
        .and((this.expected_version, this.expected_version64, &this.binary_value));
    pb::BatchSetVariablesRequest, this => Print::of("set many")
        .and_map(&this.updates.iter().map(|(name, value)| (name.clone(), (&value.type_url, &value.value))).collect())
        .and_map(&this.metadata)
        .and(this.atomic)
        .and_map(&this.binary_updates)
        .and_map(&this.expected_versions);
    pb::DeleteVariableRequest, this => Print::of("delete")
        .and((&this.variable_identifier, this.force, this.expected_version64))
        .and_map(&this.metadata);
    admin::SetConstraintsRequest, this => Print::of("constrain")
        .and((&this.variable_identifier, &this.constraints_json, this.expected_version64))
        .and_map(&this.metadata);
    admin::SetMetadataRequest, this => Print::of("remark")
        .and((&this.variable_identifier, &this.remove, this.expected_version64))
        .and_map(&this.metadata);
}
