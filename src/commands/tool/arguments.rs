//! Arguments of a call as they are typed, read by the tool's own declaration: no quoting games.

use std::collections::HashSet;

use serde_json::Map;
use serde_json::value::RawValue;

use crate::client::{ToolView, Value};
use crate::commands::literal::Literal;
use crate::error::{Error, Kind, Result};
use crate::ui::nearest;

/// Arguments of a call.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// Those that are JSON.
    pub(super) values: Vec<(String, Value)>,
    /// Those that are bytes.
    pub(super) binary: Vec<(String, Vec<u8>)>,
}

/// Reads `k=v`, `k:=JSON`, `k=@file` and the object of `--args`. What is typed wins over the object.
///
/// # Errors
/// [`Kind::BadParameters`] with every problem as a detail.
pub(super) fn read(tool: &ToolView, typed: &[String], object: Option<&str>) -> Result<Arguments> {
    let mut arguments = Arguments::default();
    let mut problems: Vec<String> = Vec::new();
    let mut hints: Vec<String> = Vec::new();
    if let Some(text) = object {
        arguments.values = whole(text)?;
    }
    let mut seen = HashSet::new();
    for word in typed {
        let (name, source) = split(word)?;
        if !seen.insert(name.clone()) {
            return Err(Error::new(Kind::Usage, format!("`{name}` is named twice")));
        }
        arguments.values.retain(|(known, _)| *known != name);
        let type_name = declared(tool, &name);
        match value(&source, type_name, &name) {
            Ok(Typed::Json(value)) => arguments.values.push((name, value)),
            Ok(Typed::Bytes(bytes)) => arguments.binary.push((name, bytes)),
            Err(error) if matches!(error.kind(), Kind::WrongType | Kind::BadEncoding) => {
                problems.push(format!(
                    "`{name}`: {}",
                    error.details().first().map_or(error.message(), String::as_str)
                ));
            }
            Err(error) => return Err(error),
        }
    }
    let names = arguments
        .values
        .iter()
        .map(|(name, _)| name)
        .chain(arguments.binary.iter().map(|(name, _)| name));
    for name in names.filter(|name| !tool.accepts_extra && declared(tool, name).is_none()) {
        problems.push(format!("`{name}` is not a parameter of `{}`", tool.name));
        let known = tool.parameters.iter().map(|parameter| parameter.name.as_str());
        hints.extend(nearest(name, known).map(|near| format!("did you mean `{near}`?")));
    }
    if problems.is_empty() {
        return Ok(arguments);
    }
    // The bridge would tell the rest only of a call that reached it.
    problems.extend(the_rest(tool, &arguments, &problems));
    let error = Error::new(
        Kind::BadParameters,
        format!("invalid parameters for `{}`", tool.name),
    );
    let error = problems.into_iter().fold(error, Error::detail);
    let error = hints.into_iter().fold(error, Error::hint);
    Err(error.hint(format!("it takes ({})", tool.signature())))
}

/// What else is wrong with a call that is refused here: values of a wrong type, and what is missing.
fn the_rest(tool: &ToolView, arguments: &Arguments, told: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    for parameter in &tool.parameters {
        let (name, wanted) = (&parameter.name, &parameter.type_name);
        let begins = format!("`{name}`");
        if told.iter().any(|problem| problem.starts_with(&begins)) {
            continue;
        }
        let binary = arguments.binary.iter().any(|(known, _)| known == name);
        match arguments.values.iter().find(|(known, _)| known == name) {
            Some((_, value)) if !value.is_null() && !fits(value, wanted) => {
                problems.push(format!("`{name}` wants {wanted}, got {}", value.text()));
            }
            None if parameter.required && !binary => problems.push(format!("`{name}` is missing ({wanted})")),
            _ => {}
        }
    }
    problems
}

/// A value as it was typed: text that the declaration explains, or JSON whatever it says.
#[derive(Debug, PartialEq)]
enum Source {
    Declared(String),
    Json(String),
}

