//! Variables: read, write, declare, list.

use std::collections::{BTreeMap, HashMap};

use super::view::exact;
use super::{Client, Value, VariableView};
use crate::error::{Error, Kind, Result};
use crate::proto::admin::{DescribeVariablesRequest, SetConstraintsRequest, SetMetadataRequest};
use crate::proto::bridge::{
    BatchGetVariablesRequest, BatchSetVariablesRequest, DeleteVariableRequest, IfExists,
    ListVariablesRequest, RegisterVariableRequest, SetVariableRequest,
};

/// The metadata key that says who writes, and what we say there.
const SOURCE: (&str, &str) = ("source", "cli");

/// What a write made.
#[derive(Debug, Clone)]
pub struct Written {
    /// The version that it made.
    pub version: u64,
    /// Its revision.
    pub revision: u64,
    /// Watches that are open in the session.
    pub watches: u32,
    /// Calls that run in the session.
    pub running_calls: u32,
}

/// What an atomic write of several variables made.
#[derive(Debug, Clone)]
pub struct WrittenMany {
    /// The versions, by the name that was used.
    pub versions: BTreeMap<String, u64>,
    /// The one revision.
    pub revision: u64,
    /// Watches that are open in the session.
    pub watches: u32,
    /// Calls that run in the session.
    pub running_calls: u32,
}

/// A declaration of a variable.
#[derive(Debug, Clone)]
pub struct Register {
    /// Its name.
    pub name: String,
    /// Its first value, with its type.
    pub value: Value,
    /// Its constraints as a JSON object; empty = none.
    pub constraints: String,
    /// Nobody named the type.
    pub type_inferred: bool,
    /// What to do with a name that is taken.
    pub if_exists: IfExists,
}

/// What a declaration found or made.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The variable's id.
    pub id: String,
    /// The version in force.
    pub version: u64,
    /// The revision of the commit, or the one it was found at.
    pub revision: u64,
    /// It was there before.
    pub existed: bool,
}

impl Client {
    /// Reads variables of one revision: those that are there, in the order asked for, and the names of the others.
    pub async fn variables(&self, names: &[String]) -> Result<(Vec<VariableView>, Vec<String>)> {
        let request = BatchGetVariablesRequest {
            session_id: self.session().to_owned(),
            variable_identifiers: names.to_vec(),
            include_metadata: true,
            ..Default::default()
        };
        let reply = self
            .read(request, async |bridge, request| {
                bridge.get_variables(request).await
            })
            .await?;
        let found = names.iter().filter_map(|name| reply.variables.get(name).cloned());
        Ok((
            found.map(VariableView::read).collect::<Result<_>>()?,
            reply.missing_variables,
        ))
    }

    /// Reads one variable.
    ///
    /// # Errors
    /// [`Kind::VariableNotFound`].
    pub async fn variable(&self, name: &str) -> Result<VariableView> {
        let request = crate::proto::bridge::GetVariableRequest {
            session_id: self.session().to_owned(),
            variable_identifier: name.to_owned(),
            ..Default::default()
        };
        let reply = self
            .read(request, async |bridge, request| {
                bridge.get_variable(request).await
            })
            .await?;
        let variable = reply.variable.ok_or_else(|| incomplete("GetVariable"))?;
        VariableView::read(variable)
    }

    /// Variables without their values (null), by name; and the names that do not exist.
    pub async fn described(&self, names: &[String]) -> Result<(Vec<VariableView>, Vec<String>)> {
        let request = DescribeVariablesRequest {
            session_id: self.session().to_owned(),
            variable_identifiers: names.to_vec(),
        };
        let reply = self
            .ask(request, async |admin, request| {
                admin.describe_variables(request).await
            })
            .await?;
        let found = reply.variables.into_iter().map(VariableView::read);
        Ok((found.collect::<Result<_>>()?, reply.missing))
    }

