//! Writing variables: register, set, delete, batches, constraints and metadata.

use std::sync::Arc;

use tonic::{Request, Response};

use super::{
    bridge_service::{Reply, Service, durability},
    origin,
    repeat::mark,
    variables::batch_limit,
};
use crate::{
    bridge::{Committed, Live, Refusals},
    error::{Error, Kind, Result},
    proto::{admin, bridge as pb},
    session::{Actor, Command, Constrain, Declare, Delete, IfExists, Metadata, Remark, Set, Version, decide},
    value::Type,
    wire::{value::raw, variable::version},
};

impl Service {
    pub(super) async fn register_variable(
        &self,
        request: Request<pb::RegisterVariableRequest>,
    ) -> Reply<pb::RegisterVariableResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        let live = self.bridge.session(&request.session_id)?;
        let (service, at) = (self.clone(), Arc::clone(&live));
        let reply = self.once(live.repeats(), mark(&request), async move {
            let declare = Command::Declare(Declare {
                number: service.bridge.next_number(),
                ty: declared_type(&request.r#type)?,
                inferred: request.type_inferred,
                value: raw(request.initial_value, request.initial_binary_value)?,
                constraints: request.constraints_json,
                metadata: request.metadata.into_iter().collect(),
                if_exists: if_exists(request.if_exists)?,
                name: request.name,
            });
            let committed = service.commit_one(&at, declare, actor).await?;
            let written = first(&committed.written)?;
            Ok(pb::RegisterVariableResponse {
                success: true,
                variable_id: written.variable.id.as_str().to_owned(),
                error_message: String::new(),
                revision: committed.revision.0,
                version64: written.variable.version.0,
                existed: written.before.is_some(),
                durability: durability(committed.durability) as i32,
            })
        });
        Ok(Response::new(reply.await?))
    }

