//! "Did you mean" for names that the bridge does not know. The list is asked for only after a failure, and nothing
//! is added where the bridge has already named one.

use crate::client::Client;
use crate::error::{Error, Kind};
use crate::ui::nearest;

/// The error, with the nearest name there is. `asked` are the names of variables or tools that were used.
pub(super) async fn suggest(client: &Client, asked: &[String], error: Error) -> Error {
    let told = |text: &str| text.contains("did you mean");
    if error
        .hints()
        .iter()
        .map(String::as_str)
        .chain([error.message()])
        .any(told)
    {
        return error;
    }
    match error.kind() {
        Kind::SessionNotFound => near_session(client, client.session(), error).await,
        Kind::VariableNotFound => near_variable(client, asked, error).await,
        Kind::ToolNotFound => near_tool(client, asked, error).await,
        _ => error,
    }
}

/// The error of a session that is not there, with the nearest one.
pub(super) async fn near_session(client: &Client, asked: &str, error: Error) -> Error {
    let sessions = client.sessions().await.unwrap_or_default();
    let near = nearest(asked, sessions.iter().map(|session| session.id.as_str()));
    with(
        error,
        near,
        "list them with `snakepit session list`, make one with `snakepit session new NAME`",
    )
}

async fn near_variable(client: &Client, asked: &[String], error: Error) -> Error {
    let variables = client.described(&["*".to_owned()]).await.unwrap_or_default().0;
    let names: Vec<&str> = variables.iter().map(|variable| variable.name.as_str()).collect();
    with(
        error,
        near(asked, &names),
        "list them with `snakepit var list`, make one with `snakepit var register NAME VALUE`",
    )
}

async fn near_tool(client: &Client, asked: &[String], error: Error) -> Error {
    let tools = client.tools("").await.unwrap_or_default();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    with(error, near(asked, &names), "list them with `snakepit tool list`")
}

/// The nearest to the first of the names that is not there.
fn near<'a>(asked: &[String], names: &[&'a str]) -> Option<&'a str> {
    let missing = asked.iter().find(|name| !names.contains(&name.as_str()))?;
    nearest(missing, names.iter().copied())
}

/// The nearest name is what helps most, so it is said first.
fn with(error: Error, near: Option<&str>, otherwise: &str) -> Error {
    let Some(near) = near else {
        return if error.hints().is_empty() {
            error.hint(otherwise)
        } else {
            error
        };
    };
    let told = Error::new(error.kind(), error.message()).hint(format!("did you mean `{near}`?"));
    let told = error.details().iter().fold(told, |told, line| told.detail(line));
    let told = error.hints().iter().fold(told, |told, line| told.hint(line));
    match error.known_outcome() {
        Some(outcome) => told.outcome(outcome),
        None => told,
    }
}
