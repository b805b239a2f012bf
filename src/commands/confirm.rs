//! The one question that a verb may ask: whether to go on. Asked on a terminal only.

use std::io::IsTerminal as _;

use super::Context;
use crate::error::{Error, Kind, Result};

/// Goes on when the user says yes.
///
/// # Errors
/// [`Kind::Usage`] where nobody can be asked, [`Kind::Interrupted`] when the answer is no.
pub(super) fn confirm(question: &str, context: &Context) -> Result<()> {
    let stdin = std::io::stdin();
    if context.config.no_input || !stdin.is_terminal() {
        return Err(
            Error::new(Kind::Usage, "this wants to be confirmed, and nobody can be asked")
                .detail(question)
                .hint("say `--yes`, or see what it would do with `--dry-run`"),
        );
    }
    context.printer.ask(format_args!("{question} [y/N] "));
    let mut answer = String::new();
    stdin
        .read_line(&mut answer)
        .map_err(|cause| Error::io("the answer could not be read", &cause))?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(Error::new(Kind::Interrupted, "nothing was done"))
    }
}
