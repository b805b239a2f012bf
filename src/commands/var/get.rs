//! `var get`: the values of variables, all of one revision.

use crate::client::{Value, VariableView};
use crate::commands::literal::Literal;
use crate::commands::{Context, suggest::suggest};
use crate::error::{Error, Kind, Result};
use crate::ui::{Output, Shape};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit var get learning_rate

Read variables, all of one revision. One variable prints its value alone; several print a table. \
`-o raw` is the value's text and nothing else (of a tensor or embedding its elements' bytes), `-o npy` a numpy file, \
`-o json` all that is known of it. A table names a large tensor by its shape.

  snakepit var get weights -o npy > weights.npy";

/// Read variables
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names or ids
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// What to print for a variable that does not exist, instead of failing
    #[arg(long, value_name = "VALUE")]
    default: Option<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    if let ([name], None) = (args.names.as_slice(), &args.default) {
        return match client.variable(name).await {
            Ok(variable) => one(&variable, context),
            Err(error) => Err(suggest(&client, &args.names, error).await),
        };
    }
    let (found, missing) = match client.variables(&args.names).await {
        Ok(read) => read,
        Err(error) => return Err(suggest(&client, &args.names, error).await),
    };
    match (&args.default, args.names.as_slice(), found.as_slice()) {
        (Some(_), [_], [variable]) => return one(variable, context),
        (Some(default), [_], []) => return fallback(default, context),
        (Some(_), [_, ..], _) => {
            return Err(Error::new(
                Kind::Usage,
                "`--default` stands for one variable, and several were named",
            ));
        }
        _ => {}
    }
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
        let session = client.session();
        let error = Error::new(
            Kind::VariableNotFound,
            format!("variable not found: {} in session `{session}`", names.join(", ")),
        );
        return Err(suggest(&client, &missing, error).await);
    }
    match context.printer.output(Shape::Rows) {
        Output::Raw => found
            .iter()
            .try_for_each(|variable| context.printer.line(variable.value.text())),
        Output::Npy => Err(Error::new(
            Kind::Usage,
            "a numpy file holds one array, and several variables were named",
        )),
        _ => context.printer.list(&found, "no variables"),
    }
}

fn one(variable: &VariableView, context: &Context) -> Result<()> {
    let printer = &context.printer;
    match printer.output(Shape::Rows) {
        Output::Table => printer.line(variable.value.brief()),
        Output::Tsv => printer.line(variable.value.text()),
        Output::Raw | Output::Npy => data(&variable.value, context),
        _ => printer.item(variable),
    }
}

fn fallback(default: &str, context: &Context) -> Result<()> {
    let value = Literal::read(default)?.inferred()?;
    let printer = &context.printer;
    match printer.output(Shape::Rows) {
        Output::Raw | Output::Npy => data(&value, context),
        Output::Json | Output::Jsonl => printer.json_line(&serde_json::json!({"value": value})),
        Output::None | Output::Name => Ok(()),
        Output::Table | Output::Tsv => printer.line(value.text()),
    }
}

/// A value's own bytes, for a program to read.
fn data(value: &Value, context: &Context) -> Result<()> {
    let printer = &context.printer;
    if printer.output(Shape::Rows) == Output::Npy {
        let (header, elements) = value.npy().ok_or_else(no_array)?;
        printer.bytes(&header)?;
        return printer.bytes(&elements);
    }
    match value.elements() {
        Some(elements) => printer.bytes(&elements),
        None => printer.bytes(value.text().as_bytes()),
    }
}

fn no_array() -> Error {
    Error::new(
        Kind::Usage,
        "only a tensor or an embedding can be written as `npy`",
    )
}
