//! The outermost floor of a run: faults of ours become a report in a file and exit code 70.

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config;
use crate::error::{Error, Kind};
use crate::ui::{Printer, Settings};

/// Runs a command line; returns the exit code.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    panic::set_hook(Box::new(report));
    let arguments = arguments.collect();
    let code = panic::catch_unwind(AssertUnwindSafe(|| super::execute(arguments)));
    ExitCode::from(code.unwrap_or(Kind::Internal.exit()))
}

/// Writes what happened to a file and says where it is.
fn report(info: &PanicHookInfo<'_>) {
    // Built only now: no run that goes well pays for it.
    let (hook, _) = color_eyre::config::HookBuilder::blank()
        .theme(color_eyre::config::Theme::new())
        .into_hooks();
    let text = format!(
        "snakepit {}\n\n{}\n",
        env!("CARGO_PKG_VERSION"),
        hook.panic_report(info)
    );
    let error = Error::new(Kind::Internal, "snakepit has a fault and had to stop here");
    let error = match keep(&text) {
        Some(path) => error.hint(format!("please report it with the file `{}`", path.display())),
        None => text.lines().fold(error, |error, line| error.detail(line)),
    };
    Printer::new(Settings::default()).error(&error);
}

fn keep(text: &str) -> Option<PathBuf> {
    let directory = config::state_dir(&|name| std::env::var(name).ok())?;
    std::fs::create_dir_all(&directory).ok()?;
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()?
        .as_secs();
    let path = directory.join(format!("fault-{seconds}-{}.txt", std::process::id()));
    std::fs::write(&path, text).ok()?;
    Some(path)
}
