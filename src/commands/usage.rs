//! A command line that could not be understood, said in our words; help and version as clap makes them.

use std::ffi::OsString;

use clap::ValueEnum as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Context, examples};
use crate::config::env;
use crate::error::{Error, Kind, Result};
use crate::ui::{Output, Printer, Settings, nearest};

/// The longest list of verbs that an error spells out.
const LISTED: usize = 12;

/// What `snakepit` alone says.
pub(super) fn welcome(context: &Context) -> Result<()> {
    context.printer.line(examples::WELCOME)
}

/// Prints help or version, or reports what was wrong; returns the exit code.
pub(super) fn report(error: &clap::Error, arguments: &[OsString]) -> u8 {
    let printer = Printer::new(Settings {
        output: asked_output(arguments),
        ..Settings::default()
    });
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let text = error.render();
            let text = if printer.out_colour() {
                text.ansi().to_string()
            } else {
                text.to_string()
            };
            match printer.bytes(text.as_bytes()) {
                Err(error) if !printer.pipe_closed() => super::fail(&printer, &error),
                _ => 0,
            }
        }
        _ => super::fail(&printer, &told(error)),
    }
}

/// The format that the words ask for, although they could not be parsed.
fn asked_output(arguments: &[OsString]) -> Option<Output> {
    let words: Vec<_> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let asked = words.iter().enumerate().find_map(|(at, word)| match *word {
        "-o" | "--output" => words.get(at + 1).copied(),
        _ => word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o")),
    });
    let from_env = std::env::var(env::OUTPUT).ok();
    Output::from_str(asked.or(from_env.as_deref())?, true).ok()
}

fn told(error: &clap::Error) -> Error {
    let usage = usage_line(error);
    let error = match error.kind() {
        ErrorKind::InvalidSubcommand => unknown_verb(error),
        ErrorKind::UnknownArgument => unknown_argument(error),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => bad_value(error),
        ErrorKind::MissingRequiredArgument => {
            let missing = words(error, ContextKind::InvalidArg);
            Error::new(Kind::Usage, format!("missing {}", ticked(&missing)))
        }
        ErrorKind::ArgumentConflict => {
            let this = words(error, ContextKind::InvalidArg);
            let that = words(error, ContextKind::PriorArg);
            Error::new(
                Kind::Usage,
                format!("{} does not go with {}", ticked(&this), ticked(&that)),
            )
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            missing_verb(error)
        }
        _ => Error::new(Kind::Usage, first_line(error)),
    };
    match usage {
        Some(usage) => error.hint(usage),
        None => error,
    }
}

fn unknown_verb(error: &clap::Error) -> Error {
    let verb = word(error, ContextKind::InvalidSubcommand);
    let told = Error::new(Kind::Usage, format!("there is no verb `{verb}`"));
    let near = words(error, ContextKind::SuggestedSubcommand);
    let valid = words(error, ContextKind::ValidSubcommand);
    let near = nearest(&verb, near.iter().chain(&valid).map(String::as_str));
    match near {
        Some(near) => told.hint(format!("did you mean `{near}`?")),
        None => told,
    }
}

fn unknown_argument(error: &clap::Error) -> Error {
    let argument = word(error, ContextKind::InvalidArg);
    let argument = argument.split('=').next().unwrap_or_default().trim().to_owned();
    let told = if argument.starts_with('-') {
        Error::new(Kind::Usage, format!("there is no flag `{argument}` here"))
    } else {
        Error::new(Kind::Usage, format!("`{argument}` is one word too many"))
    };
    match words(error, ContextKind::SuggestedArg).first() {
        Some(near) => told.hint(format!(
            "did you mean `{}`?",
            near.split(' ').next().unwrap_or(near)
        )),
        None => told,
    }
}

fn bad_value(error: &clap::Error) -> Error {
    let argument = word(error, ContextKind::InvalidArg);
    let value = word(error, ContextKind::InvalidValue);
    let value = crate::cli::unshield(&value);
    let told = if value.is_empty() {
        Error::new(Kind::Usage, format!("`{argument}` wants a value"))
    } else {
        Error::new(Kind::Usage, format!("`{value}` does not fit `{argument}`"))
    };
    let told = match std::error::Error::source(error) {
        Some(source) => told.detail(source.to_string()),
        None => told,
    };
    let valid = words(error, ContextKind::ValidValue);
    if valid.is_empty() || valid.len() > LISTED {
        return told;
    }
    let told = told.detail(format!("choose one of {}", valid.join(", ")));
    match nearest(value, valid.iter().map(String::as_str)) {
        Some(near) => told.hint(format!("did you mean `{near}`?")),
        None => told,
    }
}

fn missing_verb(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let verbs = text
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let told = Error::new(Kind::Usage, "a verb is missing");
    verbs
        .filter(|line| !line.trim_start().starts_with("help "))
        .fold(told, |error, line| error.detail(line.trim_start()))
}

/// The usage that clap knows for the place where parsing stopped, on one line.
fn usage_line(error: &clap::Error) -> Option<String> {
    let text = error.render().to_string();
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "))?;
    Some(format!("usage: `{usage}`; `--help` tells more"))
}

fn first_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

fn word(error: &clap::Error, kind: ContextKind) -> String {
    words(error, kind).into_iter().next().unwrap_or_default()
}

fn words(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    }
}

fn ticked(words: &[String]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
