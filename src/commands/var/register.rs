//! `var register`: declares a variable.

use std::time::Instant;

use serde_json::{Map, Number, Value as Json};

use super::{shortened, written};
use crate::cli::number;
use crate::client::{Client, IfExists, Register, Value, VariableView};
use crate::commands::literal::Literal;
use crate::commands::{Context, suggest::suggest};
use crate::error::{Error, Kind, Result};
use crate::ui::{Output, Shape, nearest};

/// The types there are.
const TYPES: &[&str] = &[
    "float",
    "integer",
    "string",
    "boolean",
    "choice",
    "module",
    "embedding",
    "tensor",
    "map",
    "list",
];

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit var register learning_rate 0.01 --min 0.0001 --max 0.1

Declare a variable with its type, constraints and first value. Without `--type` the value says the type; \
an integer whose type was not named becomes a float when one is written.

  snakepit var register learning_rate --max 0.5 --update

Change a constraint of a variable that is there: what is not named stays, `--constraints JSON` replaces them all.";

/// Declare a variable with its type, constraints and first value
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name
    name: String,

    /// Its first value: JSON, a bare word for a string, @FILE, or - for stdin
    #[arg(required_unless_present = "update")]
    value: Option<String>,

    /// Its type: float, integer, string, boolean, choice, module, embedding, tensor, map or list
    #[arg(long = "type", value_name = "TYPE")]
    type_name: Option<String>,

    /// The smallest number allowed
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    min: Option<f64>,

    /// The largest number allowed
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    max: Option<f64>,

    /// Numbers are this far apart
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    step: Option<f64>,

    /// The fewest characters or elements
    #[arg(long, value_name = "N")]
    min_length: Option<u64>,

    /// The most characters or elements
    #[arg(long, value_name = "N")]
    max_length: Option<u64>,

    /// A regular expression that occurs in the string
    #[arg(long, value_name = "REGEX")]
    pattern: Option<String>,

    /// A value that is allowed; repeat it for each
    #[arg(long = "choice", value_name = "VALUE")]
    choices: Vec<String>,

    /// An embedding has this many dimensions
    #[arg(long, value_name = "N")]
    dimensions: Option<u64>,

    /// An embedding is scaled to length 1 when it is written
    #[arg(long)]
    normalize: bool,

    /// A tensor has this shape, like 28,28 or any,3
    #[arg(long, value_name = "N,N", value_parser = shape)]
    shape: Option<Shaped>,

    /// A tensor is of this kind of number: float32, int64, bool and so on
    #[arg(long, value_name = "DTYPE")]
    dtype: Option<String>,

    /// A map or list is at most this deep
    #[arg(long, value_name = "N")]
    max_depth: Option<u64>,

    /// A module is inside this one
    #[arg(long, value_name = "MODULE")]
    namespace: Option<String>,

    /// Constraints as a JSON object; @FILE reads it. Flags win over its keys
    #[arg(long, value_name = "JSON")]
    constraints: Option<String>,

    /// Keep what is there, when type and constraints agree
    #[arg(long, conflicts_with = "update")]
    if_missing: bool,

    /// Keep the value that is there and change the constraints that are named
    #[arg(long)]
    update: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    known_type(args.type_name.as_deref())?;
    let client = context.client().await?;
    let there = match (args.update || args.if_missing).then(|| client.variable(&args.name)) {
        Some(read) => match read.await {
            Ok(variable) => Some(variable),
            Err(error) if error.kind() == Kind::VariableNotFound && args.value.is_some() => None,
            Err(error) => return Err(suggest(&client, std::slice::from_ref(&args.name), error).await),
        },
        None => None,
    };
    if let Some(there) = there.as_ref().filter(|there| {
        args.update
            && args
                .type_name
                .as_ref()
                .is_none_or(|name| *name == there.type_name)
    }) {
        return update(&args, there, &client, context).await;
    }
    let (value, type_inferred) = first_value(&args, there.as_ref())?;
    let constraints = constraints(&args, value.type_name(), there.as_ref())?;
    let if_exists = match (args.if_missing, args.update) {
        (true, _) => IfExists::Keep,
        (_, true) => IfExists::Update,
        _ => IfExists::Fail,
    };
    let declared = Register {
        name: args.name.clone(),
        value: value.clone(),
        constraints,
        type_inferred,
        if_exists,
    };
    let started = Instant::now();
    let registered = match client.register(declared).await {
        Ok(registered) => registered,
        Err(error) => return Err(suggest(&client, &[], error).await),
    };
    let took = started.elapsed();
    let what = match (registered.existed, if_exists) {
        (true, IfExists::Keep) => "kept".to_owned(),
        (true, _) => "updated".to_owned(),
        _ => format!("registered {}", value.type_name()),
    };
    let shown = match &there {
        Some(variable) if registered.existed => variable.value.brief(),
        _ => value.brief(),
    };
    let made = if registered.existed {
        format!(
            "v{}, rev {}, {}",
            registered.version,
            registered.revision,
            crate::ui::millis(took)
        )
    } else {
        written(registered.version, registered.revision, took)
    };
    context.printer.done(format_args!(
        "{what} {} = {}  ({made})",
        args.name,
        shortened(&shown)
    ));
    report(
        context,
        &registered.id,
        &args.name,
        registered.version,
        registered.revision,
        registered.existed,
    )
}

