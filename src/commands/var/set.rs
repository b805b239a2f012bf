//! `var set`: changes one variable, or several in one revision.

use std::time::Instant;

use super::{listeners, shortened, written};
use crate::client::{Client, Value};
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
A value is JSON, or a bare word where the variable is a string; @FILE and - (stdin) read it from there.";

/// Change one variable, or several in one revision
#[derive(Debug, clap::Args)]
pub struct Args {
    /// NAME VALUE, or NAME=VALUE for each variable
    #[arg(required = true, value_name = "NAME VALUE | NAME=VALUE")]
    items: Vec<String>,

    /// Write only if this is the current version
    #[arg(long, value_name = "VERSION", value_parser = version)]
    expect_version: Option<u64>,
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

/// What was typed, as values of the variables' types.
async fn typed(client: &Client, literals: &[(String, Literal)]) -> Result<Vec<(String, Value)>> {
    let mut values = Vec::with_capacity(literals.len());
    let names: Vec<String> = literals.iter().map(|(name, _)| name.clone()).collect();
    let types: Vec<(String, String)> = match names.as_slice() {
        [name] => vec![(name.clone(), client.variable(name).await?.type_name)],
        _ => {
            let (found, missing) = client.variables(&names).await?;
            if let Some(name) = missing.first() {
                let session = client.session();
                return Err(Error::new(
                    Kind::VariableNotFound,
                    format!("variable not found: `{name}` (session `{session}`)"),
                )
                .detail("nothing was written"));
            }
            names
                .iter()
                .cloned()
                .zip(found.into_iter().map(|variable| variable.type_name))
                .collect()
        }
    };
    for ((name, literal), (_, type_name)) in literals.iter().zip(&types) {
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
        shortened(&value.text()),
        written(made.version, made.revision, took),
        listeners(client.session(), made.watches, made.running_calls),
    ));
    result(context, made.revision, &[(name, made.version)])
}

async fn many(client: &Client, values: &[(String, Value)], context: &Context) -> Result<()> {
    let started = Instant::now();
    let made = client.set_many(values).await?;
    let took = started.elapsed();
    let told: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name} = {}", shortened(&value.text())))
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

/// Reads `8` and `v8`.
fn version(text: &str) -> Result<u64, String> {
    text.strip_prefix('v')
        .unwrap_or(text)
        .parse()
        .map_err(|_| "a version is a number, like 8 or v8".to_owned())
}

#[cfg(test)]
mod tests {
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
