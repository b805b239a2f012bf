//! One thing that is listed: its columns for tables and TSV, its name, and its JSON through serde.

use comfy_table::{Attribute, CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, Width};
use serde::Serialize;

use super::Printer;

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The heading, lower case.
    pub title: &'static str,
    /// Where its text stands.
    pub align: Align,
    /// It is what is cut when the terminal is too narrow.
    pub flexible: bool,
}

impl Column {
    /// A column of words.
    pub const fn left(title: &'static str) -> Self {
        Self {
            title,
            align: Align::Left,
            flexible: false,
        }
    }

    /// A column of numbers.
    pub const fn right(title: &'static str) -> Self {
        Self {
            title,
            align: Align::Right,
            flexible: false,
        }
    }
}

impl Column {
    /// The same column, cut where the terminal is too narrow.
    pub const fn flexible(mut self) -> Self {
        self.flexible = true;
        self
    }
}

/// A cell: what a person sees and what a pipe gets.
#[derive(Debug, Clone)]
pub struct Cell {
    shown: String,
    full: Option<String>,
}

impl Cell {
    /// The same text for both.
    pub fn new(text: impl ToString) -> Self {
        Self {
            shown: text.to_string(),
            full: None,
        }
    }

    /// A short text for people and the full one for pipes.
    pub fn both(shown: impl ToString, full: impl ToString) -> Self {
        Self {
            shown: shown.to_string(),
            full: Some(full.to_string()),
        }
    }

    fn for_pipe(&self) -> &str {
        self.full.as_deref().unwrap_or(&self.shown)
    }
}

/// A thing that can be listed in every format. Its JSON is what serde makes of it.
pub trait Record: Serialize {
    /// The columns, in order.
    const COLUMNS: &'static [Column];

    /// What `-o name` prints.
    fn name(&self) -> &str;

    /// One cell a column.
    fn cells(&self) -> Vec<Cell>;
}

/// Lines of an aligned table no wider than the terminal.
pub(super) fn table<R: Record>(items: &[R], printer: &Printer) -> String {
    let mut table = plain(printer);
    let heading = R::COLUMNS.iter().map(|column| {
        let cell = comfy_table::Cell::new(column.title.to_uppercase()).set_alignment(side(column.align));
        if printer.out_colour() {
            cell.add_attribute(Attribute::Dim)
        } else {
            cell
        }
    });
    let mut heading = Row::from(heading.collect::<Vec<_>>());
    heading.max_height(1);
    table.set_header(heading);
    for item in items {
        let cells = item.cells();
        let cells = cells.iter().zip(R::COLUMNS).map(|(cell, column)| {
            comfy_table::Cell::new(one_line(&cell.shown)).set_alignment(side(column.align))
        });
        let mut row = Row::from(cells.collect::<Vec<_>>());
        row.max_height(1);
        table.add_row(row);
    }
    for (at, column) in R::COLUMNS.iter().enumerate() {
        if let Some(drawn) = table.column_mut(at) {
            drawn.set_constraint(if column.flexible {
                let least = column.title.len() + usize::from(drawn.padding_width());
                ColumnConstraint::LowerBoundary(Width::Fixed(u16::try_from(least).unwrap_or(u16::MAX)))
            } else {
                ColumnConstraint::ContentWidth
            });
        }
    }
    trimmed(&mut table)
}

/// One thing as lines of `title  value`, the values in full.
pub(super) fn sheet<R: Record>(item: &R, printer: &Printer) -> String {
    let mut table = plain(printer);
    for (cell, column) in item.cells().iter().zip(R::COLUMNS) {
        let title = comfy_table::Cell::new(column.title);
        let title = if printer.out_colour() {
            title.add_attribute(Attribute::Dim)
        } else {
            title
        };
        table.add_row(vec![title, comfy_table::Cell::new(&cell.shown)]);
    }
    trimmed(&mut table)
}

/// Lines of tab-separated values: a heading, then full values with tabs and line ends escaped.
pub(super) fn tsv<R: Record>(items: &[R]) -> String {
    let mut text = R::COLUMNS
        .iter()
        .map(|column| column.title)
        .collect::<Vec<_>>()
        .join("\t");
    text.push('\n');
    for item in items {
        let cells = item.cells();
        let cells: Vec<String> = cells.iter().map(|cell| one_line(cell.for_pipe())).collect();
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    text
}

fn plain(printer: &Printer) -> Table {
    let mut table = Table::new();
    table
        .load_style(comfy_table::TableStyle::new())
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(printer.width());
    if printer.ascii() {
        table.set_truncation_indicator("...");
    }
    if printer.out_colour() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}

/// Two spaces between columns and none before the first: also where a style is put around a cell and its padding.
fn trimmed(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

fn side(align: Align) -> CellAlignment {
    match align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    }
}

/// A text that cannot break a row.
fn one_line(text: &str) -> String {
    if !text.contains(['\n', '\t', '\r', '\\']) {
        return text.to_owned();
    }
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
        .replace('\r', "\\r")
}
