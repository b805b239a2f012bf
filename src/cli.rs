//! The global flags, and how words of the command line are read: durations, negative numbers, help's shape.
//!
//! The tree of verbs is assembled in `commands`, which knows them. This file never runs or prints anything.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Style, Styles};

use crate::ui::{Color, Output};

/// Flags that every verb takes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Where the bridge is: unix:PATH or HOST:PORT [env: SNAKEPIT_ADDRESS]
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub address: Option<String>,

    /// The bridge of this machine with that name [env: SNAKEPIT_NAME] [default: default]
    #[arg(id = "bridge", long = "name", global = true, value_name = "NAME")]
    pub bridge: Option<String>,

    /// The session to work in [env: SNAKEPIT_SESSION] [default: that of `session use`, else default]
    #[arg(id = "session_id", long = "session", global = true, value_name = "ID")]
    pub session: Option<String>,

    /// Format of stdout [env: SNAKEPIT_OUTPUT] [default: table on a terminal, tsv in a pipe]
    #[arg(
        short,
        long,
        global = true,
        value_name = "FORMAT",
        hide_possible_values = true,
        help = "Format of stdout: table, tsv, json, jsonl, raw, npy, name or none [env: SNAKEPIT_OUTPUT]"
    )]
    pub output: Option<Output>,

    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Tell more; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// When to colour: auto, always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub color: Color,

    /// The longest time to wait, like 500ms, 30s, 5m or 1h
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,

    /// Never ask a question
    #[arg(long, global = true)]
    pub no_input: bool,
}

/// The colours of help.
pub const STYLES: Styles = Styles::styled()
    .header(Style::new().bold())
    .usage(Style::new().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(Style::new().dimmed());

/// Reads `500ms`, `30s`, `5m`, `1h`, `2d`; a bare number is seconds.
///
/// # Errors
/// A sentence that says what a duration is.
pub fn duration(text: &str) -> Result<Duration, String> {
    let told = || "a duration is a number with ms, s, m, h or d, like `500ms`, `1.5s` or `5m`".to_owned();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| told())?;
    let seconds = match unit.trim() {
        "ms" => number / 1_000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3_600.0,
        "d" => number * 86_400.0,
        _ => return Err(told()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| told())
}

/// Reads a number as it may be typed, also one that [`shield`] has touched.
///
/// # Errors
/// A sentence that says that it is none.
pub fn number(text: &str) -> Result<f64, String> {
    unshield(text)
        .parse()
        .map_err(|_| format!("`{text}` is not a number"))
}

/// Lets `-1`, `-1e-3` and `-Infinity` be values: clap would take them for flags. They get a space before them,
/// which JSON permits and [`unshield`] removes.
pub fn shield(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    arguments
        .into_iter()
        .map(|argument| match argument.to_str() {
            Some(text) if negative(text) => format!(" {text}").into(),
            _ => argument,
        })
        .collect()
}

/// The word as it was typed, before [`shield`].
pub fn unshield(text: &str) -> &str {
    text.strip_prefix(' ')
        .filter(|rest| negative(rest))
        .unwrap_or(text)
}

fn negative(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| {
        rest == "Infinity" || rest.starts_with(|c: char| c.is_ascii_digit()) || dotted(rest)
    })
}

fn dotted(text: &str) -> bool {
    text.strip_prefix('.')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, millis) in [
            ("500ms", 500),
            ("2", 2_000),
            ("1.5s", 1_500),
            ("5m", 300_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "5 parsecs", "-1s", "1e400"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn negative_numbers_are_values_and_flags_stay_flags() {
        for text in ["-1", "-1e-3", "-.5", "-Infinity"] {
            let shielded = shield([OsString::from(text)]);
            assert_eq!(shielded[0], OsString::from(format!(" {text}")));
            assert_eq!(unshield(&shielded[0].to_string_lossy()), text);
        }
        for text in ["-o", "--", "-", "--min", "-x1", "1"] {
            assert_eq!(shield([OsString::from(text)])[0], OsString::from(text));
        }
        assert_eq!(number(" -1e-3"), Ok(-0.001));
    }
}