    /// Lists variables by name; an empty pattern lists all. One page holds what 16 MiB can, and is of one revision; a
    /// further page shows what there is by then.
    pub async fn list_variables(&self, pattern: &str) -> Result<Vec<VariableView>> {
        let mut request = ListVariablesRequest {
            session_id: self.session().to_owned(),
            pattern: pattern.to_owned(),
            ..Default::default()
        };
        let mut all = Vec::new();
        loop {
            let page = self
                .read(request.clone(), async |bridge, request| {
                    bridge.list_variables(request).await
                })
                .await?;
            for variable in page.variables {
                all.push(VariableView::read(variable)?);
            }
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Writes one variable.
    pub async fn set(&self, name: &str, value: &Value, expected: Option<u64>) -> Result<Written> {
        let (encoded, payload) = value.encode_with();
        let request = SetVariableRequest {
            session_id: self.session().to_owned(),
            variable_identifier: name.to_owned(),
            value: Some(encoded),
            binary_value: payload,
            metadata: metadata(),
            expected_version64: expected,
            request_id: request_id()?,
            ..Default::default()
        };
        let reply = self
            .read(request, async |bridge, request| {
                bridge.set_variable(request).await
            })
            .await?;
        refused(reply.success, &reply.error_message)?;
        Ok(Written {
            version: exact(reply.version64, reply.new_version),
            revision: reply.revision,
            watches: reply.watches,
            running_calls: reply.running_calls,
        })
    }

    /// Writes several variables in one revision, or none of them. `expected` are the versions that have to be current.
    ///
    /// # Errors
    /// The first refusal's kind, with every refusal as a detail.
    pub async fn set_many(
        &self,
        values: &[(String, Value)],
        expected: &BTreeMap<String, u64>,
    ) -> Result<WrittenMany> {
        let (mut updates, mut binary_updates) = (HashMap::new(), HashMap::new());
        for (name, value) in values {
            let (encoded, payload) = value.encode_with();
            updates.insert(name.clone(), encoded);
            if !payload.is_empty() {
                binary_updates.insert(name.clone(), payload);
            }
        }
        let request = BatchSetVariablesRequest {
            session_id: self.session().to_owned(),
            updates,
            binary_updates,
            expected_versions: expected
                .iter()
                .map(|(name, version)| (name.clone(), *version))
                .collect(),
            request_id: request_id()?,
            metadata: metadata(),
            atomic: true,
        };
        let reply = self
            .read(request, async |bridge, request| {
                bridge.set_variables(request).await
            })
            .await?;
        if !reply.success || !reply.errors.is_empty() {
            return Err(batch_refused(reply.errors, &reply.error_codes));
        }
        let versions = reply.new_versions.iter().map(|(name, version)| {
            let wide = reply.new_versions64.get(name).copied().unwrap_or_default();
            (name.clone(), exact(wide, *version))
        });
        Ok(WrittenMany {
            versions: versions.collect(),
            revision: reply.revision,
            watches: reply.watches,
            running_calls: reply.running_calls,
        })
    }

    /// Declares a variable.
    pub async fn register(&self, declared: Register) -> Result<Registered> {
        let (encoded, payload) = declared.value.encode_with();
        let request = RegisterVariableRequest {
            session_id: self.session().to_owned(),
            name: declared.name,
            r#type: declared.value.type_name().to_owned(),
            initial_value: Some(encoded),
            initial_binary_value: payload,
            request_id: request_id()?,
            constraints_json: declared.constraints,
            metadata: metadata(),
            if_exists: declared.if_exists as i32,
            type_inferred: declared.type_inferred,
            ..Default::default()
        };
        let reply = self
            .read(request, async |bridge, request| {
                bridge.register_variable(request).await
            })
            .await?;
        refused(reply.success, &reply.error_message)?;
        Ok(Registered {
            id: reply.variable_id,
            version: reply.version64,
            revision: reply.revision,
            existed: reply.existed,
        })
    }

    /// Deletes a variable; the revision of its tombstone.
    ///
    /// # Errors
    /// [`Kind::VariableNotFound`]; [`Kind::VersionMismatch`] where another version than `expected` is current.
    pub async fn delete(&self, name: &str, expected: Option<u64>) -> Result<u64> {
        let request = DeleteVariableRequest {
            session_id: self.session().to_owned(),
            variable_identifier: name.to_owned(),
            metadata: metadata(),
            expected_version64: expected,
            request_id: request_id()?,
            ..Default::default()
        };
        let reply = self
            .read(request, async |bridge, request| {
                bridge.delete_variable(request).await
            })
            .await?;
        refused(reply.success, &reply.error_message)?;
        Ok(reply.revision)
    }

    /// Replaces the constraints of a variable; version and revision that this made.
    ///
    /// # Errors
    /// [`Kind::ConstraintViolated`] where the value that is there breaks them.
    pub async fn constrain(
        &self,
        name: &str,
        constraints: &str,
        expected: Option<u64>,
    ) -> Result<(u64, u64)> {
        let request = SetConstraintsRequest {
            session_id: self.session().to_owned(),
            variable_identifier: name.to_owned(),
            constraints_json: constraints.to_owned(),
            metadata: metadata(),
            expected_version64: expected,
            request_id: request_id()?,
        };
        let reply = self
            .ask(request, async |admin, request| {
                admin.set_constraints(request).await
            })
            .await?;
        Ok((reply.version64, reply.revision))
    }

    /// Changes the metadata of a variable and nothing else; version and revision that this made.
    pub async fn remark(
        &self,
        name: &str,
        set: BTreeMap<String, String>,
        remove: Vec<String>,
    ) -> Result<(u64, u64)> {
        let request = SetMetadataRequest {
            session_id: self.session().to_owned(),
            variable_identifier: name.to_owned(),
            metadata: set.into_iter().collect(),
            remove,
            expected_version64: None,
            request_id: request_id()?,
        };
        let reply = self
            .ask(request, async |admin, request| admin.set_metadata(request).await)
            .await?;
        Ok((reply.version64, reply.revision))
    }
}

/// An id that no other request has: 128 random bits. Under it the bridge tells a repeat from a second wish.
fn request_id() -> Result<String> {
    let mut bits = [0u8; 16];
    getrandom::fill(&mut bits)
        .map_err(|cause| Error::new(Kind::Internal, format!("no random numbers: {cause}")))?;
    Ok(bits.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn metadata() -> HashMap<String, String> {
    HashMap::from([(SOURCE.0.to_owned(), SOURCE.1.to_owned())])
}

fn refused(success: bool, message: &str) -> Result<()> {
    if success {
        Ok(())
    } else {
        Err(Error::new(Kind::Precondition, message))
    }
}

fn batch_refused(errors: HashMap<String, String>, codes: &HashMap<String, String>) -> Error {
    let errors: BTreeMap<_, _> = errors.into_iter().collect();
    let kind = errors
        .keys()
        .find_map(|name| Kind::from_code(codes.get(name)?))
        .unwrap_or(Kind::Precondition);
    let told = match errors.len() {
        1 => "nothing was written: one value was refused".to_owned(),
        count => format!("nothing was written: {count} values were refused"),
    };
    errors.iter().fold(Error::new(kind, told), |error, (name, why)| {
        error.detail(format!("`{name}`: {why}"))
    })
}

/// A reply that leaves out what the contract promises.
pub(super) fn incomplete(method: &str) -> Error {
    Error::new(
        Kind::VersionSkew,
        format!("the bridge's reply to {method} is incomplete"),
    )
}
