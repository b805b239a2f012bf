//! `demo`: the main job on one screen, by the very commands that a user would type.
//!
//! Everything shown is real: a bridge, a Python process, clients, each a process of this binary or of Python. The
//! demo only starts them in a folder of their own and puts their output side by side.

mod stage;

use std::time::Duration;

use super::Context;
use super::signals::Signals;
use crate::error::Result;
use crate::ui::Ink;
use stage::{Cast, Stage};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit demo

Starts a bridge of its own, prepares Python, and shows tools, a live variable and a watch at work. Nothing of it is \
left afterwards but the prepared Python. It takes about fifteen seconds, the first time a minute.";

/// Steps of the training loop, and the pause after each: about six seconds, long enough to steer.
const EPOCHS: u32 = 60;
const DELAY: &str = "0.1";

/// Chunks that are shown before somebody changes the learning rate.
const BEFORE: usize = 20;

/// How long a one-shot command of the demo may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the main job work on one screen
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) async fn run(_: Args, context: &Context) -> Result<()> {
    let mut signals = Signals::listen()?;
    tokio::select! {
        played = play(context) => played,
        // Dropping the play ends everything that it started.
        () = signals.next() => Err(crate::error::Error::new(crate::error::Kind::Interrupted, "interrupted")),
    }
}

async fn play(context: &Context) -> Result<()> {
    let stage = Stage::set(context)?;
    stage.prepare_python().await?;
    stage.say("a bridge of its own, with two Python files as workers")?;
    let bridge = stage.bridge().await?;

    stage.say("every function with @tool above it can be called")?;
    stage.show(&["tool", "list"], PATIENCE).await?;
    stage.say("one of them reads a real document")?;
    stage
        .show(
            &["tool", "call", "analyze", "path=architecture.md", "top=5"],
            PATIENCE,
        )
        .await?;

    stage.say(
        "a training loop streams its loss; a second client changes its learning rate; a watch sees it",
    )?;
    train(&stage).await?;

    bridge.end().await;
    farewell(context)
}

async fn train(stage: &Stage<'_>) -> Result<()> {
    let watched = ["var", "watch", "learning_rate", "-o", "table", "--count", "2"];
    stage
        .show(
            &[
                "var",
                "register",
                "learning_rate",
                "0.05",
                "--min",
                "0",
                "--max",
                "10",
            ],
            PATIENCE,
        )
        .await?;
    let mut watch = stage.start("watch", Ink::Hint, &watched)?;
    let epochs = format!("epochs={EPOCHS}");
    let delay = format!("delay={DELAY}");
    let mut call = stage.start(
        "train",
        Ink::Good,
        &["tool", "call", "train", &epochs, &delay, "-o", "table"],
    )?;
    let mut steered = None;
    let mut chunks = 0;
    while let Some(line) = call.next_line(&mut watch).await? {
        let from_training = line.from == "train";
        // Every fifth line is enough to see where it goes.
        chunks += usize::from(from_training);
        if !from_training || chunks % 5 == 1 || !line.text.starts_with("epoch=") {
            stage.pass_on(&line)?;
        }
        if chunks == BEFORE && steered.is_none() {
            stage.pass_on(&stage::Line::typed("var set learning_rate 0.9"))?;
            steered = Some(stage.start("set", Ink::Faint, &["var", "set", "learning_rate", "0.9"])?);
        }
    }
    call.succeeded().await?;
    if let Some(mut steered) = steered {
        steered.succeeded().await?;
    }
    watch.succeeded().await
}

fn farewell(context: &Context) -> Result<()> {
    let printer = &context.printer;
    printer.line("")?;
    printer.line(printer.paint(Ink::Strong, "Now by hand, from this folder:"))?;
    for (command, what) in [
        ("snakepit serve", "a bridge, in a terminal of its own"),
        (
            "snakepit worker spawn examples/train.py",
            "your file, in a second one",
        ),
        ("snakepit tool call train epochs=200", "call it, in a third"),
        ("snakepit var set learning_rate 0.01", "steer it while it runs"),
        ("snakepit var watch 'l*'", "see every change with its revision"),
    ] {
        printer.line(format!(
            "  {command:<42} {}",
            printer.paint(Ink::Faint, &format!("# {what}"))
        ))?;
    }
    Ok(())
}
