//! What users do wrong, through the binary: exit code, first line of stderr, reasons and hint of each.

use std::time::Instant;

use crate::support::process::Process;
use crate::support::{PATIENCE, World, eventually, python};

/// A refused command: its words, the exit code, how stderr begins, and what else it has to say.
struct Refused {
    words: &'static [&'static str],
    code: i32,
    first: &'static str,
    says: &'static [&'static str],
}

fn refused(
    words: &'static [&'static str],
    code: i32,
    first: &'static str,
    says: &'static [&'static str],
) -> Refused {
    Refused {
        words,
        code,
        first,
        says,
    }
}

fn check(world: &World, cases: &[Refused]) {
    for case in cases {
        let run = world.args(case.words);
        let told = format!("{:?} -> {}\n{}{}", case.words, run.code, run.out, run.err);
        assert_eq!(run.code, case.code, "{told}");
        assert_eq!(run.err.lines().next(), Some(case.first), "{told}");
        assert_eq!(run.out, "", "{told}");
        for words in case.says {
            assert!(run.err.contains(words), "`{words}` is missing in {told}");
        }
    }
}

/// Runs `worker spawn` of a file to its end; what it says from the first error on.
fn spawn(world: &World, file: &str, text: &str) -> (i32, String) {
    if !text.is_empty() {
        world.file(file, text);
    }
    let mut command = world.command(["worker", "spawn", file]);
    command.args(python());
    let run = Process::start(command).end();
    let at = run.err.find("error[").unwrap_or(0);
    (run.code, run.err[at..].to_owned())
}

#[test]
fn what_is_not_there_exits_3_and_says_where_to_look() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    check(
        &world,
        &[
            refused(
                &["tool", "call", "trian"],
                3,
                "error[E0601]: tool not found: `trian`",
                &["hint: "],
            ),
            refused(
                &["tool", "describe", "trian"],
                3,
                "error[E0601]: tool not found: `trian`",
                &["hint: "],
            ),
            refused(
                &["var", "get", "lr"],
                3,
                "error[E0201]: variable not found: `lr` in session `default`",
                &["hint: list what there is with `snakepit var list`"],
            ),
            refused(
                &["var", "set", "lr", "1"],
                3,
                "error[E0201]: variable not found: `lr` in session `default`",
                &["hint: "],
            ),
            refused(
                &["var", "watch", "lr"],
                3,
                "error[E0201]: variable not found: `lr` in session `default`",
                &["hint: "],
            ),
            refused(
                &["--session", "exp9", "var", "list"],
                3,
                "error[E0101]: session not found: `exp9`",
                &["hint: list them with `snakepit session list`, make one with `snakepit session new NAME`"],
            ),
            refused(
                &["--session", "exp9", "tool", "call", "host_time"],
                3,
                "error[E0101]: session not found: `exp9`",
                &["hint: "],
            ),
        ],
    );
}

#[test]
fn a_wrong_type_and_a_broken_constraint_exit_10_and_nothing_is_written() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    world.run("var register rate 0.1 --min 0 --max 1");
    world.run("var register label hello --type string --min-length 3");
    check(
        &world,
        &[
            refused(
                &["var", "set", "rate", "\"x\""],
                10,
                "error[E0302]: wrong type for `rate`",
                &[
                    "must be a number, got a string",
                    "hint: `rate` of session `default` is of type float",
                ],
            ),
            refused(
                &["var", "set", "rate", "fast"],
                10,
                "error[E0302]: wrong type for `rate`",
                &["`fast` is not JSON", "hint: write a number"],
            ),
            refused(
                &["var", "set", "rate", "3"],
                10,
                "error[E0301]: value out of range for `rate`",
                &[
                    "3.0 is above maximum 1.0",
                    "hint: `rate` of session `default` has the constraints",
                ],
            ),
            refused(
                &["var", "set", "rate", "-3"],
                10,
                "error[E0301]: value out of range for `rate`",
                &["below minimum 0.0"],
            ),
            refused(
                &["var", "set", "label", "xy"],
                10,
                "error[E0301]: value out of range for `label`",
                &["must be at least 3 characters, got 2"],
            ),
        ],
    );
    assert_eq!(world.run("var get rate").out, "0.1\n");
    assert_eq!(world.run("var get label").out, "hello\n");
}

