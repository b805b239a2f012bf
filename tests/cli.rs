//! The command line through the real binary: help, usage errors, exit codes, formats, and a bridge behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test fails by a panic.

mod support;

use nix::sys::signal::Signal;
use serde_json::Value;
use snakepit::error::Kind;
use support::World;

/// A list of every verb with its one line, as help shows it: `var set  Change one variable, …`.
fn tree(world: &World) -> String {
    let mut text = String::new();
    for noun in ["", "worker", "var", "tool", "session"] {
        let help = world.run(&format!("{noun} --help"));
        assert_eq!(help.code, 0, "{help:?}");
        let verbs = help.out.lines().skip_while(|line| *line != "Commands:").skip(1);
        for verb in verbs
            .take_while(|line| !line.is_empty())
            .filter(|line| !line.trim().starts_with("help "))
        {
            text.push_str(format!("{noun} {}", verb.trim()).trim());
            text.push('\n');
        }
    }
    text
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|cause| panic!("{cause}: {text}"))
}

// --- Without a bridge ---------------------------------------------------------------------------------------------

#[test]
fn the_tree_of_verbs_is_the_one_that_was_meant() {
    let tree = tree(&World::new());
    for line in [
        "serve    Run a bridge in this terminal",
        "worker spawn  Start Python processes that offer the tools of a file or module",
        "worker list   List workers by id [alias: ls]",
        "var register  Declare a variable with its type, constraints and first value",
        "var get       Read variables",
        "var set       Change one variable, or several in one revision",
        "var list      List variables by name [alias: ls]",
        "var describe  Tell all that is known of a variable",
        "var del       Delete variables [alias: rm]",
        "var watch     Follow changes as they happen",
        "tool list      List tools by name [alias: ls]",
        "tool describe  Describe a tool and its parameters",
        "tool call      Run a tool and print what it gives",
        "session new         Make a session that never expires",
        "session list        List sessions by id [alias: ls]",
        "session show        Describe a session",
        "session use         Work in that session from now on",
        "session fork        Make a session that begins with the variables of this one",
        "session checkpoint  Keep the session as it is under a name",
        "session restore     Make the session as it was at a checkpoint",
        "session export      Write the session as JSON lines",
        "session import      Make a session from an exported file",
        "session end         End a session and all that belongs to it [alias: rm]",
        "explain  Tell more about an error code",
    ] {
        assert!(
            tree.lines().any(|verb| verb == line),
            "`{line}` is missing in:\n{tree}"
        );
    }
}

#[test]
fn every_verb_s_long_help_leads_with_an_example() {
    let world = World::new();
    for line in tree(&world).lines() {
        let words: Vec<&str> = line.split("  ").next().unwrap_or_default().split(' ').collect();
        if words.len() == 1 && ["worker", "var", "tool", "session"].contains(&words[0]) {
            continue;
        }
        let help = world.args(&[&words[..], &["--help"]].concat());
        let example = format!("  snakepit {}", words.join(" "));
        let second = help.out.lines().nth(1).unwrap_or_default();
        assert!(
            help.out.starts_with("Example") && second.starts_with(&example),
            "{words:?}:\n{}",
            help.out
        );
    }
}

#[test]
fn alone_it_greets_with_three_examples_and_succeeds() {
    let run = World::new().run("");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_eq!(
        run.out
            .lines()
            .filter(|line| line.starts_with("  snakepit "))
            .count(),
        3
    );
}

#[test]
fn a_mistyped_verb_is_a_usage_error_with_the_nearest_one() {
    let world = World::new();
    let run = world.run("tool lst");
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(
        run.err.starts_with("error[E1101]: there is no verb `lst`\n"),
        "{}",
        run.err
    );
    assert!(run.err.contains("hint: did you mean `list`?"), "{}", run.err);
    let run = world.run("servee");
    assert!(run.err.contains("did you mean `serve`?"), "{}", run.err);
}

#[test]
fn usage_errors_exit_2_name_the_culprit_and_are_json_when_json_was_asked_for() {
    let world = World::new();
    for (line, told) in [
        (
            "var set --expct-version 1 a 1",
            "there is no flag `--expct-version` here",
        ),
        ("var list --color blu", "`blu` does not fit"),
        ("var list --timeout soon", "`soon` does not fit"),
        ("var set a 1 b", "`a` has no value"),
        ("var set a=1 a=2", "`a` is named twice"),
        ("var get", "missing"),
        ("var", "a verb is missing"),
        ("worker spawn t.py -n 0", "`0` does not fit"),
        ("explain E9999", "there is no error code `E9999`"),
    ] {
        let run = world.run(line);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{line}: {}", run.err);
        assert!(
            run.err.starts_with("error[E1101]") && run.err.contains(told),
            "{line}: {}",
            run.err
        );
    }
    let run = world.run("-o json tool lst");
    let error = &json(&run.err)["error"];
    assert_eq!(
        (error["code"].as_str(), error["exit"].as_u64()),
        (Some("E1101"), Some(2))
    );
}

