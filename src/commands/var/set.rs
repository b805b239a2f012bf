//! `var set`: changes one variable, or several in one revision.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{listeners, shortened, written};
use crate::client::{Client, IfExists, Register, Value};
use crate::commands::literal::Literal;
use crate::commands::{Context, suggest::suggest};
use crate::error::{Error, Kind, Result};
use crate::ui::{self, Output, Shape};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Examples:
  snakepit var set learning_rate 0.01
  snakepit var set learning_rate=0.01 batch_size=64

Change one variable, or several in one revision: then all are written or none. \
A value is JSON, or a bare word where the variable is a string; @FILE and - (stdin) read it from there, also a numpy \
file for a tensor (@w.npy). With `--create` a variable that is not there is registered, one by one, before the others \
are written.

Compare and set, told by the exit code: 5 somebody else was first, 10 a bad value, 3 no such variable.

  snakepit var set lr 0.01 --expect-version v7";

/// Change one variable, or several in one revision
#[derive(Debug, clap::Args)]
pub struct Args {
    /// NAME VALUE, or NAME=VALUE for each variable
    #[arg(required = true, value_name = "NAME VALUE | NAME=VALUE")]
    items: Vec<String>,

    /// Write only if this is the current version
    #[arg(long, value_name = "VERSION", value_parser = super::version)]
    expect_version: Option<u64>,

    /// Register a variable that is not there; its value says the type
    #[arg(long, conflicts_with = "expect_version")]
    create: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let changes = changes(&args.items)?;
    let literals: Vec<(String, Literal)> = changes
        .into_iter()
        .map(|(name, word)| Ok((name, Literal::read(&word)?)))
        .collect::<Result<_>>()?;
    let names: Vec<String> = literals.iter().map(|(name, _)| name.clone()).collect();
    if args.expect_version.is_some() && names.len() > 1 {
        return Err(Error::new(
            Kind::Usage,
            "`--expect-version` stands for one variable, and several were named",
        ));
    }
    let client = context.client().await?;
    let literals = if args.create {
        match create(&client, literals, context).await {
            Ok(left) if left.is_empty() => return Ok(()),
            Ok(left) => left,
            Err(error) => return Err(suggest(&client, &[], error).await),
        }
    } else {
        literals
    };
    let values = match typed(&client, &literals).await {
        Ok(values) => values,
        Err(error) => return Err(suggest(&client, &names, error).await),
    };
    let outcome = match values.as_slice() {
        [(name, value)] => one(&client, name, value, args.expect_version, context).await,
        several => many(&client, several, context).await,
    };
    match outcome {
        Err(error) => Err(suggest(&client, &names, error).await),
        Ok(()) => Ok(()),
    }
}