enum Typed {
    Json(Value),
    Bytes(Vec<u8>),
}

fn split(word: &str) -> Result<(String, Source)> {
    let (name, text) = word.split_once('=').ok_or_else(|| {
        Error::new(Kind::Usage, format!("`{word}` is not an argument"))
            .hint("write NAME=VALUE, NAME:=JSON or NAME=@FILE, or give them all with `--args @FILE`")
    })?;
    Ok(match name.strip_suffix(':') {
        Some(name) => (name.to_owned(), Source::Json(text.to_owned())),
        None => (name.to_owned(), Source::Declared(text.to_owned())),
    })
}

fn declared<'a>(tool: &'a ToolView, name: &str) -> Option<&'a str> {
    let parameter = tool.parameters.iter().find(|parameter| parameter.name == name)?;
    Some(&parameter.type_name)
}

fn value(source: &Source, type_name: Option<&str>, name: &str) -> Result<Typed> {
    let text = match source {
        Source::Json(text) => return json(&Literal::read(text)?, name).map(Typed::Json),
        Source::Declared(text) => text,
    };
    let literal = match text.as_str() {
        // An empty word and a lone dash are texts like any other; only @ reads a file.
        "-" => Literal::Word(text.clone()),
        _ => Literal::read(text)?,
    };
    let of = format!("`{name}`");
    let value = match type_name {
        Some("str") => match &literal {
            Literal::Word(word) => Value::from_text("string", word)?,
            contents @ Literal::Contents(..) => contents.value("string", &of)?,
        },
        Some("int") => literal.value("integer", &of)?,
        Some("float") => literal.value("float", &of)?,
        Some("bool") => literal.value("boolean", &of)?,
        Some("list") => literal.value("list", &of)?,
        Some("dict") => literal.value("map", &of)?,
        Some("bytes") => return Ok(Typed::Bytes(literal.bytes())),
        _ => literal.inferred()?,
    };
    match type_name.is_none_or(|type_name| fits(&value, type_name)) {
        true => Ok(Typed::Json(value)),
        false => Err(Error::new(Kind::WrongType, "wrong type").detail(format!(
            "`{}` is not of type {}",
            value.text(),
            type_name.unwrap_or_default()
        ))),
    }
}

/// JSON whatever the declaration says.
fn json(literal: &Literal, name: &str) -> Result<Value> {
    let value = literal.inferred()?;
    let text = match literal {
        Literal::Word(word) => word.as_str(),
        Literal::Contents(..) => value.json(),
    };
    // What is inferred from text that is no JSON is that text as a string: here it has to be JSON itself.
    Value::from_json(value.type_name(), text).map_err(|_| {
        Error::new(Kind::WrongType, "wrong type")
            .detail(format!("`{text}` is not JSON (`{name}:=` wants JSON)"))
    })
}

/// Whether JSON of that shape can be a Python value of the declared type. The bridge checks again.
fn fits(value: &Value, type_name: &str) -> bool {
    let tree = value.tree();
    let special = matches!(tree.as_str(), Some("NaN" | "Infinity" | "-Infinity"));
    match type_name {
        "str" => tree.is_string(),
        "int" => tree.is_number() && !value.json().contains(['.', 'e', 'E']),
        "float" => tree.is_number() || special,
        "bool" => tree.is_boolean(),
        "list" => tree.is_array(),
        "dict" => tree.is_object(),
        _ => true,
    }
}

