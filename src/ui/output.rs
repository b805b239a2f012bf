//! The formats that data is written in, and what each shape of data gets when nobody asked for one.

use clap::ValueEnum;

/// A format of stdout: `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Aligned columns that fit the terminal
    Table,
    /// Tab-separated columns with full values
    Tsv,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
    /// The value's bytes and nothing else
    Raw,
    /// A NumPy file (tensors and embeddings)
    Npy,
    /// Names, one a line
    Name,
    /// Nothing: only the exit code
    None,
}

impl Output {
    /// The word of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Raw => "raw",
            Self::Npy => "npy",
            Self::Name => "name",
            Self::None => "none",
        }
    }

    /// Whether a reader of this format wants errors as JSON too.
    pub fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
    }
}

/// What is written: it decides the format when none was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A list or one thing: a table on a terminal, TSV in a pipe.
    Rows,
    /// Events as they come: lines on a terminal, JSON lines in a pipe.
    Stream,
}

impl Shape {
    /// The format in force: the one asked for, or the default for where stdout goes.
    pub fn output(self, asked: Option<Output>, terminal: bool) -> Output {
        match (asked, self, terminal) {
            (Some(output), _, _) => output,
            (None, _, true) => Output::Table,
            (None, Self::Rows, false) => Output::Tsv,
            (None, Self::Stream, false) => Output::Jsonl,
        }
    }
}

/// When to colour: `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On terminals, unless NO_COLOR or TERM=dumb say otherwise
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Whether a stream is coloured. `env` reads an environment variable.
    pub fn applies(self, terminal: bool, env: &dyn Fn(&str) -> Option<String>) -> bool {
        let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto if env("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") => {
                true
            }
            Self::Auto => terminal && env("TERM").is_none_or(|term| term != "dumb"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gets_tsv_or_json_lines_and_a_terminal_a_table() {
        assert_eq!(Shape::Rows.output(None, true), Output::Table);
        assert_eq!(Shape::Rows.output(None, false), Output::Tsv);
        assert_eq!(Shape::Stream.output(None, false), Output::Jsonl);
        assert_eq!(Shape::Stream.output(Some(Output::Tsv), false), Output::Tsv);
    }

    #[test]
    fn colour_follows_the_flag_then_the_environment_then_the_stream() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            }
        };
        assert!(Color::Auto.applies(true, &env(&[])));
        assert!(!Color::Auto.applies(false, &env(&[])));
        assert!(!Color::Auto.applies(true, &env(&[("NO_COLOR", "1")])));
        assert!(Color::Auto.applies(true, &env(&[("NO_COLOR", "")])));
        assert!(!Color::Auto.applies(true, &env(&[("TERM", "dumb")])));
        assert!(Color::Auto.applies(false, &env(&[("CLICOLOR_FORCE", "1")])));
        assert!(!Color::Auto.applies(false, &env(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")])));
        assert!(Color::Always.applies(false, &env(&[("NO_COLOR", "1")])));
        assert!(!Color::Never.applies(true, &env(&[("CLICOLOR_FORCE", "1")])));
    }
}
