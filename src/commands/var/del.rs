//! `var del`: deletes variables.

use super::counted;
use crate::client::{Client, VariableView};
use crate::commands::{Context, confirm::confirm, suggest::suggest};
use crate::error::{Error, Kind, Result};
use crate::ui::{Output, Shape};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Examples:
  snakepit var del old_rate
  snakepit var del 'tmp_*' --dry-run

Delete variables. A glob asks before it deletes, or wants `--yes`. The name can be registered again; the variable is \
then a new one. All names are looked up before anything is deleted.";

/// Delete variables
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names, ids or globs (* and ?)
    #[arg(required = true, value_name = "NAME|GLOB")]
    names: Vec<String>,

    /// Delete only if this is the current version
    #[arg(long, value_name = "VERSION", value_parser = super::version)]
    expect_version: Option<u64>,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    /// Say what would be deleted and delete nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    let globs = args.names.iter().any(|name| is_glob(name));
    if args.expect_version.is_some() && (globs || args.names.len() > 1) {
        return Err(Error::new(
            Kind::Usage,
            "`--expect-version` stands for one variable, and more may be meant",
        ));
    }
    let found = match found(&client, &args.names).await {
        Ok(found) => found,
        Err(error) => return Err(suggest(&client, &args.names, error).await),
    };
    let what = counted(found.len() as u64, "variable");
    if args.dry_run {
        context.printer.note(format_args!("would delete {what}"));
        return found
            .iter()
            .try_for_each(|variable| context.printer.line(&variable.name));
    }
    if globs && !found.is_empty() && !args.yes {
        confirm(
            &format!("delete {what} of session {}?", client.session()),
            context,
        )?;
    }
    for variable in &found {
        // By id: another variable that took the name meanwhile is not meant.
        let revision = match client.delete(&variable.id, args.expect_version).await {
            Ok(revision) => revision,
            Err(error) => return Err(suggest(&client, &[], error).await),
        };
        context.printer.done(format_args!(
            "deleted {}  (v{}, rev {revision})",
            variable.name, variable.version
        ));
        if matches!(context.printer.output(Shape::Rows), Output::Json | Output::Jsonl) {
            context.printer.json_line(&serde_json::json!({
                "id": variable.id,
                "name": variable.name,
                "revision": revision,
            }))?;
        }
    }
    if found.is_empty() {
        context.printer.note("no variable matches");
    }
    Ok(())
}

fn is_glob(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// What is meant, by name, each once.
async fn found(client: &Client, names: &[String]) -> Result<Vec<VariableView>> {
    let (found, missing) = client.described(names).await?;
    match missing.first() {
        None => Ok(found),
        Some(name) => {
            let session = client.session();
            Err(Error::new(
                Kind::VariableNotFound,
                format!("variable not found: `{name}` in session `{session}`"),
            )
            .detail("nothing was deleted"))
        }
    }
}
