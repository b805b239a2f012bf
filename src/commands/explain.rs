//! `explain`: what an error code means and what to do, without a bridge.

use serde::Serialize;

use super::Context;
use crate::error::{Error, Kind, Result};
use crate::ui::{Cell, Column, Output, Record, Shape, nearest};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit explain E0301

Tell what an error code means and what to do. Without a code: list them all. Works without a bridge.";

/// Tell more about an error code
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code, as in `error[E0301]`
    code: Option<String>,
}

#[derive(Debug, Serialize)]
struct Entry {
    code: &'static str,
    title: &'static str,
    exit: u8,
    explanation: &'static str,
}

impl Entry {
    fn new(kind: Kind) -> Self {
        Self {
            code: kind.code(),
            title: kind.title(),
            exit: kind.exit(),
            explanation: kind.explain(),
        }
    }
}

impl Record for Entry {
    const COLUMNS: &'static [Column] = &[
        Column::left("code"),
        Column::right("exit"),
        Column::left("meaning"),
    ];

    fn name(&self) -> &str {
        self.code
    }

    fn cells(&self) -> Vec<Cell> {
        vec![Cell::new(self.code), Cell::new(self.exit), Cell::new(self.title)]
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<()> {
    let Some(code) = &args.code else {
        let all: Vec<Entry> = Kind::ALL.iter().map(|kind| Entry::new(*kind)).collect();
        return context.printer.list(&all, "");
    };
    let kind = Kind::from_code(code).ok_or_else(|| unknown(code))?;
    match context.printer.output(Shape::Rows) {
        // Prose is prose, also in a pipe.
        Output::Table | Output::Tsv | Output::Raw => context.printer.line(format_args!(
            "{}: {}  (exit code {})\n\n{}",
            kind.code(),
            kind.title(),
            kind.exit(),
            kind.explain()
        )),
        _ => context.printer.item(&Entry::new(kind)),
    }
}

fn unknown(code: &str) -> Error {
    let told = Error::new(Kind::Usage, format!("there is no error code `{code}`"));
    match nearest(&code.to_uppercase(), Kind::ALL.iter().map(|kind| kind.code())) {
        Some(near) => told.hint(format!(
            "did you mean `{near}`? `snakepit explain` lists them all"
        )),
        None => told.hint("`snakepit explain` lists them all"),
    }
}
