//! `tool describe`: what a tool does and takes.

use serde_json::{Map, Value as Json};

use crate::client::{ParameterView, ToolView};
use crate::commands::{Context, suggest::suggest};
use crate::error::Result;
use crate::ui::{Ink, Output, Printer, Shape, span};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Examples:
  snakepit tool describe train
  snakepit tool describe train --template > args.json

Describe a tool and its parameters. `--template` prints arguments to fill in, for `tool call NAME --args @FILE`.";

/// Describe a tool and its parameters
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name
    name: String,

    /// Print arguments to fill in, as JSON
    #[arg(long)]
    template: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    let tool = match client.tool(&args.name).await {
        Ok(tool) => tool,
        Err(error) => return Err(suggest(&client, &[args.name], error).await),
    };
    let printer = &context.printer;
    if args.template {
        let template = serde_json::to_string_pretty(&template(&tool)).unwrap_or_default();
        return printer.line(template);
    }
    match printer.output(Shape::Rows) {
        // A page for people, the same in a pipe: a tool has no useful row.
        Output::Table | Output::Tsv => printer.bytes(page(&tool, printer).as_bytes()),
        _ => printer.item(&tool),
    }
}

fn page(tool: &ToolView, printer: &Printer) -> String {
    let mut page = format!(
        "{}({})\n",
        printer.paint(Ink::Strong, &tool.name),
        tool.signature()
    );
    for line in tool.description.trim().lines() {
        page.push_str(&format!("  {line}\n"));
    }
    if !tool.parameters.is_empty() {
        page.push_str("\nparameters\n");
    }
    let width = tool
        .parameters
        .iter()
        .map(|parameter| parameter.name.len())
        .max()
        .unwrap_or(0);
    for parameter in &tool.parameters {
        let need = if parameter.required {
            "required".to_owned()
        } else {
            format!("default {}", parameter.default.json())
        };
        let line = format!(
            "  {:width$}  {}, {need}  {}",
            parameter.name,
            parameter.type_name,
            parameter.description.trim().replace('\n', " ")
        );
        page.push_str(line.trim_end());
        page.push('\n');
    }
    page.push_str("\nfacts\n");
    for fact in facts(tool) {
        page.push_str(&format!("  {fact}\n"));
    }
    page
}

fn facts(tool: &ToolView) -> Vec<String> {
    let mut facts = vec![match &tool.scope {
        Some(session) => format!("{} tool of session {session}", tool.kind),
        None => format!("{} tool of every session", tool.kind),
    }];
    if !tool.workers.is_empty() {
        facts.push(format!("served by {}", tool.workers.join(", ")));
    }
    if tool.streams {
        facts.push("streams: yields chunks while it runs".to_owned());
    }
    if tool.idempotent {
        facts.push("idempotent: running it twice is as good as once".to_owned());
    }
    if let Some(limit) = tool.timeout_ms {
        facts.push(format!(
            "ends within {}",
            span(std::time::Duration::from_millis(limit))
        ));
    }
    if !tool.required_variables.is_empty() {
        facts.push(format!(
            "needs the variables {}",
            tool.required_variables.join(", ")
        ));
    }
    facts
}

fn template(tool: &ToolView) -> Json {
    let filled: Map<String, Json> = tool
        .parameters
        .iter()
        .map(|parameter| (parameter.name.clone(), blank(parameter)))
        .collect();
    Json::Object(filled)
}

/// The default, or the plainest value of the type.
fn blank(parameter: &ParameterView) -> Json {
    if !parameter.required {
        return parameter.default.tree();
    }
    match parameter.type_name.as_str() {
        "str" => "".into(),
        "int" => 0.into(),
        "float" => 0.0.into(),
        "bool" => false.into(),
        "list" => Json::Array(Vec::new()),
        "dict" => Json::Object(Map::new()),
        _ => Json::Null,
    }
}
