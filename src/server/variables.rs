//! Reading variables: one, many of one revision, lists by page.

use std::{collections::HashMap, sync::Arc};

use tonic::{Request, Response, Status};

use super::{
    MAX_MESSAGE_BYTES,
    bridge_service::{Reply, Service},
    origin,
};
use crate::{
    error::{Error, Kind, Result},
    proto::{admin, bridge as pb},
    session::{MAX_BATCH, Selector, Variable},
    wire::{
        value::Encoding,
        variable::{description, is_costly, variable},
    },
};

/// Variables on one page of a list when the caller does not say.
const PAGE: usize = 10_000;

/// Bytes of values after which a page of a list ends, though it has at least one variable.
const PAGE_BYTES: usize = 16 * 1024 * 1024;

impl Service {
    pub(super) async fn get_variable(
        &self,
        request: Request<pb::GetVariableRequest>,
    ) -> Reply<pb::GetVariableResponse> {
        let encoding = origin::encoding(request.metadata());
        let request = request.into_inner();
        refuse_past(request.at_revision)?;
        let live = self.bridge.session(&request.session_id)?;
        let (found, revision, epoch) = {
            let state = live.read();
            let found = state.get(&request.variable_identifier)?.clone();
            (found, state.revision, state.epoch)
        };
        let found = if is_costly(&found, encoding) {
            self.encoded(vec![found], encoding).await?.pop()
        } else {
            Some(variable(&found, encoding))
        };
        fits(Response::new(pb::GetVariableResponse {
            variable: found,
            from_cache: false,
            revision: revision.0,
            epoch: epoch.0,
        }))
    }

    pub(super) async fn get_variables(
        &self,
        request: Request<pb::BatchGetVariablesRequest>,
    ) -> Reply<pb::BatchGetVariablesResponse> {
        let encoding = origin::encoding(request.metadata());
        let request = request.into_inner();
        refuse_past(request.at_revision)?;
        batch_limit(request.variable_identifiers.len())?;
        let live = self.bridge.session(&request.session_id)?;
        let mut reply = pb::BatchGetVariablesResponse::default();
        let (mut identifiers, mut found) = (Vec::new(), Vec::new());
        {
            let state = live.read();
            reply.revision = state.revision.0;
            reply.epoch = state.epoch.0;
            for identifier in request.variable_identifiers {
                match state.find(&identifier) {
                    Some(variable) => {
                        found.push(Arc::clone(variable));
                        identifiers.push(identifier);
                    }
                    None => reply.missing_variables.push(identifier),
                }
            }
        }
        let encoded = self.encoded(found, encoding).await?;
        reply.variables = HashMap::from_iter(identifiers.into_iter().zip(encoded));
        fits(Response::new(reply))
    }

    pub(super) async fn list_variables(
        &self,
        request: Request<pb::ListVariablesRequest>,
    ) -> Reply<pb::ListVariablesResponse> {
        let encoding = origin::encoding(request.metadata());
        let request = request.into_inner();
        refuse_past(request.at_revision)?;
        let live = self.bridge.session(&request.session_id)?;
        let selector = pattern(&request.pattern);
        let most = usize::try_from(request.page_size)
            .ok()
            .filter(|size| *size > 0)
            .unwrap_or(PAGE);
        let (mut page, mut bytes, mut more, mut total) = (Vec::new(), 0, false, 0u32);
        let (revision, epoch) = {
            let state = live.read();
            for found in state.select(&selector) {
                total = total.saturating_add(1);
                if more
                    || found.name.as_str() <= request.page_token.as_str() && !request.page_token.is_empty()
                {
                    continue;
                }
                bytes += found.weight();
                if page.len() >= most || (bytes > PAGE_BYTES && !page.is_empty()) {
                    more = true;
                } else {
                    page.push(Arc::clone(found));
                }
            }
            (state.revision, state.epoch)
        };
        let next = page
            .last()
            .filter(|_| more)
            .map(|last| last.name.as_str().to_owned());
        fits(Response::new(pb::ListVariablesResponse {
            variables: self.encoded(page, encoding).await?,
            next_page_token: next.unwrap_or_default(),
            revision: revision.0,
            epoch: epoch.0,
            total,
        }))
    }

    pub(super) async fn describe_variables(
        &self,
        request: Request<admin::DescribeVariablesRequest>,
    ) -> Reply<admin::DescribeVariablesResponse> {
        let request = request.into_inner();
        batch_limit(request.variable_identifiers.len())?;
        let live = self.bridge.session(&request.session_id)?;
        let selector = Selector::new(&request.variable_identifiers);
        let state = live.read();
        let missing = selector
            .exact()
            .filter(|name| state.find(name).is_none())
            .map(str::to_owned)
            .collect();
        fits(Response::new(admin::DescribeVariablesResponse {
            variables: state.select(&selector).map(|found| description(found)).collect(),
            missing,
            revision: state.revision.0,
        }))
    }

    /// Variables as the caller reads them. Where that means printing large arrays, it is done elsewhere.
    async fn encoded(&self, found: Vec<Arc<Variable>>, encoding: Encoding) -> Result<Vec<pb::Variable>> {
        let encode =
            move |found: Vec<Arc<Variable>>| found.iter().map(|found| variable(found, encoding)).collect();
        if !found.iter().any(|found| is_costly(found, encoding)) {
            return Ok(encode(found));
        }
        self.home
            .spawn_blocking(move || encode(found))
            .await
            .map_err(|_| Error::new(Kind::ShuttingDown, "the bridge is shutting down"))
    }
}

/// A reply that a message can carry. One that cannot is refused by what it is, and not cut off by the transport.
fn fits<M: prost::Message>(reply: Response<M>) -> Reply<M> {
    let length = reply.get_ref().encoded_len();
    if length <= MAX_MESSAGE_BYTES {
        return Ok(reply);
    }
    Err(Error::new(
        Kind::MessageTooLarge,
        format!("the reply has {length} bytes, a message has at most {MAX_MESSAGE_BYTES}"),
    )
    .hint("ask for fewer variables at once; arrays are smallest for a client that reads binary values")
    .into())
}

pub(super) fn batch_limit(count: usize) -> Result<(), Status> {
    if count > MAX_BATCH {
        let error = Error::new(
            Kind::LimitExceeded,
            format!("a batch has at most {MAX_BATCH} variables"),
        );
        return Err(error.detail(format!("this one has {count}")).into());
    }
    Ok(())
}

fn pattern(pattern: &str) -> Selector {
    if pattern.is_empty() {
        Selector::default()
    } else {
        Selector::new([pattern])
    }
}

/// Reading the past comes with history; until then it is refused, not answered with the present.
fn refuse_past(at_revision: Option<u64>) -> Result<(), Status> {
    match at_revision {
        None => Ok(()),
        Some(_) => Err(Error::new(
            Kind::NotServed,
            "reading at a revision is not served by this release",
        )
        .into()),
    }
}
