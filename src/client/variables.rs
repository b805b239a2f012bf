//! Variables: read, write, declare, list.

use std::collections::{BTreeMap, HashMap};

use super::view::exact;
use super::{Client, Value, VariableView};
use crate::error::{Error, Kind, Result};
use crate::proto::bridge::{
    BatchGetVariablesRequest, BatchSetVariablesRequest, IfExists, ListVariablesRequest,
    RegisterVariableRequest, SetVariableRequest,
};

/// Variables of one page of a list.
const PAGE: u32 = 1_000;

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

    /// Lists variables by name; an empty pattern lists all.
    pub async fn list_variables(&self, pattern: &str) -> Result<Vec<VariableView>> {
        let mut request = ListVariablesRequest {
            session_id: self.session().to_owned(),
            pattern: pattern.to_owned(),
            page_size: PAGE,
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
            // The further pages are of the same moment as the first.
            request.page_token = page.next_page_token;
            request.at_revision.get_or_insert(page.revision);
        }
    }

    /// Writes one variable. Never repeated by itself.
    pub async fn set(&self, name: &str, value: &Value, expected: Option<u64>) -> Result<Written> {
        let request = SetVariableRequest {
            session_id: self.session().to_owned(),
            variable_identifier: name.to_owned(),
            value: Some(value.encode()),
            metadata: metadata(),
            expected_version64: expected,
            ..Default::default()
        };
        let reply = self
            .once(request, async |bridge, request| {
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

    /// Writes several variables in one revision, or none of them.
    ///
    /// # Errors
    /// The first refusal's kind, with every refusal as a detail.
    pub async fn set_many(&self, values: &[(String, Value)]) -> Result<WrittenMany> {
        let request = BatchSetVariablesRequest {
            session_id: self.session().to_owned(),
            updates: values
                .iter()
                .map(|(name, value)| (name.clone(), value.encode()))
                .collect(),
            metadata: metadata(),
            atomic: true,
            ..Default::default()
        };
        let reply = self
            .once(request, async |bridge, request| {
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
        let request = RegisterVariableRequest {
            session_id: self.session().to_owned(),
            name: declared.name,
            r#type: declared.value.type_name().to_owned(),
            initial_value: Some(declared.value.encode()),
            constraints_json: declared.constraints,
            metadata: metadata(),
            if_exists: declared.if_exists as i32,
            type_inferred: declared.type_inferred,
            ..Default::default()
        };
        let reply = self
            .once(request, async |bridge, request| {
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
