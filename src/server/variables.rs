//! Variables: register, get, set, list, delete, batches.

use std::collections::HashMap;

use tonic::{Request, Response, Status};

use super::{
    bridge_service::{Reply, Service, durability, unserved},
    origin,
};
use crate::{
    bridge::Live,
    error::{Error, Kind, Result},
    proto::bridge as pb,
    session::{Command, Declare, Delete, IfExists, MAX_BATCH, Metadata, Selector, Set, Version},
    value::Type,
    wire::{
        value::raw,
        variable::{variable, version},
    },
};

/// Variables on one page of a list when the caller does not say.
const PAGE: usize = 10_000;

impl Service {
    pub(super) async fn get_variable(
        &self,
        request: Request<pb::GetVariableRequest>,
    ) -> Reply<pb::GetVariableResponse> {
        let encoding = origin::encoding(request.metadata());
        let request = request.into_inner();
        refuse_past(request.at_revision)?;
        let live = self.bridge.session(&request.session_id)?;
        let (found, revision) = {
            let state = live.read();
            (state.get(&request.variable_identifier)?.clone(), state.revision)
        };
        Ok(Response::new(pb::GetVariableResponse {
            variable: Some(variable(&found, encoding)),
            from_cache: false,
            revision: revision.0,
            epoch: live.epoch().0,
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
        let state = live.read();
        let mut reply = pb::BatchGetVariablesResponse {
            revision: state.revision.0,
            epoch: live.epoch().0,
            variables: HashMap::with_capacity(request.variable_identifiers.len()),
            missing_variables: Vec::new(),
        };
        for identifier in request.variable_identifiers {
            match state.find(&identifier) {
                Some(found) => {
                    reply.variables.insert(identifier, variable(found, encoding));
                }
                None => reply.missing_variables.push(identifier),
            }
        }
        Ok(Response::new(reply))
    }

    pub(super) async fn list_variables(
        &self,
        request: Request<pb::ListVariablesRequest>,
    ) -> Reply<pb::ListVariablesResponse> {
        let encoding = origin::encoding(request.metadata());
        let request = request.into_inner();
        refuse_past(request.at_revision)?;
        let live = self.bridge.session(&request.session_id)?;
        let state = live.read();
        let selector = pattern(&request.pattern);
        let page = usize::try_from(request.page_size)
            .ok()
            .filter(|size| *size > 0)
            .unwrap_or(PAGE);
        let mut variables: Vec<_> = state
            .select(&selector)
            .filter(|found| found.name.as_str() > request.page_token.as_str())
            .take(page.saturating_add(1))
            .collect();
        let more = variables.len() > page;
        variables.truncate(page);
        let next = variables
            .last()
            .filter(|_| more)
            .map(|last| last.name.as_str().to_owned());
        Ok(Response::new(pb::ListVariablesResponse {
            variables: variables
                .into_iter()
                .map(|found| variable(found, encoding))
                .collect(),
            next_page_token: next.unwrap_or_default(),
            revision: state.revision.0,
            epoch: live.epoch().0,
            total: u32::try_from(state.select(&selector).count()).unwrap_or(u32::MAX),
        }))
    }

    pub(super) async fn register_variable(
        &self,
        request: Request<pb::RegisterVariableRequest>,
    ) -> Reply<pb::RegisterVariableResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        unserved("request_id", !request.request_id.is_empty())?;
        let live = self.bridge.session(&request.session_id)?;
        let declare = Command::Declare(Declare {
            number: self.bridge.next_number(),
            ty: declared_type(&request.r#type)?,
            inferred: request.type_inferred,
            value: raw(request.initial_value, request.initial_binary_value)?,
            constraints: request.constraints_json,
            metadata: request.metadata.into_iter().collect(),
            if_exists: if_exists(request.if_exists)?,
            name: request.name,
        });
        let committed = self.bridge.execute_one(&live, declare, actor).await?;
        let written = first(&committed.written)?;
        Ok(Response::new(pb::RegisterVariableResponse {
            success: true,
            variable_id: written.variable.id.as_str().to_owned(),
            error_message: String::new(),
            revision: committed.revision.0,
            version64: written.variable.version.0,
            existed: written.before.is_some(),
            durability: durability(committed.durability) as i32,
        }))
    }

    pub(super) async fn set_variable(
        &self,
        request: Request<pb::SetVariableRequest>,
    ) -> Reply<pb::SetVariableResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        unserved("request_id", !request.request_id.is_empty())?;
        let live = self.bridge.session(&request.session_id)?;
        let set = Command::Set(Set {
            target: request.variable_identifier,
            value: raw(request.value, request.binary_value)?,
            expected: expected(request.expected_version, request.expected_version64)?,
            metadata: request.metadata.into_iter().collect(),
        });
        let committed = self.bridge.execute_one(&live, set, actor).await?;
        let written = first(&committed.written)?;
        Ok(Response::new(pb::SetVariableResponse {
            success: true,
            error_message: String::new(),
            new_version: version(written.variable.version),
            version64: written.variable.version.0,
            revision: committed.revision.0,
            durability: durability(committed.durability) as i32,
            watches: watches(&live),
            running_calls: self.running_calls(&live),
        }))
    }

    pub(super) async fn set_variables(
        &self,
        request: Request<pb::BatchSetVariablesRequest>,
    ) -> Reply<pb::BatchSetVariablesResponse> {
        let actor = origin::actor(&request);
        let mut request = request.into_inner();
        unserved("request_id", !request.request_id.is_empty())?;
        batch_limit(request.updates.len())?;
        conditions_belong(&request)?;
        let live = self.bridge.session(&request.session_id)?;
        let metadata: Metadata = std::mem::take(&mut request.metadata).into_iter().collect();
        let atomic = request.atomic;
        let (sets, mut undecodable) = batch(request, &metadata);

        let mut reply = pb::BatchSetVariablesResponse {
            durability: durability(self.bridge.durability()) as i32,
            watches: watches(&live),
            running_calls: self.running_calls(&live),
            ..Default::default()
        };
        if atomic {
            // Everything that is wrong is told at once, so a value that cannot be read does not hide the rest.
            match self.check_or_commit(&live, sets, &undecodable, actor).await {
                Ok(Some(committed)) => {
                    reply.revision = committed.revision.0;
                    for (target, version) in committed.versions {
                        put_version(&mut reply, target, version);
                    }
                }
                Ok(None) => {}
                Err(mut refusals) => undecodable.append(&mut refusals),
            }
            reply.success = undecodable.is_empty();
        } else {
            let (written, mut refused) = self.bridge.execute_each(&live, sets, actor).await;
            undecodable.append(&mut refused);
            for (target, committed) in written {
                reply.revision = reply.revision.max(committed.revision.0);
                put_version(&mut reply, target, first(&committed.written)?.variable.version);
            }
            reply.success = true;
        }
        for (target, error) in undecodable {
            reply
                .error_codes
                .insert(target.clone(), error.kind().code().to_owned());
            reply.errors.insert(target, error.to_string());
        }
        Ok(Response::new(reply))
    }

    pub(super) async fn delete_variable(
        &self,
        request: Request<pb::DeleteVariableRequest>,
    ) -> Reply<pb::DeleteVariableResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        unserved("request_id", !request.request_id.is_empty())?;
        let live = self.bridge.session(&request.session_id)?;
        let delete = Command::Delete(Delete {
            target: request.variable_identifier,
            expected: request.expected_version64.map(Version),
            metadata: request.metadata.into_iter().collect(),
        });
        let committed = self.bridge.execute_one(&live, delete, actor).await?;
        Ok(Response::new(pb::DeleteVariableResponse {
            success: true,
            error_message: String::new(),
            revision: committed.revision.0,
            durability: durability(committed.durability) as i32,
        }))
    }

    async fn check_or_commit(
        &self,
        live: &std::sync::Arc<Live>,
        sets: Vec<Set>,
        undecodable: &[(String, Error)],
        actor: crate::session::Actor,
    ) -> Result<Option<BatchCommitted>, Vec<(String, Error)>> {
        if !undecodable.is_empty() {
            // Nothing will be written; the rest is judged so that every reason is in the answer.
            let state = live.read();
            return match crate::session::decide(&state, &Command::SetAll(sets), &actor) {
                Ok(_) => Ok(None),
                Err(refusals) => Err(refusals),
            };
        }
        let targets: Vec<String> = sets.iter().map(|set| set.target.clone()).collect();
        if targets.is_empty() {
            return Ok(None);
        }
        let committed = self.bridge.execute(live, Command::SetAll(sets), actor).await?;
        let versions = committed.written.iter().map(|written| written.variable.version);
        Ok(Some(BatchCommitted {
            revision: committed.revision,
            versions: targets.into_iter().zip(versions).collect(),
        }))
    }
}

struct BatchCommitted {
    revision: crate::session::Revision,
    versions: Vec<(String, Version)>,
}

/// The writes of a batch in name order, and those whose value cannot even be taken off the wire.
fn batch(request: pb::BatchSetVariablesRequest, metadata: &Metadata) -> (Vec<Set>, Vec<(String, Error)>) {
    let mut payloads = request.binary_updates;
    let (mut sets, mut undecodable) = (Vec::with_capacity(request.updates.len()), Vec::new());
    for (target, any) in request.updates {
        let payload = payloads.remove(&target).unwrap_or_default();
        match raw(Some(any), payload) {
            Ok(value) => sets.push(Set {
                expected: request.expected_versions.get(&target).copied().map(Version),
                target,
                value,
                metadata: metadata.clone(),
            }),
            Err(error) => undecodable.push((target, error)),
        }
    }
    sets.sort_by(|one, other| one.target.cmp(&other.target));
    (sets, undecodable)
}

fn put_version(reply: &mut pb::BatchSetVariablesResponse, target: String, to: Version) {
    reply.new_versions.insert(target.clone(), version(to));
    reply.new_versions64.insert(target, to.0);
}

fn first(written: &[crate::session::Written]) -> Result<&crate::session::Written> {
    written
        .first()
        .ok_or_else(|| Error::new(Kind::Internal, "a commit about no variable"))
}

fn watches(live: &Live) -> u32 {
    u32::try_from(live.hub().watchers()).unwrap_or(u32::MAX)
}

fn batch_limit(count: usize) -> Result<(), Status> {
    if count > MAX_BATCH {
        let error = Error::new(
            Kind::LimitExceeded,
            format!("a batch has at most {MAX_BATCH} variables"),
        );
        return Err(error.detail(format!("this one has {count}")).into());
    }
    Ok(())
}

/// A condition on something that the batch does not write would not be looked at: the write would be unconditional.
fn conditions_belong(request: &pb::BatchSetVariablesRequest) -> Result<()> {
    let stray = |target: &&String| !request.updates.contains_key(*target);
    match request.expected_versions.keys().filter(stray).min() {
        None => Ok(()),
        Some(target) => Err(Error::new(
            Kind::BadRequest,
            format!(
                "expected_versions names `{}`, which the batch does not write",
                target.escape_debug()
            ),
        )
        .hint("name a variable in the same way, by name or by id, in both")),
    }
}

fn pattern(pattern: &str) -> Selector {
    if pattern.is_empty() {
        Selector::default()
    } else {
        Selector::new([pattern])
    }
}

fn declared_type(name: &str) -> Result<Option<Type>> {
    if name.is_empty() {
        return Ok(None);
    }
    Type::parse(name).map(Some).ok_or_else(|| {
        let known: Vec<_> = Type::ALL.iter().map(|ty| ty.as_str()).collect();
        Error::new(
            Kind::UnknownType,
            format!("unknown type: `{}`", name.escape_debug()),
        )
        .hint(format!("the types are {}", known.join(", ")))
    })
}

fn expected(narrow: Option<i32>, exact: Option<u64>) -> Result<Option<Version>> {
    match (narrow, exact) {
        (_, Some(exact)) => Ok(Some(Version(exact))),
        (None, None) => Ok(None),
        (Some(narrow), None) => match u64::try_from(narrow) {
            Ok(version) => Ok(Some(Version(version))),
            Err(_) => Err(Error::new(
                Kind::BadRequest,
                format!("expected_version {narrow} is negative"),
            )),
        },
    }
}

fn if_exists(number: i32) -> Result<IfExists> {
    match pb::IfExists::try_from(number) {
        Ok(pb::IfExists::Fail) => Ok(IfExists::Fail),
        Ok(pb::IfExists::Keep) => Ok(IfExists::Keep),
        Ok(pb::IfExists::Update) => Ok(IfExists::Update),
        Ok(pb::IfExists::Reset) => Ok(IfExists::Reset),
        Err(_) => Err(Error::new(
            Kind::BadRequest,
            format!("if_exists {number} is not known"),
        )),
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