#[test]
fn without_a_bridge_it_says_where_it_looked_and_how_to_start_one() {
    let world = World::new();
    for line in [
        "var get x",
        "var list",
        "tool list",
        "session list",
        "worker list",
        "var watch x",
        "tool call x",
    ] {
        let run = world.run(line);
        assert_eq!((run.code, run.out.as_str()), (8, ""), "{line}: {}", run.err);
        assert!(
            run.err
                .starts_with("error[E0801]: no bridge is running at `unix:"),
            "{line}: {}",
            run.err
        );
        assert!(
            run.err.contains("hint: start one with `snakepit serve`"),
            "{line}: {}",
            run.err
        );
    }
    let run = world.run("--address 127.0.0.1:1 var get x");
    assert_eq!(run.code, 8, "{}", run.err);
    assert!(run.err.contains("`127.0.0.1:1`"), "{}", run.err);
}

#[test]
fn a_wrong_address_exits_2_and_a_wrong_variable_of_the_environment_78() {
    let world = World::new();
    assert_eq!(world.run("--address nonsense var list").code, 2);
    let output = world
        .command(["var", "list"])
        .env("SNAKEPIT_OUTPUT", "yaml")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(78));
}

#[test]
fn serve_refuses_a_port_that_anybody_could_reach() {
    let world = World::new();
    for line in ["serve --listen 127.0.0.1:0", "serve --listen 0.0.0.0:0 --no-auth"] {
        let run = world.run(line);
        assert_eq!(run.code, 78, "{line}: {}", run.err);
        assert!(run.err.starts_with("error[E0805]"), "{line}: {}", run.err);
    }
    assert_eq!(world.run("serve --socket none").code, 2);
}

#[test]
fn every_code_is_explained_without_a_bridge() {
    let world = World::new();
    let all = world.run("explain -o json");
    let all = json(&all.out);
    assert_eq!(all.as_array().map(Vec::len), Some(Kind::ALL.len()));
    // A run for each would be sixty processes; a few show that the words are the table's.
    for kind in Kind::ALL.iter().step_by(7) {
        let run = world.run(&format!("explain {}", kind.code().to_lowercase()));
        assert_eq!(run.code, 0);
        assert!(
            run.out.contains(kind.title()) && run.out.contains(kind.explain()),
            "{}",
            run.out
        );
    }
    for (entry, kind) in all.as_array().into_iter().flatten().zip(Kind::ALL) {
        assert_eq!(entry["code"], kind.code());
        assert_eq!(entry["explanation"], kind.explain());
        assert_eq!(entry["exit"], kind.exit());
    }
}

#[test]
fn colour_is_only_where_it_was_asked_for() {
    let world = World::new();
    assert!(!world.run("var get x").err.contains('\x1b'));
    assert!(
        world
            .run("--color always var get x")
            .err
            .contains("\x1b[1;31merror[E0801]\x1b[0m")
    );
    let forced = world
        .command(["var", "get", "x"])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .expect("it runs");
    assert!(String::from_utf8_lossy(&forced.stderr).contains('\x1b'));
}

// --- With a bridge ------------------------------------------------------------------------------------------------

#[test]
fn a_variable_is_registered_read_changed_and_listed() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    let run = world.run("var register learning_rate 0.01 --min 0.0001 --max 0.1");
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    assert!(
        run.err
            .starts_with("registered float learning_rate = 0.01  (v0, rev "),
        "{}",
        run.err
    );
    let run = world.run("var set learning_rate 0.003");
    assert!(
        run.err.starts_with("set learning_rate = 0.003  (v0 -> v1, rev "),
        "{}",
        run.err
    );
    assert_eq!(world.run("-q var set learning_rate 0.004").err, "");
    assert_eq!(world.run("var get learning_rate").out, "0.004\n");
    assert_eq!(world.run("var get learning_rate -o raw").out, "0.004");
    let variable = json(&world.run("var get learning_rate -o json").out);
    assert_eq!(variable["value"], 0.004);
    assert_eq!(
        (variable["type"].as_str(), variable["version"].as_u64()),
        (Some("float"), Some(2))
    );
    let list = world.run("var ls learn*").out;
    let row: Vec<&str> = list.lines().nth(1).unwrap_or_default().split('\t').collect();
    assert_eq!(&row[..4], ["learning_rate", "float", "0.004", "2"], "{list}");
    assert!(row[5].ends_with('Z'), "{list}");
    assert_eq!(world.run("var list -o name").out, "learning_rate\n");
}

