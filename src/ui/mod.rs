//! The only writer to stdout and stderr: what a person sees and what a pipe gets.
//!
//! Data goes to stdout, talk to stderr. How a stream is written to (a terminal or not, coloured or not, how wide)
//! is decided once, in [`Printer::new`]. This room must never know of gRPC, sessions or what a command does.

mod output;
mod printer;
mod progress;
mod record;
mod report;
mod style;
mod suggest;
mod time;

pub use output::{Color, Output, Shape};
pub use printer::{Printer, Settings};
pub use progress::Progress;
pub use record::{Align, Cell, Column, Record};
pub use style::Ink;
pub use suggest::nearest;
pub use time::{ago, clock, iso, millis, span};