    pub(super) async fn set_variable(
        &self,
        request: Request<pb::SetVariableRequest>,
    ) -> Reply<pb::SetVariableResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        let live = self.bridge.session(&request.session_id)?;
        let (service, at) = (self.clone(), Arc::clone(&live));
        let reply = self.once(live.repeats(), mark(&request), async move {
            let set = Command::Set(Set {
                target: request.variable_identifier,
                value: raw(request.value, request.binary_value)?,
                expected: expected(request.expected_version, request.expected_version64)?,
                metadata: request.metadata.into_iter().collect(),
            });
            let committed = service.commit_one(&at, set, actor).await?;
            let written = first(&committed.written)?;
            Ok(pb::SetVariableResponse {
                success: true,
                error_message: String::new(),
                new_version: version(written.variable.version),
                version64: written.variable.version.0,
                revision: committed.revision.0,
                durability: durability(committed.durability) as i32,
                watches: watches(&at),
                running_calls: service.running_calls(&at),
            })
        });
        Ok(Response::new(reply.await?))
    }

    pub(super) async fn set_variables(
        &self,
        request: Request<pb::BatchSetVariablesRequest>,
    ) -> Reply<pb::BatchSetVariablesResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        batch_limit(request.updates.len())?;
        conditions_belong(&request)?;
        let live = self.bridge.session(&request.session_id)?;
        let (service, at) = (self.clone(), Arc::clone(&live));
        let reply = self.once(live.repeats(), mark(&request), async move {
            service.write_batch(&at, request, actor).await
        });
        Ok(Response::new(reply.await?))
    }

    pub(super) async fn delete_variable(
        &self,
        request: Request<pb::DeleteVariableRequest>,
    ) -> Reply<pb::DeleteVariableResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        let live = self.bridge.session(&request.session_id)?;
        let (service, at) = (self.clone(), Arc::clone(&live));
        let reply = self.once(live.repeats(), mark(&request), async move {
            let delete = Command::Delete(Delete {
                target: request.variable_identifier,
                expected: request.expected_version64.map(Version),
                metadata: request.metadata.into_iter().collect(),
            });
            let committed = service.commit_one(&at, delete, actor).await?;
            Ok(pb::DeleteVariableResponse {
                success: true,
                error_message: String::new(),
                revision: committed.revision.0,
                durability: durability(committed.durability) as i32,
            })
        });
        Ok(Response::new(reply.await?))
    }

    pub(super) async fn set_constraints(
        &self,
        request: Request<admin::SetConstraintsRequest>,
    ) -> Reply<admin::SetConstraintsResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        let live = self.bridge.session(&request.session_id)?;
        let (service, at) = (self.clone(), Arc::clone(&live));
        let reply = self.once(live.repeats(), mark(&request), async move {
            let mut constrain = Constrain::new(request.variable_identifier, request.constraints_json);
            constrain.expected = request.expected_version64.map(Version);
            constrain.metadata = request.metadata.into_iter().collect();
            let committed = service
                .commit_one(&at, Command::Constrain(constrain), actor)
                .await?;
            let written = &first(&committed.written)?.variable;
            Ok(admin::SetConstraintsResponse {
                version64: written.version.0,
                revision: committed.revision.0,
                durability: durability(committed.durability) as i32,
                constraints_json: written.constraints.json().to_owned(),
            })
        });
        Ok(Response::new(reply.await?))
    }

    pub(super) async fn set_metadata(
        &self,
        request: Request<admin::SetMetadataRequest>,
    ) -> Reply<admin::SetMetadataResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        let live = self.bridge.session(&request.session_id)?;
        let (service, at) = (self.clone(), Arc::clone(&live));
        let reply = self.once(live.repeats(), mark(&request), async move {
            let remark = Command::Remark(Remark {
                target: request.variable_identifier,
                metadata: request.metadata.into_iter().collect(),
                remove: request.remove,
                expected: request.expected_version64.map(Version),
            });
            let committed = service.commit_one(&at, remark, actor).await?;
            Ok(admin::SetMetadataResponse {
                version64: first(&committed.written)?.variable.version.0,
                revision: committed.revision.0,
                durability: durability(committed.durability) as i32,
            })
        });
        Ok(Response::new(reply.await?))
    }

    async fn write_batch(
        &self,
        live: &Arc<Live>,
        mut request: pb::BatchSetVariablesRequest,
        actor: Actor,
    ) -> Result<pb::BatchSetVariablesResponse> {
        let metadata: Metadata = std::mem::take(&mut request.metadata).into_iter().collect();
        let atomic = request.atomic;
        let (sets, mut refused) = batch(request, &metadata);
        let sets = self.judged_ahead(live, sets).await?;
        let mut reply = pb::BatchSetVariablesResponse {
            durability: durability(self.bridge.durability()) as i32,
            watches: watches(live),
            running_calls: self.running_calls(live),
            ..Default::default()
        };
        if atomic {
            // Everything that is wrong is told at once, so a value that cannot be read does not hide the rest.
            match self.check_or_commit(live, sets, &refused, actor).await {
                Ok(Some(committed)) => {
                    reply.revision = committed.revision.0;
                    for (target, version) in committed.versions {
                        put_version(&mut reply, target, version);
                    }
                }
                Ok(None) => {}
                Err(mut refusals) => refused.append(&mut refusals),
            }
            reply.success = refused.is_empty();
        } else {
            let (written, mut refusals) = self.bridge.execute_each(live, sets, actor).await;
            refused.append(&mut refusals);
            for (target, committed) in written {
                reply.revision = reply.revision.max(committed.revision.0);
                put_version(&mut reply, target, first(&committed.written)?.variable.version);
            }
            reply.success = true;
        }
        for (target, error) in refused {
            reply
                .error_codes
                .insert(target.clone(), error.kind().code().to_owned());
            reply.errors.insert(target, error.to_string());
        }
        Ok(reply)
    }

    /// Commits; what takes long is judged where nobody waits for it.
    pub(super) async fn commit(
        &self,
        live: &Arc<Live>,
        mut command: Command,
        actor: Actor,
    ) -> Result<Committed, Refusals> {
        let ahead = command.ahead(&live.read());
        if let Some(ahead) = ahead {
            let judge = self.home.spawn_blocking(move || {
                command.judge_ahead(ahead);
                command
            });
            let Ok(judged) = judge.await else {
                let down = Error::new(Kind::ShuttingDown, "the bridge is shutting down");
                return Err(vec![(String::new(), down)]);
            };
            command = judged;
        }
        self.bridge.execute(live, command, actor).await
    }

    pub(super) async fn commit_one(
        &self,
        live: &Arc<Live>,
        command: Command,
        actor: Actor,
    ) -> Result<Committed> {
        self.commit(live, command, actor).await.map_err(|mut refusals| {
            let last = refusals.pop().map(|(_, error)| error);
            last.unwrap_or_else(|| Error::new(Kind::Internal, "a refusal without a reason"))
        })
    }

    async fn judged_ahead(&self, live: &Live, sets: Vec<Set>) -> Result<Vec<Set>> {
        let mut command = Command::SetAll(sets);
        let ahead = command.ahead(&live.read());
        if let Some(ahead) = ahead {
            let judge = self.home.spawn_blocking(move || {
                command.judge_ahead(ahead);
                command
            });
            command = judge
                .await
                .map_err(|_| Error::new(Kind::ShuttingDown, "the bridge is shutting down"))?;
        }
        match command {
            Command::SetAll(sets) => Ok(sets),
            _ => Ok(Vec::new()),
        }
    }

    async fn check_or_commit(
        &self,
        live: &Arc<Live>,
        sets: Vec<Set>,
        undecodable: &[(String, Error)],
        actor: Actor,
    ) -> Result<Option<BatchCommitted>, Vec<(String, Error)>> {
        if !undecodable.is_empty() {
            // Nothing will be written; the rest is judged so that every reason is in the answer.
            let state = live.read();
            return match decide(&state, &Command::SetAll(sets), &actor) {
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