#[test]
fn a_value_out_of_range_is_the_transcript_of_the_rules() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    world.run("var register learning_rate 0.01 --min 0.0001 --max 0.1");
    let run = world.run("var set learning_rate 0.5");
    assert_eq!((run.code, run.out.as_str()), (10, ""));
    assert!(
        run.err
            .starts_with("error[E0301]: value out of range for `learning_rate`\n  0.5 is above maximum 0.1")
    );
    assert!(run.err.contains("\n  hint: "), "{}", run.err);
    let run = world.run("var register learning_rate --max 0.5 --update");
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(world.run("var set learning_rate 0.5").code, 0);
    assert_eq!(
        world.run("var set learning_rate 0.00001").code,
        10,
        "the minimum that nobody named has stayed"
    );
}

#[test]
fn values_are_read_by_the_variable_s_type() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    world.file("v.json", "-7\n");
    for line in [
        "var register n 1 --type integer",
        "var register s text",
        "var register f 1.5",
        "var register b true",
    ] {
        assert_eq!(world.run(line).code, 0, "{line}");
    }
    for (line, name, value) in [
        ("var set n -1", "n", "-1"),
        (
            "var set n 123456789012345678901234567890",
            "n",
            "123456789012345678901234567890",
        ),
        ("var set n @v.json", "n", "-7"),
        ("var set f -1e-3", "f", "-0.001"),
        ("var set f -Infinity", "f", "-Infinity"),
        ("var set s 5", "s", "5"),
        ("var set s \"quoted\"", "s", "quoted"),
        ("var set b=false s=-1", "s", "-1"),
    ] {
        let run = world.run(line);
        assert_eq!(run.code, 0, "{line}: {}", run.err);
        assert_eq!(world.run(&format!("var get {name}")).out.trim(), value, "{line}");
    }
    let run = world.run("var set f fast");
    assert_eq!(run.code, 10);
    assert!(
        run.err
            .starts_with("error[E0302]: wrong type for `f`\n  `fast` is not JSON"),
        "{}",
        run.err
    );
}

#[test]
fn pairs_are_one_revision_or_nothing() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    world.run("var register a 1 --max 10");
    world.run("var register b 1 --max 10");
    let run = world.run("var set a=2 b=3 -o json");
    assert_eq!(run.code, 0, "{}", run.err);
    let before = json(&run.out)["revision"].as_u64();
    let run = world.run("var set a=5 b=11");
    assert_eq!(run.code, 10, "{}", run.err);
    assert!(
        run.err.contains("`b`: ") && run.err.contains("above maximum"),
        "{}",
        run.err
    );
    assert_eq!(world.run("var get a").out, "2\n");
    assert_eq!(
        json(&world.run("session show -o json").out)["revision"].as_u64(),
        before
    );
}

#[test]
fn names_that_are_not_there_exit_3_with_the_nearest_one() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    world.run("var register learning_rate 0.01");
    world.run("session new exp1");
    for (line, near) in [
        ("var get learnin_rate", "learning_rate"),
        ("var set lr 1", "learning_rate"),
        ("var set learning_rat=1 learning_rate=2", "learning_rate"),
        ("--session exp2 var list", "exp1"),
        ("session show exp2", "exp1"),
        ("session end exp2", "exp1"),
        ("tool describe host_tim", "host_time"),
        ("tool call host_tim", "host_time"),
    ] {
        let run = world.run(line);
        assert_eq!((run.code, run.out.as_str()), (3, ""), "{line}: {}", run.err);
        let hint = format!("hint: did you mean `{near}`?");
        assert_eq!(run.err.matches(&hint).count(), 1, "{line}: {}", run.err);
    }
    assert_eq!(world.run("var get nothing --default 3").out, "3\n");
}

#[test]
fn conflicts_exit_5() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    world.run("var register x 1");
    assert_eq!(world.run("var register x 1").code, 5);
    assert_eq!(world.run("var register x 1 --if-missing").code, 0);
    world.run("var set x 2");
    let run = world.run("var set x 3 --expect-version 0");
    assert_eq!(run.code, 5);
    assert!(run.err.starts_with("error[E0401]"), "{}", run.err);
    assert_eq!(world.run("var set x 3 --expect-version v1").code, 0);
    world.run("session new exp1");
    assert_eq!(world.run("session new exp1 --create-only").code, 5);
    assert_eq!(world.run("session new exp1").code, 0);
}

