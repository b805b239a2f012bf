//! README's tour, done as it stands there: its files are written, its commands typed, what it says they print is
//! printed. Numbers that differ from run to run are not compared.

use std::process::Command;

use crate::support::process::Process;
use crate::support::{PATIENCE, World, eventually, python};

const README: &str = include_str!("../../README.md");

/// The fenced blocks of one language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    README
        .split(fence.as_str())
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("\n```")?.0))
        .collect()
}

/// Commands of the tour, each with what it is said to print.
fn commands() -> Vec<(&'static str, Vec<&'static str>)> {
    let tour = README.split("## Five minutes").nth(1).expect("the tour");
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for block in blocks("console").into_iter().filter(|block| tour.contains(block)) {
        for line in block.lines() {
            match (line.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) => found.push((command, Vec::new())),
                (None, Some((_, printed))) => printed.push(line),
                (None, None) => panic!("a line before the first command: {line}"),
            }
        }
    }
    found
}

/// A line without its numbers: `rev 3, 0.9 ms` is `rev #, # ms`.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for letter in line.trim_end().chars() {
        let number = letter.is_ascii_digit() || (letter == '.' && shape.ends_with('#'));
        match (number, shape.ends_with('#')) {
            (true, true) => {}
            (true, false) => shape.push('#'),
            (false, _) => shape.push(letter),
        }
    }
    shape
}

#[test]
fn the_tour_does_what_it_says() {
    let world = World::new();
    let tools = blocks("python")
        .into_iter()
        .find(|block| block.starts_with("# tools.py"))
        .expect("a file of tools");
    world.file("tools.py", tools);
    world.file("snakepit.toml", blocks("toml")[0]);
    let _bridge = world.foreground(&["--worker", "tools.py"]);
    let mut background: Vec<Process> = Vec::new();
    let mut tried = 0;
    for (command, printed) in commands() {
        let Some(words) = command.strip_prefix("snakepit ") else {
            panic!("not a command of ours: {command}");
        };
        if words.starts_with("serve") || words.starts_with("worker spawn") {
            continue;
        }
        tried += 1;
        if let Some(words) = words.strip_suffix(" &") {
            let mut process = world.process(&words.split(' ').collect::<Vec<_>>());
            process.line();
            background.push(process);
            continue;
        }
        let run = world.run(words);
        let all = format!("{}{}", run.out, run.err);
        let first: Vec<String> = all.lines().take(printed.len()).map(shape).collect();
        let wanted: Vec<String> = printed.iter().map(|line| shape(line)).collect();
        assert_eq!(first, wanted, "{command} printed\n{all}");
        assert_eq!(
            run.code != 0,
            printed.iter().any(|line| line.starts_with("error[")),
            "{command}: {run:?}"
        );
    }
    assert!(tried >= 5, "{tried} commands");
    script(&world);
}

/// The script of the tour, where the tests were given an interpreter that has what the package needs.
fn script(world: &World) {
    let Some(interpreter) = python().pop() else { return };
    let text = blocks("python")
        .into_iter()
        .find(|block| block.contains("connect()"))
        .expect("a script");
    let output = eventually(PATIENCE, "the script", || {
        Command::new(&interpreter)
            .args(["-c", text])
            .env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/python"))
            .env("XDG_RUNTIME_DIR", world.home().join("run"))
            .output()
            .ok()
    });
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        printed.starts_with("hello, Ada\n[E0301] value out of range for `pace`"),
        "{printed}"
    );
    assert_eq!(world.run("var get pace").out, "0.2\n");
}