/// The pairs that were typed: all `NAME=VALUE`, or one `NAME VALUE`.
fn changes(items: &[String]) -> Result<Vec<(String, String)>> {
    if let [name, value] = items
        && !name.contains('=')
    {
        return Ok(vec![(name.clone(), value.clone())]);
    }
    let mut pairs: Vec<(String, String)> = Vec::new();
    for item in items {
        let (name, value) = item.split_once('=').ok_or_else(|| {
            let told = Error::new(Kind::Usage, format!("`{item}` has no value"));
            told.hint("write `var set NAME VALUE`, or `var set NAME=VALUE NAME=VALUE`")
        })?;
        if pairs.iter().any(|(known, _)| known == name) {
            return Err(Error::new(Kind::Usage, format!("`{name}` is named twice")));
        }
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Ok(pairs)
}

/// Registers what is not there; gives back what is.
async fn create(
    client: &Client,
    literals: Vec<(String, Literal)>,
    context: &Context,
) -> Result<Vec<(String, Literal)>> {
    let names: Vec<String> = literals.iter().map(|(name, _)| name.clone()).collect();
    let (_, missing) = client.described(&names).await?;
    let mut left = Vec::new();
    for (name, literal) in literals {
        if !missing.contains(&name) {
            left.push((name, literal));
            continue;
        }
        let value = literal.inferred()?;
        let declared = Register {
            name: name.clone(),
            value: value.clone(),
            constraints: String::new(),
            type_inferred: true,
            if_exists: IfExists::Fail,
        };
        let started = Instant::now();
        match client.register(declared).await {
            Ok(made) => {
                context.printer.done(format_args!(
                    "registered {} {name} = {}  ({})",
                    value.type_name(),
                    shortened(&value.brief()),
                    written(made.version, made.revision, started.elapsed())
                ));
                result(context, made.revision, &[(&name, made.version)])?;
            }
            // Somebody else was faster: then it is there, and to be written.
            Err(error) if error.kind() == Kind::VariableExists => left.push((name, literal)),
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}

/// What was typed, as values of the variables' types.
async fn typed(client: &Client, literals: &[(String, Literal)]) -> Result<Vec<(String, Value)>> {
    let mut values = Vec::with_capacity(literals.len());
    let names: Vec<String> = literals.iter().map(|(name, _)| name.clone()).collect();
    let (found, missing) = client.described(&names).await?;
    if let Some(name) = missing.first() {
        let session = client.session();
        return Err(Error::new(
            Kind::VariableNotFound,
            format!("variable not found: `{name}` in session `{session}`"),
        )
        .detail("nothing was written"));
    }
    for (name, literal) in literals {
        let there = found
            .iter()
            .find(|variable| variable.name == *name || variable.id == *name);
        let type_name = there.map_or("", |variable| variable.type_name.as_str());
        values.push((name.clone(), literal.value(type_name, &format!("`{name}`"))?));
    }
    Ok(values)
}

async fn one(
    client: &Client,
    name: &str,
    value: &Value,
    expected: Option<u64>,
    context: &Context,
) -> Result<()> {
    let started = Instant::now();
    let made = client.set(name, value, expected).await?;
    let took = started.elapsed();
    context.printer.done(format_args!(
        "set {name} = {}  ({}{})",
        shortened(&value.brief()),
        written(made.version, made.revision, took),
        listeners(client.session(), made.watches, made.running_calls),
    ));
    result(context, made.revision, &[(name, made.version)])
}

async fn many(client: &Client, values: &[(String, Value)], context: &Context) -> Result<()> {
    let started = Instant::now();
    let made = client.set_many(values, &BTreeMap::new()).await?;
    let took = started.elapsed();
    let told: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name} = {}", shortened(&value.brief())))
        .collect();
    context.printer.done(format_args!(
        "set {}  (rev {}, {}{})",
        told.join(", "),
        made.revision,
        ui::millis(took),
        listeners(client.session(), made.watches, made.running_calls),
    ));
    let versions: Vec<(&str, u64)> = made
        .versions
        .iter()
        .map(|(name, version)| (name.as_str(), *version))
        .collect();
    result(context, made.revision, &versions)
}

/// What programs want to know; nothing unless they asked.
fn result(context: &Context, revision: u64, versions: &[(&str, u64)]) -> Result<()> {
    match context.printer.output(Shape::Rows) {
        Output::Json | Output::Jsonl => {
            let versions: serde_json::Map<String, serde_json::Value> = versions
                .iter()
                .map(|(name, version)| ((*name).to_owned(), (*version).into()))
                .collect();
            context
                .printer
                .json_line(&serde_json::json!({"revision": revision, "versions": versions}))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::version;
    use super::*;

    fn words(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn two_words_are_a_name_and_a_value_and_pairs_are_pairs() {
        assert_eq!(changes(&words(&["a", "1"])).unwrap(), [pair("a", "1")]);
        assert_eq!(changes(&words(&["a", "b=c"])).unwrap(), [pair("a", "b=c")]);
        assert_eq!(changes(&words(&["a=1"])).unwrap(), [pair("a", "1")]);
        assert_eq!(
            changes(&words(&["a=1", "b=x=y"])).unwrap(),
            [pair("a", "1"), pair("b", "x=y")]
        );
    }

    #[test]
    fn a_name_without_a_value_and_a_name_twice_are_refused() {
        for items in [&["a"][..], &["a=1", "b"], &["a=1", "a=2"], &["a", "1", "2"]] {
            assert_eq!(
                changes(&words(items)).unwrap_err().kind(),
                Kind::Usage,
                "{items:?}"
            );
        }
    }

    #[test]
    fn a_version_may_be_written_as_it_is_printed() {
        assert_eq!(version("v8"), Ok(8));
        assert_eq!(version("8"), Ok(8));
        assert!(version("eight").is_err());
    }
}