#[test]
fn all_that_is_wrong_with_the_parameters_is_told_at_once_and_the_tool_does_not_run() {
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.serve(&[]);
    let _worker = world.worker("kit.py", &[]);
    check(
        &world,
        &[
            refused(
                &["tool", "call", "add"],
                10,
                "error[E0604]: invalid parameters for `add`",
                &[
                    "`a` is missing (int)",
                    "outcome: never started",
                    "hint: see `snakepit tool describe add`",
                ],
            ),
            refused(
                &["tool", "call", "add", "a=1", "c=3"],
                10,
                "error[E0604]: invalid parameters for `add`",
                &["`c` is not a parameter", "hint: it takes (a: int, b: int = 2)"],
            ),
            refused(
                &["tool", "call", "add", "a:=\"x\""],
                10,
                "error[E0604]: invalid parameters for `add`",
                &["`a` wants int, got str"],
            ),
            refused(
                &["tool", "call", "add", "b:=\"x\"", "c=3"],
                10,
                "error[E0604]: invalid parameters for `add`",
                &[
                    "`a` is missing (int)",
                    "`b` wants int",
                    "`c` is not a parameter",
                    "hint: ",
                ],
            ),
            refused(
                &["tool", "call", "add", "b=word", "c=3"],
                10,
                "error[E0604]: invalid parameters for `add`",
                &[
                    "`a` is missing (int)",
                    "`b`: `word` is not JSON",
                    "`c` is not a parameter",
                    "hint: ",
                ],
            ),
        ],
    );
    let finished = &world.workers()[0]["finished"];
    assert_eq!(finished, 0, "nothing reached the worker");
}

#[test]
fn a_tool_that_raises_exits_6_with_the_frames_of_its_author_alone() {
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.serve(&[]);
    let _worker = world.worker("kit.py", &[]);
    let run = world.run("tool call bad text=it");
    assert_eq!((run.code, run.out.as_str()), (6, ""), "{}", run.err);
    assert_eq!(
        run.err.lines().next(),
        Some("error[E0602]: `bad` raised ValueError: cannot read it")
    );
    let frames: Vec<&str> = run
        .err
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("File "))
        .collect();
    assert_eq!(frames.len(), 2, "{}", run.err);
    assert!(
        frames[0].contains("kit.py") && frames[0].ends_with(", in bad"),
        "{frames:?}"
    );
    assert!(
        frames[1].contains("kit.py") && frames[1].ends_with(", in deeper"),
        "{frames:?}"
    );
}

#[test]
fn a_tool_that_raises_in_the_middle_keeps_the_chunks_before() {
    let world = World::new();
    world.tools("kit.py");
    let _bridge = world.serve(&[]);
    let _worker = world.worker("kit.py", &[]);
    let run = world.run("tool call breaks");
    assert_eq!(run.code, 6, "{}", run.err);
    let steps: Vec<serde_json::Value> = run
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            serde_json::json!({"type": "chunk", "seq": 1, "data": {"step": 1}}),
            serde_json::json!({"type": "chunk", "seq": 2, "data": {"step": 2}}),
        ]
    );
    assert_eq!(
        run.err.lines().next(),
        Some("error[E0602]: `breaks` raised RuntimeError: in the middle")
    );
    assert!(
        run.err.contains("kit.py") && !run.err.contains("snakepit/worker"),
        "{}",
        run.err
    );
    assert!(run.err.contains("outcome: may have run"), "{}", run.err);

    let run = world.run("-o json tool call breaks");
    let whole: serde_json::Value = serde_json::from_str(&run.out).expect("JSON although it broke");
    assert_eq!(whole["chunks"].as_array().map(Vec::len), Some(2));
    assert!(whole.get("result").is_none(), "{}", run.out);
    let error: serde_json::Value = serde_json::from_str(&run.err).unwrap();
    assert_eq!(
        (error["error"]["code"].as_str(), error["error"]["exit"].as_u64()),
        (Some("E0602"), Some(6))
    );
}