/// The object of `--args`: JSON, `@file`, or `-` for stdin.
fn whole(text: &str) -> Result<Vec<(String, Value)>> {
    let bytes = Literal::read(text)?.bytes();
    let object: Map<String, serde_json::Value> = serde_json::from_slice(&bytes).map_err(|cause| {
        Error::new(Kind::Usage, "`--args` is not a JSON object").detail(cause.to_string())
    })?;
    // Read again as it is written, so that no digit is lost.
    let raw: std::collections::HashMap<String, Box<RawValue>> =
        serde_json::from_slice(&bytes).unwrap_or_default();
    let texts = object.keys().filter_map(|name| Some((name, raw.get(name)?)));
    texts
        .map(|(name, raw)| {
            let value = Literal::Word(raw.get().to_owned()).inferred()?;
            Ok((name.clone(), Value::from_json(value.type_name(), raw.get())?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ParameterView;

    fn tool() -> ToolView {
        let parameter = |name: &str, type_name: &str| ParameterView {
            name: name.into(),
            type_name: type_name.into(),
            description: String::new(),
            required: true,
            default: Value::decode(None).unwrap(),
        };
        ToolView {
            name: "train".into(),
            description: String::new(),
            kind: "worker".into(),
            scope: None,
            streams: true,
            idempotent: false,
            parameters: vec![
                parameter("epochs", "int"),
                parameter("rate", "float"),
                parameter("label", "str"),
                parameter("dry", "bool"),
                parameter("layers", "list"),
                parameter("anything", "any"),
            ],
            accepts_extra: false,
            timeout_ms: None,
            required_variables: Vec::new(),
            input_schema: Box::default(),
            output_schema: Box::default(),
            workers: Vec::new(),
        }
    }

    fn one(word: &str) -> Result<String> {
        let arguments = read(&tool(), &[word.to_owned()], None)?;
        Ok(arguments.values[0].1.json().to_owned())
    }

    #[test]
    fn the_declaration_says_how_a_word_is_read() {
        for (word, json) in [
            ("epochs=200", "200"),
            ("epochs:=200", "200"),
            ("rate=1", "1"),
            ("rate=-1e-3", "-1e-3"),
            ("label=200", "\"200\""),
            ("label=a=b", "\"a=b\""),
            ("label=\"q\"", "\"\\\"q\\\"\""),
            ("label=", "\"\""),
            ("label=-", "\"-\""),
            ("dry=true", "true"),
            ("layers=[1,2]", "[1,2]"),
            ("anything=free text", "\"free text\""),
            ("anything=5", "5"),
        ] {
            assert_eq!(one(word).unwrap(), json, "{word}");
        }
    }

    #[test]
    fn every_problem_is_told_at_once_with_the_nearest_name() {
        let words = ["epoch=1", "rate=fast", "dry=1", "layers:=5", "anything=x"].map(str::to_owned);
        let error = read(&tool(), &words, None).unwrap_err();
        assert_eq!(error.kind(), Kind::BadParameters);
        assert_eq!(
            error.details()[3..],
            [
                "`epochs` is missing (int)",
                "`label` is missing (str)",
                "`layers` wants list, got 5"
            ],
            "{error:?}"
        );
        assert!(
            error.hints().contains(&"did you mean `epochs`?".to_owned()),
            "{error:?}"
        );
        assert_eq!(one("epochs=1.5").unwrap_err().kind(), Kind::BadParameters);
        assert_eq!(one("epochs:=many").unwrap_err().kind(), Kind::BadParameters);
        assert_eq!(one("epochs").unwrap_err().kind(), Kind::Usage);
    }

    #[test]
    fn an_object_gives_all_and_words_win_over_it() {
        let object = r#"{"epochs": 123456789012345678901234567890, "label": "x"}"#;
        let arguments = read(&tool(), &["label=y".to_owned()], Some(object)).unwrap();
        let told: Vec<_> = arguments
            .values
            .iter()
            .map(|(name, value)| (name.as_str(), value.json()))
            .collect();
        assert_eq!(
            told,
            [("epochs", "123456789012345678901234567890"), ("label", "\"y\"")]
        );
        assert_eq!(read(&tool(), &[], Some("[1]")).unwrap_err().kind(), Kind::Usage);
    }
}
