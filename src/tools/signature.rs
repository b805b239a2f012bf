//! What a tool takes, and the check of a call's parameters against it before a worker is bothered.
//!
//! Values are looked at, never re-encoded: the bytes that came are the bytes that go on. The check reads the
//! outer JSON type of each value; what is inside it is the tool's own business.

use std::collections::{HashMap, HashSet};

use crate::proto::Any;
use bytes::Bytes;

use super::nearest::nearest;
use crate::error::{Error, Kind, Outcome};
use crate::proto::bridge::ParameterSpec;

/// The parameters of one tool, prepared for checking.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    tool: String,
    parameters: Vec<ParameterSpec>,
    /// Parameters whose schema takes null.
    nullable: HashSet<String>,
    accepts_extra: bool,
}

impl Signature {
    pub(super) fn new(tool: &str, parameters: &[ParameterSpec], accepts_extra: bool, schema: &str) -> Self {
        Self {
            tool: tool.to_owned(),
            parameters: parameters.to_vec(),
            nullable: nullable(schema),
            accepts_extra,
        }
    }

    /// Refuses a call that does not fit, with every problem that it has.
    pub(super) fn check(
        &self,
        given: &HashMap<String, Any>,
        binary: &HashMap<String, Bytes>,
    ) -> Result<(), Error> {
        let mut problems = Vec::new();
        for spec in &self.parameters {
            match given.get(&spec.name) {
                // A binary value has only its header among the parameters.
                _ if binary.contains_key(&spec.name) => {}
                // The hint is what makes it the running call, and it is easily forgotten.
                None if spec.required && spec.name == "ctx" && spec.r#type == "any" => problems
                    .push("`ctx` is missing (any): to be given the call, hint it `ctx: Context`".to_owned()),
                None if spec.required => {
                    problems.push(format!("`{}` is missing ({})", spec.name, spec.r#type))
                }
                None => {}
                Some(value) => problems.extend(self.mismatch(spec, value)),
            }
        }
        if !self.accepts_extra {
            problems.extend(self.unknown(given.keys().chain(binary.keys())));
        }
        if problems.is_empty() {
            return Ok(());
        }
        let mut error = Error::new(
            Kind::BadParameters,
            format!("invalid parameters for `{}`", self.tool),
        );
        for problem in problems {
            error = error.detail(problem);
        }
        Err(error
            .outcome(Outcome::NeverStarted)
            .hint(format!("see `snakepit tool describe {}`", self.tool)))
    }

    fn mismatch(&self, spec: &ParameterSpec, value: &Any) -> Option<String> {
        let Some(json) = JsonType::of(&value.value) else {
            return Some(format!("`{}` is not JSON: {}", spec.name, excerpt(&value.value)));
        };
        let null_is_fine = !spec.required || self.nullable.contains(&spec.name);
        if json.fits(&spec.r#type) || (json == JsonType::Null && null_is_fine) {
            return None;
        }
        let name = &spec.name;
        Some(format!(
            "`{name}` wants {}, got {}: {}",
            spec.r#type,
            json.name(),
            excerpt(&value.value)
        ))
    }

    fn unknown<'a>(&self, given: impl Iterator<Item = &'a String>) -> Vec<String> {
        let known = || self.parameters.iter().map(|spec| spec.name.as_str());
        let mut unknown: Vec<&str> = given
            .map(String::as_str)
            .filter(|name| !known().any(|other| other == *name))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        let say = |name: &str| match nearest(name, known()) {
            Some(near) => format!("`{name}` is not a parameter: did you mean `{near}`?"),
            None => format!("`{name}` is not a parameter"),
        };
        unknown.into_iter().map(say).collect()
    }
}

/// The names of properties that the schema lets be null.
fn nullable(schema: &str) -> HashSet<String> {
    let takes_null = |property: &serde_json::Value| {
        let null = |value: &serde_json::Value| value.as_str() == Some("null");
        let own = &property["type"];
        let listed = own.as_array().is_some_and(|types| types.iter().any(null));
        let choices = property["anyOf"]
            .as_array()
            .or_else(|| property["oneOf"].as_array());
        null(own) || listed || choices.is_some_and(|all| all.iter().any(|one| null(&one["type"])))
    };
    let parsed: serde_json::Value = serde_json::from_str(schema).unwrap_or_default();
    let properties = parsed["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .filter(|(_, property)| takes_null(property))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The outer type of a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JsonType {
    Null,
    Bool,
    Int,
    Float,
    String,
    List,
    Object,
}

impl JsonType {
    /// Reads as much as tells the type: scalars whole, lists and objects by their brackets.
    fn of(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        match (text.first()?, text.last()?) {
            (b'"', b'"') if text.len() > 1 => Some(Self::String),
            (b'[', b']') => Some(Self::List),
            (b'{', b'}') => Some(Self::Object),
            _ => match text {
                b"null" => Some(Self::Null),
                b"true" | b"false" => Some(Self::Bool),
                // Python's json writes and reads these bare tokens.
                b"NaN" | b"Infinity" | b"-Infinity" => Some(Self::Float),
                number => Self::number(number),
            },
        }
    }

    fn number(text: &[u8]) -> Option<Self> {
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
            return Some(Self::Int);
        }
        serde_json::from_slice::<f64>(text).ok().map(|_| Self::Float)
    }

    /// Whether a value of this type is taken by a parameter of that type. Types that are not known here take all.
    fn fits(self, wanted: &str) -> bool {
        let wanted = wanted.split('[').next().unwrap_or(wanted);
        match wanted {
            "str" | "bytes" => self == Self::String,
            "int" => self == Self::Int,
            "float" => matches!(self, Self::Int | Self::Float),
            "bool" => self == Self::Bool,
            "list" => self == Self::List,
            "dict" => self == Self::Object,
            _ => true,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::String => "str",
            Self::List => "list",
            Self::Object => "dict",
        }
    }
}

/// The start of a value, for a message.
fn excerpt(value: &[u8]) -> String {
    const SHOWN: usize = 40;
    let text = String::from_utf8_lossy(&value[..value.len().min(4 * SHOWN)]);
    let shown: String = text.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if shown.len() < value.len() {
        format!("{shown}…")
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, kind: &str, required: bool) -> ParameterSpec {
        ParameterSpec {
            name: name.into(),
            r#type: kind.into(),
            required,
            ..Default::default()
        }
    }

    fn given(pairs: &[(&str, &str)]) -> HashMap<String, Any> {
        let any = |json: &str| Any {
            type_url: "type.googleapis.com/snakepit.any".into(),
            value: json.to_owned().into(),
        };
        pairs
            .iter()
            .map(|(name, json)| ((*name).to_owned(), any(json)))
            .collect()
    }

    fn check(pairs: &[(&str, &str)]) -> Vec<String> {
        let parameters = [
            spec("epochs", "int", true),
            spec("rate", "float", false),
            spec("name", "str", true),
        ];
        let signature = Signature::new("train", &parameters, false, "");
        match signature.check(&given(pairs), &HashMap::new()) {
            Ok(()) => Vec::new(),
            Err(error) => error.details().to_vec(),
        }
    }

    #[test]
    fn every_problem_is_listed_at_once() {
        assert_eq!(
            check(&[("epoch", "3"), ("rate", "\"fast\"")]),
            [
                "`epochs` is missing (int)",
                "`rate` wants float, got str: \"fast\"",
                "`name` is missing (str)",
                "`epoch` is not a parameter: did you mean `epochs`?",
            ]
        );
    }

    #[test]
    fn an_integer_is_a_float_and_not_the_other_way_round() {
        assert!(check(&[("epochs", "3"), ("rate", "1"), ("name", "\"a\"")]).is_empty());
        assert!(check(&[("epochs", "3"), ("rate", "NaN"), ("name", "\"a\"")]).is_empty());
        assert_eq!(
            check(&[("epochs", "3.5"), ("name", "\"a\"")]),
            ["`epochs` wants int, got float: 3.5"]
        );
        assert_eq!(
            check(&[("epochs", "true"), ("name", "\"a\"")]),
            ["`epochs` wants int, got bool: true"]
        );
    }

    #[test]
    fn null_is_taken_where_the_parameter_may_be_left_out_or_the_schema_says_so() {
        assert!(check(&[("epochs", "1"), ("rate", "null"), ("name", "\"a\"")]).is_empty());
        assert_eq!(
            check(&[("epochs", "null"), ("name", "\"a\"")]),
            ["`epochs` wants int, got null: null"]
        );
        let schema = r#"{"properties": {"epochs": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}}"#;
        let signature = Signature::new("train", &[spec("epochs", "int", true)], false, schema);
        assert!(
            signature
                .check(&given(&[("epochs", "null")]), &HashMap::new())
                .is_ok()
        );
    }

    #[test]
    fn text_that_is_no_json_is_said_to_be_none() {
        assert_eq!(
            check(&[("epochs", "1"), ("name", "bare")]),
            ["`name` is not JSON: bare"]
        );
        assert_eq!(
            check(&[("epochs", ""), ("name", "\"a\"")]),
            ["`epochs` is not JSON: "]
        );
    }

    #[test]
    fn a_tool_that_takes_more_takes_more() {
        let signature = Signature::new("any", &[], true, "");
        assert!(signature.check(&given(&[("x", "1")]), &HashMap::new()).is_ok());
    }
}