#[test]
fn a_file_that_cannot_be_served_is_told_with_its_traceback_and_leaves_no_process() {
    let world = World::new();
    let bridge = world.foreground(&[]);
    for (file, text, code, first, says) in [
        (
            "imports.py",
            "import nowhere_to_be_found\n",
            6,
            "error[E0702]: `imports.py` does not import: ModuleNotFoundError: No module named 'nowhere_to_be_found'",
            ["imports.py\", line 1", "hint: the interpreter is `"],
        ),
        (
            "syntax.py",
            "def f(:\n",
            6,
            "error[E0702]: `syntax.py` does not import: SyntaxError: invalid syntax (syntax.py, line 1)",
            ["def f(:", "hint: "],
        ),
        (
            "raises.py",
            "def load():\n    raise OSError('no disk')\n\nload()\n",
            6,
            "error[E0702]: `raises.py` does not import: OSError: no disk",
            ["raises.py\", line 2, in load", "hint: "],
        ),
        (
            "empty.py",
            "def add(a, b):\n    return a + b\n",
            6,
            "error[E0707]: `empty.py` declares no tool: put `@tool` (from snakepit import tool) above a function",
            ["hint: ", ""],
        ),
        (
            "exits.py",
            "import os\nprint('about to go', flush=True)\nos._exit(7)\n",
            6,
            "error[E0703]: worker `exits.py` ended before it was ready (exit code 7)",
            ["about to go", ""],
        ),
        (
            "nowhere.py",
            "",
            2,
            "error[E1101]: `nowhere.py` does not exist",
            [
                "hint: name a Python file (`tools.py`) or a module (`package.module`)",
                "",
            ],
        ),
        (
            "no.such.module",
            "",
            6,
            "error[E0702]: `no.such.module`: no module named no",
            ["hint: ", ""],
        ),
    ] {
        let (exit, err) = spawn(&world, file, text);
        assert_eq!(exit, code, "{file}: {err}");
        assert_eq!(err.lines().next(), Some(first), "{file}: {err}");
        for words in says {
            assert!(err.contains(words), "{file}: `{words}` is missing in {err}");
        }
        let left: Vec<_> = world
            .alive()
            .into_iter()
            .filter(|process| process.pid != bridge.pid())
            .collect();
        assert!(left.is_empty(), "{file}: {left:?}");
    }
    assert_eq!(world.workers().len(), 0);
}

#[test]
fn serve_with_a_worker_that_cannot_be_served_ends_with_its_error_and_leaves_nothing() {
    let world = World::new();
    world.file("broken.py", "import nowhere_to_be_found\n");
    let mut command = world.command(["serve", "--worker", "broken.py"]);
    command.args(python());
    let run = Process::start(command).end();
    assert_eq!(run.code, 6, "{}", run.err);
    assert!(
        run.err.contains("error[E0702]: ") && run.err.contains("nowhere_to_be_found"),
        "{}",
        run.err
    );
    world.nothing_is_alive(Instant::now());
    assert_eq!(world.sockets(), Vec::<String>::new());
}

