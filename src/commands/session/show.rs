//! `session show`: one session.

use crate::commands::{Context, suggest::near_session};
use crate::error::{Kind, Result};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit session show exp1

Describe a session: its revision, what belongs to it, when it expires.";

/// Describe a session
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its id; the session in force when left out
    id: Option<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    let id = args.id.unwrap_or_else(|| client.session().to_owned());
    match client.session_view(&id).await {
        Ok(session) => context.printer.item(&session),
        Err(error) if error.kind() == Kind::SessionNotFound => Err(near_session(&client, &id, error).await),
        Err(error) => Err(error),
    }
}
