//! `session use`: the session of those who name none, on one bridge of this machine.

use crate::commands::{Context, suggest::near_session};
use crate::config;
use crate::error::{Error, Kind, Result};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit session use exp1

Work in that session from now on, in every terminal of this user, on the bridge in force. It is kept in \
`$XDG_STATE_HOME/snakepit/session`, a file for each bridge by its `--name`; `--session` and SNAKEPIT_SESSION win over it. \
`snakepit session use default` goes back.";

/// Work in that session from now on
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its id
    id: String,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    if !context.config.by_name {
        return Err(Error::new(
            Kind::Usage,
            "a session is kept for a bridge that is known by its name, not by an address",
        )
        .hint("set SNAKEPIT_SESSION where SNAKEPIT_ADDRESS is set"));
    }
    let client = context.client().await?;
    if let Err(error) = client.session_view(&args.id).await {
        return Err(match error.kind() {
            Kind::SessionNotFound => near_session(&client, &args.id, error).await,
            _ => error,
        });
    }
    let read = |name: &str| std::env::var(name).ok();
    let path = config::session_file(&context.config.name, &read).ok_or_else(|| {
        Error::new(Kind::Config, "there is no directory for state").hint("set XDG_STATE_HOME or HOME")
    })?;
    config::keep_session(&path, &args.id)?;
    context.printer.done(format_args!(
        "using session {} on bridge {}  (kept in {})",
        args.id,
        context.config.name,
        path.display()
    ));
    if read(config::env::SESSION).is_some_and(|session| !session.is_empty() && session != args.id) {
        context.printer.warn(format_args!(
            "{} is set here and wins over it",
            config::env::SESSION
        ));
    }
    Ok(())
}