/// Changes the constraints of a variable that is there, if nobody wrote it since it was read.
async fn update(args: &Args, there: &VariableView, client: &Client, context: &Context) -> Result<()> {
    let constraints = constraints(args, &there.type_name, Some(there))?;
    let started = Instant::now();
    let changed = client
        .constrain(&there.id, &constraints, Some(there.version))
        .await;
    let (version, revision) = match changed {
        Ok(changed) => changed,
        Err(error) => return Err(suggest(client, &[], error).await),
    };
    context.printer.done(format_args!(
        "updated {} = {}  ({})",
        there.name,
        shortened(&there.value.brief()),
        written(version, revision, started.elapsed())
    ));
    report(context, &there.id, &there.name, version, revision, true)
}

fn report(context: &Context, id: &str, name: &str, version: u64, revision: u64, existed: bool) -> Result<()> {
    match context.printer.output(Shape::Rows) {
        Output::Json | Output::Jsonl => context.printer.json_line(&serde_json::json!({
            "id": id,
            "name": name,
            "version": version,
            "revision": revision,
            "existed": existed,
        })),
        _ => Ok(()),
    }
}

fn known_type(type_name: Option<&str>) -> Result<()> {
    let Some(type_name) = type_name.filter(|name| !TYPES.contains(name)) else {
        return Ok(());
    };
    let told = Error::new(Kind::UnknownType, format!("there is no type `{type_name}`"))
        .detail(format!("types are {}", TYPES.join(", ")));
    Err(match nearest(type_name, TYPES.iter().copied()) {
        Some(near) => told.hint(format!("did you mean `{near}`?")),
        None => told,
    })
}

/// The first value, and whether its type was inferred from it. A variable that is there says the type where nobody
/// else does, and the value where none was typed.
fn first_value(args: &Args, there: Option<&VariableView>) -> Result<(Value, bool)> {
    let literal = match (&args.value, there) {
        (Some(word), _) => Literal::read(word)?,
        (None, Some(variable)) => return Ok((variable.value.clone(), false)),
        (None, None) => return Err(Error::new(Kind::Usage, "the value is missing")),
    };
    let named = args
        .type_name
        .as_deref()
        .or(there.map(|variable| variable.type_name.as_str()));
    if let Some(type_name) = named {
        return Ok((literal.value(type_name, &format!("`{}`", args.name))?, false));
    }
    let value = literal.inferred()?;
    if !args.choices.is_empty() && value.type_name() == "string" {
        return Ok((literal.value("choice", &args.name)?, true));
    }
    Ok((value, true))
}

/// The constraints as one JSON object; empty text for none.
fn constraints(args: &Args, type_name: &str, there: Option<&VariableView>) -> Result<String> {
    let mut all = match (&args.constraints, there) {
        (Some(text), _) => object(text)?,
        // What is not named stays, or is agreed to.
        (None, Some(variable)) => serde_json::from_str(variable.constraints.get()).unwrap_or_default(),
        (None, None) => Map::new(),
    };
    for (key, number) in [("min", args.min), ("max", args.max), ("step", args.step)] {
        if let Some(number) = number {
            all.insert(key.to_owned(), exact(key, number)?);
        }
    }
    for (key, length) in [("min_length", args.min_length), ("max_length", args.max_length)] {
        if let Some(length) = length {
            all.insert(key.to_owned(), length.into());
        }
    }
    for (key, count) in [("dimensions", args.dimensions), ("max_depth", args.max_depth)] {
        if let Some(count) = count {
            all.insert(key.to_owned(), count.into());
        }
    }
    if args.normalize {
        all.insert("normalize".to_owned(), true.into());
    }
    if let Some(Shaped(axes)) = &args.shape {
        all.insert("shape".to_owned(), axes.clone().into());
    }
    for (key, text) in [("dtype", &args.dtype), ("namespace", &args.namespace)] {
        if let Some(text) = text {
            all.insert(key.to_owned(), text.as_str().into());
        }
    }
    if let Some(pattern) = &args.pattern {
        all.insert("pattern".to_owned(), pattern.as_str().into());
    }
    if !args.choices.is_empty() {
        // A string's list of allowed values is called enum, that of the other types choices.
        let key = if type_name == "string" { "enum" } else { "choices" };
        all.insert(key.to_owned(), args.choices.clone().into());
    }
    Ok(if all.is_empty() {
        String::new()
    } else {
        Json::Object(all).to_string()
    })
}

fn object(text: &str) -> Result<Map<String, Json>> {
    let bytes = Literal::read(text)?.bytes();
    serde_json::from_slice(&bytes).map_err(|cause| {
        Error::new(Kind::BadConstraint, "`--constraints` is not a JSON object").detail(cause.to_string())
    })
}

/// A shape as it is typed; null stands for any length.
#[derive(Debug, Clone)]
struct Shaped(Vec<Option<u64>>);

fn shape(text: &str) -> Result<Shaped, String> {
    let axes = text.split(',').map(|axis| match axis.trim() {
        "any" | "null" => Ok(None),
        axis => axis.parse().map(Some),
    });
    axes.collect::<Result<_, _>>()
        .map(Shaped)
        .map_err(|_| "a shape is whole numbers with commas, like 28,28 or any,3".to_owned())
}

/// A whole number stays one, so that an integer's bounds are integers.
fn exact(key: &str, number: f64) -> Result<Json> {
    const WHOLE: f64 = 9_007_199_254_740_992.0; // 2^53: up to here every integer is a double
    if number.fract() == 0.0 && number.abs() <= WHOLE {
        return Ok((number as i64).into());
    }
    Number::from_f64(number)
        .map(Json::Number)
        .ok_or_else(|| Error::new(Kind::BadConstraint, format!("`--{key}` has to be finite")))
}