#[test]
fn a_watch_in_a_pipe_is_lines_of_json_in_order() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    world.run("var register loss 0.31");
    let mut watch = world.start(&["var", "watch", "loss*", "--count", "3"]);
    let first = json(&watch.line());
    assert_eq!(
        (first["type"].as_str(), first["value"].as_f64()),
        (Some("initial_value"), Some(0.31))
    );
    world.run("var set loss 0.28");
    let line = watch.line();
    let change = json(&line);
    let keys: Vec<&str> = change
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "type",
            "name",
            "value",
            "old_value",
            "version",
            "revision",
            "source",
            "time"
        ],
        "{line}"
    );
    assert_eq!(change["type"], "value_change");
    assert_eq!(
        (change["old_value"].as_f64(), change["value"].as_f64()),
        (Some(0.31), Some(0.28))
    );
    assert_eq!(
        (change["version"].as_u64(), change["source"].as_str()),
        (Some(1), Some("cli"))
    );
    let since = change["revision"].as_u64().expect("a revision");
    world.run("var set loss 0.2");
    assert_eq!(json(&watch.line())["value"], 0.2);
    assert_eq!(watch.wait().0, 0);
    let mut again = world.start(&[
        "var",
        "watch",
        "loss",
        "--count",
        "1",
        "--since",
        &since.to_string(),
    ]);
    assert_eq!(json(&again.line())["value"], 0.2);
}

#[test]
fn a_watch_ends_when_its_reader_goes_and_says_nothing() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    world.run("var register x 1");
    let mut watch = world.start(&["var", "watch", "x"]);
    watch.line();
    watch.close_out();
    assert_eq!(
        watch.wait(),
        (0, String::new()),
        "without waiting for another change"
    );
}

#[test]
fn ctrl_c_ends_a_watch_with_130_and_a_limit_without_its_count_with_124() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    world.run("var register x 1");
    let mut watch = world.start(&["var", "watch", "x"]);
    watch.line();
    watch.signal(Signal::SIGINT);
    let (code, err) = watch.wait();
    assert_eq!(code, 130);
    assert!(!err.contains("error"), "{err}");
    assert_eq!(world.run("var watch x --timeout 100ms").code, 0);
    assert_eq!(world.run("var watch x --timeout 100ms --count 5").code, 124);
}

#[test]
fn a_watch_lives_on_over_a_bridge_that_was_killed() {
    let world = World::new();
    let bridge = world.serve(&[]);
    world.run("var register x 1");
    let mut watch = world.start(&["var", "watch", "x", "--count", "2"]);
    assert_eq!(json(&watch.line())["value"], 1);
    bridge.stop(Signal::SIGKILL);
    let _second = world.serve(&[]);
    // Nothing was kept, so the session is a new one: the watch says so and goes on.
    assert_eq!(json(&watch.line())["type"], "resync");
    world.run("var register x 2");
    assert_eq!(json(&watch.line())["value"], 2);
    let (code, err) = watch.wait();
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("reconnecting...") && err.contains("resumed at rev"),
        "{err}"
    );
}

#[test]
fn sessions_are_made_shown_listed_and_ended() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    let run = world.run("session new exp1");
    assert!(
        run.err.starts_with("made session exp1  (rev ") && run.err.contains("never expires"),
        "{}",
        run.err
    );
    assert!(
        world
            .run("session new exp2 --ttl 1h")
            .err
            .contains("expires 1 h after its last use")
    );
    let session = json(&world.run("session show exp2 -o json").out);
    assert_eq!(session["ttl_seconds"], 3600);
    assert_eq!(world.run("session list -o name").out, "default\nexp1\nexp2\n");
    world.run("--session exp1 var register x 1");
    let run = world.run("session end exp1");
    assert!(run.err.starts_with("ended session exp1  ("), "{}", run.err);
    assert_eq!(world.run("session list -o name").out, "default\nexp2\n");
}

#[test]
fn a_host_tool_is_listed_described_and_called() {
    let world = World::new();
    let _bridge = world.serve(&[]);
    assert!(
        world
            .run("tool list -o name")
            .out
            .lines()
            .any(|name| name == "host_info")
    );
    let page = world.run("tool describe host_info").out;
    assert!(
        page.starts_with("host_info(") && page.contains("host tool of every session"),
        "{page}"
    );
    let run = world.run("tool call host_info -o json --time");
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(json(&run.out).is_object());
    assert!(run.err.contains(" ms: waited "), "{}", run.err);
    let run = world.run("tool call host_info verbos=true");
    assert_eq!(run.code, 10, "{}", run.err);
    assert!(run.err.starts_with("error[E0604]"), "{}", run.err);
}
