//! The house's rules that a compiler does not know: who may import whom, and how a file opens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by a panic"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The floor of each room; a file imports only from floors below its own, or from its own room.
const FLOORS: &[(&str, u8)] = &[
    ("error", 0),
    ("proto", 0),
    ("sys", 0),
    ("ui", 0),
    ("value", 0),
    ("cli", 0),
    ("config", 1),
    ("session", 1),
    ("workers", 1),
    ("journal", 2),
    ("tools", 2),
    ("watch", 2),
    ("wire", 2),
    ("bridge", 3),
    ("client", 4),
    ("server", 4),
    ("commands", 5),
];

/// Imports against the floors that are meant, each with its reason.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("ui", "error", "it prints errors"),
    ("value", "error", "a refused value is an error"),
    ("cli", "ui", "flags name the printer's formats and colours"),
    ("tools", "workers", "a tool call is dispatched to a worker"),
    ("tools", "wire", "a worker's status is read by the one table"),
];

fn floor(room: &str) -> u8 {
    match FLOORS.iter().find(|(name, _)| *name == room) {
        Some((_, floor)) => *floor,
        None => panic!("room `{room}` has no floor in tests/house.rs"),
    }
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).expect("src is readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn room(path: &Path) -> Option<String> {
    let inside = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .ok()?;
    let first = inside.iter().next()?.to_str()?;
    (first != "lib.rs" && first != "bin").then(|| first.trim_end_matches(".rs").to_owned())
}

/// Rooms that a file names by `crate::room`, also inside `use crate::{room::…, other::…}`.
fn imports(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 && (letter.is_alphanumeric() || letter == '_') {
                    word.push(letter);
                } else if depth == 0 && letter == ',' {
                    rooms.extend(first_word(&word));
                    word.clear();
                } else if depth == 0 && letter == ':' {
                    word.push(':');
                }
            }
            rooms.extend(first_word(&word));
        } else {
            rooms.extend(first_word(rest));
        }
    }
    rooms
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text
        .chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect();
    (!word.is_empty()).then_some(word)
}

#[test]
fn imports_go_down_the_stairs() {
    let mut wrong = Vec::new();
    for path in sources() {
        let Some(from) = room(&path) else { continue };
        let text = fs::read_to_string(&path).expect("a source is UTF-8");
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        for to in imports(&code).into_iter().filter(|to| *to != from) {
            let Some((_, down)) = FLOORS.iter().find(|(name, _)| *name == to) else {
                continue;
            };
            let allowed = ALLOWED
                .iter()
                .any(|(above, below, _)| *above == from && *below == to);
            if *down >= floor(&from) && !allowed {
                wrong.push(format!("{}: `{from}` imports `{to}`", path.display()));
            }
        }
    }
    wrong.dedup();
    assert!(
        wrong.is_empty(),
        "imports against the floors:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|path| !fs::read_to_string(path).expect("UTF-8").starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "files that do not open with `//!`: {silent:?}");
}

#[test]
fn no_file_is_a_monolith() {
    const LINES: usize = 700;
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|path| fs::read_to_string(path).expect("UTF-8").lines().count() > LINES)
        .collect();
    assert!(long.is_empty(), "files over {LINES} lines: {long:?}");
}

#[test]
fn the_core_is_pure() {
    const FORBIDDEN: &[&str] = &[
        "tokio",
        "tonic",
        "std::fs",
        "std::net",
        "SystemTime::now",
        "Instant::now",
        "getrandom",
    ];
    let mut wrong = Vec::new();
    for path in sources() {
        let in_core = matches!(room(&path).as_deref(), Some("session" | "value"));
        if !in_core
            || path
                .components()
                .any(|part| part.as_os_str().to_string_lossy().starts_with("tests"))
        {
            continue;
        }
        let text = fs::read_to_string(&path).expect("UTF-8");
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            wrong.extend(
                FORBIDDEN
                    .iter()
                    .filter(|word| line.contains(*word))
                    .map(|word| format!("{}: {word}", path.display())),
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "the core touches the world:\n{}",
        wrong.join("\n")
    );
}
