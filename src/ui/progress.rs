//! A line on a terminal's stderr that says how far something is. Erased when it ends, never in a pipe.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long nothing is shown, so that quick things do not flicker.
pub const PATIENCE: Duration = Duration::from_millis(200);

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// Steps that a fraction is shown in.
const STEPS: u64 = 1_000;

/// A spinner, or a bar once a fraction is known. Does nothing where stderr is no terminal.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    ascii: bool,
    revealed: bool,
    measured: bool,
}

impl Progress {
    pub(super) fn new(message: String, enabled: bool, ascii: bool) -> Self {
        let bar = enabled.then(|| {
            ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::hidden()).with_message(message)
        });
        Self {
            bar,
            ascii,
            revealed: false,
            measured: false,
        }
    }

    /// How long the caller waits before [`Progress::reveal`].
    pub fn patience(&self) -> Duration {
        PATIENCE
    }

    /// Shows it from now on.
    pub fn reveal(&mut self) {
        let Some(bar) = self.bar.as_ref().filter(|_| !self.revealed) else {
            return;
        };
        self.revealed = true;
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.set_style(self.style());
        bar.enable_steady_tick(TURN);
    }

    /// Says how far it is: `fraction` 0 to 1 where that is known, and a few words.
    pub fn set(&mut self, fraction: Option<f64>, message: Option<&str>) {
        let Some(bar) = self.bar.clone() else { return };
        if let Some(message) = message {
            bar.set_message(message.to_owned());
        }
        if let Some(fraction) = fraction {
            if !self.measured {
                self.measured = true;
                bar.set_style(self.style());
            }
            bar.set_position((fraction.clamp(0.0, 1.0) * STEPS as f64) as u64);
        }
    }

    /// Runs `write` with the line out of its way.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Erases it.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn style(&self) -> ProgressStyle {
        let template = if self.measured {
            "{spinner} {msg}  [{bar:30}] {percent}%  {elapsed}, {eta} left"
        } else {
            "{spinner} {msg}  {elapsed}"
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        if self.ascii {
            style.progress_chars("#>-").tick_chars("|/-\\ ")
        } else {
            style.progress_chars("━╸─").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}