#[test]
fn a_second_bridge_on_a_socket_exits_5_and_the_first_goes_on() {
    let world = World::new();
    let bridge = world.foreground(&[]);
    world.run("var register x 1");
    let run = world.run("serve");
    assert_eq!(run.code, 5, "{}", run.err);
    let first = format!(
        "error[E0804]: address is in use: a bridge runs at {}",
        world.socket().display()
    );
    assert_eq!(run.err.lines().next(), Some(first.as_str()));
    assert!(
        run.err.contains(&format!("process {}", bridge.pid())),
        "{}",
        run.err
    );
    assert!(
        run.err
            .contains("hint: use that one, or give this one a name of its own with `--name NAME`"),
        "{}",
        run.err
    );
    assert_eq!(world.run("var get x").out, "1\n", "the first still serves");
    let _other = Process::start(world.command(["--name", "other", "serve"]));
    let other = eventually(PATIENCE, "a bridge of another name", || {
        let run = world.run("--name other session list -o name");
        (run.code == 0).then_some(run)
    });
    assert_eq!(other.out, "default\n");
}

#[test]
fn without_a_bridge_a_worker_is_not_even_prepared() {
    let world = World::new();
    world.tools("kit.py");
    let (code, err) = spawn(&world, "kit.py", "");
    assert_eq!(code, 8, "{err}");
    let first = format!(
        "error[E0801]: no bridge is running at `unix:{}`",
        world.socket().display()
    );
    assert_eq!(err.lines().next(), Some(first.as_str()));
    assert!(err.contains("hint: start one with `snakepit serve`"), "{err}");
    assert!(!err.contains("python"), "{err}");
}

#[test]
fn tcp_wants_no_auth_said_aloud_and_nothing_but_loopback() {
    let world = World::new();
    check(
        &world,
        &[
            refused(
                &["serve", "--listen", "127.0.0.1:0"],
                78,
                "error[E0805]: refusing to listen on `127.0.0.1:0`",
                &["hint: say `--listen 127.0.0.1:0 --no-auth` if that is meant"],
            ),
            refused(
                &["serve", "--listen", "0.0.0.0:0", "--no-auth"],
                78,
                "error[E0805]: refusing to listen on `0.0.0.0:0`",
                &["the network can reach it", "hint: "],
            ),
            refused(
                &["serve", "--listen", "0.0.0.0:0"],
                78,
                "error[E0805]: refusing to listen on `0.0.0.0:0`",
                &["hint: "],
            ),
        ],
    );
    assert_eq!(
        world.sockets(),
        Vec::<String>::new(),
        "refused before anything is bound"
    );
}

#[test]
fn a_wrong_snakepit_toml_exits_78_and_names_the_key() {
    let world = World::new();
    for (text, first, says) in [
        (
            "[host_tools.greet]\ncommand = [\"/no/such/program\"]\n",
            "error[E1102]: `host_tools.greet.command` in snakepit.toml",
            "program `/no/such/program` was not found, or may not be executed",
        ),
        (
            "[host_tools.greet]\ncommand = [\"cat\"]\ndescripton = \"x\"\n",
            "error[E1102]: `host_tools.greet` in snakepit.toml",
            "hint: did you mean `description`?",
        ),
        (
            "[host_tool.greet]\ncommand = [\"cat\"]\n",
            "error[E1102]: unknown key `host_tool` in snakepit.toml",
            "hint: did you mean `host_tools`?",
        ),
        (
            "colour = \"red\"\n",
            "error[E1102]: unknown key `colour` in snakepit.toml",
            "hint: the file declares host tools, as `[host_tools.NAME]`",
        ),
        (
            "[host_tools.greet\n",
            "error[E1102]: snakepit.toml is not TOML",
            "line 1",
        ),
    ] {
        world.file("snakepit.toml", text);
        let run = Process::start(world.command(["serve"])).end();
        assert_eq!(run.code, 78, "{text}: {}", run.err);
        assert_eq!(run.err.lines().next(), Some(first), "{text}: {}", run.err);
        assert!(run.err.contains(says), "{text}: {}", run.err);
    }
    let run = world.run("serve --config nowhere.toml");
    assert_eq!(run.code, 74, "{}", run.err);
    assert!(
        run.err
            .starts_with("error[E1103]: cannot read `nowhere.toml`: No such file"),
        "{}",
        run.err
    );
}
