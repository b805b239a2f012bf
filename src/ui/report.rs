//! An error as text for people and as JSON for programs.

use serde_json::{Value, json};

use super::Ink;
use crate::error::Error;

/// `error[E0301]: what`, then why and what next, each on a line of its own, indented.
pub(super) fn text(error: &Error, colour: bool) -> String {
    let label = format!("error[{}]", error.kind().code());
    let mut text = format!("{}: {}\n", Ink::Bad.paint(&label, colour), error.message());
    for line in error.details() {
        text.push_str(&format!("  {line}\n"));
    }
    let told = error.details().iter().any(|line| line.starts_with("outcome:"));
    if let Some(outcome) = error.known_outcome().filter(|_| !told) {
        text.push_str(&format!("  outcome: {}\n", outcome.phrase()));
    }
    for hint in error.hints() {
        text.push_str(&format!("  {}: {hint}\n", Ink::Hint.paint("hint", colour)));
    }
    text
}

/// `{"error":{…}}`: the same parts with stable keys.
pub(super) fn json(error: &Error) -> Value {
    json!({"error": {
        "code": error.kind().code(),
        "kind": error.kind().title(),
        "message": error.message(),
        "details": error.details(),
        "hints": error.hints(),
        "outcome": error.known_outcome().map(|outcome| outcome.as_str()),
        "exit": error.kind().exit(),
    }})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Kind, Outcome};

    #[test]
    fn an_error_is_what_why_and_next() {
        let error = Error::new(Kind::ConstraintViolated, "value out of range for `lr`")
            .detail("0.5 is above maximum 0.1")
            .hint("choose 0.0001..=0.1");
        assert_eq!(
            text(&error, false),
            "error[E0301]: value out of range for `lr`\n  0.5 is above maximum 0.1\n  hint: choose 0.0001..=0.1\n"
        );
        let died = Error::new(Kind::WorkerDied, "worker `w2` died").outcome(Outcome::MayHaveRun);
        assert!(text(&died, false).contains("\n  outcome: may have run\n"));
        assert_eq!(json(&died)["error"]["outcome"], "MAY_HAVE_RUN");
    }
}
