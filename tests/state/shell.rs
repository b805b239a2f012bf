//! The shell's verbs of variables and sessions, by their words and exit codes.

use crate::support::World;

fn served() -> (World, crate::support::Bridge) {
    let world = World::new();
    let bridge = world.serve(&[]);
    (world, bridge)
}

/// Runs a line; stdout, after the exit code was checked.
fn run(world: &World, line: &str, code: i32) -> String {
    let run = world.run(line);
    assert_eq!(run.code, code, "{line}: {}{}", run.out, run.err);
    run.out
}

/// A numpy file of bytes, as `numpy.save` writes it.
fn npy(shape: &str, descr: &str, first_axis: &str, payload: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    header.push_str(&" ".repeat(21 - first_axis.len()));
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(payload);
    file
}

#[test]
fn compare_and_set_tells_a_conflict_a_bad_value_and_a_missing_name_by_exit_code() {
    let (world, _bridge) = served();
    run(&world, "var register lr 0.01 --max 0.1", 0);
    run(&world, "var set lr 0.02 --expect-version v0", 0);
    run(&world, "var set lr 0.03 --expect-version 0", 5);
    run(&world, "var set lr 0.5 --expect-version 1", 10);
    run(&world, "var set rl 0.5 --expect-version 1", 3);
    assert_eq!(run(&world, "var get lr", 0), "0.02\n");
}

#[test]
fn set_creates_only_where_it_is_told_to() {
    let (world, _bridge) = served();
    run(&world, "var set a 1", 3);
    run(&world, "var set a=1 b=x --create", 0);
    run(&world, "var set a=2 c=0.5 --create", 0);
    assert_eq!(run(&world, "var get a b c -o raw", 0), "2\nx\n0.5\n");
    run(&world, "var set a=3 b=4 c=zzz", 10);
    assert_eq!(run(&world, "var get a", 0), "2\n", "all or none");
    assert_eq!(run(&world, "var get nope --default 7", 0), "7\n");
}

#[test]
fn constraints_are_changed_by_update_and_kept_by_if_missing() {
    let (world, _bridge) = served();
    run(&world, "var register n 5 --min 1 --max 10", 0);
    run(&world, "var register n 5", 5);
    run(&world, "var register n 5 --if-missing", 0);
    run(&world, "var register n --max 4 --update", 10);
    run(&world, "var register n --max 20 --update", 0);
    let described = run(&world, "var describe n -o json", 0);
    let described: serde_json::Value = serde_json::from_str(&described).expect("JSON");
    assert_eq!(described["constraints"], serde_json::json!({"min": 1, "max": 20}));
    assert_eq!(described["version"], 1);
    run(&world, "var describe m", 3);
}

#[test]
fn delete_asks_for_globs_and_shows_what_it_would_do() {
    let (world, _bridge) = served();
    run(&world, "var set a=1 tmp_1=1 tmp_2=2 --create", 0);
    run(&world, "var del a --expect-version 7", 5);
    run(&world, "var del nope a", 3);
    run(&world, "var del tmp_*", 2);
    assert_eq!(run(&world, "var del tmp_* --dry-run", 0), "tmp_1\ntmp_2\n");
    assert_eq!(run(&world, "var list -o name", 0), "a\ntmp_1\ntmp_2\n");
    run(&world, "var rm tmp_* --yes", 0);
    run(&world, "var del a", 0);
    assert_eq!(run(&world, "var list -o name", 0), "");
}

#[test]
fn a_numpy_file_goes_in_and_the_same_file_comes_out() {
    let (world, _bridge) = served();
    let bytes: Vec<u8> = (0..48_000u32).flat_map(|n| (n as f32).to_le_bytes()).collect();
    for (name, file) in [
        ("large", npy("(480, 100)", "<f4", "480", &bytes)),
        ("small", npy("(3,)", "<i2", "3", &[1, 0, 2, 0, 3, 0])),
        ("truth", npy("(1, 2)", "|b1", "1", &[1, 0])),
    ] {
        std::fs::write(world.work().join("w.npy"), &file).expect("a file");
        run(&world, &format!("var register {name} @w.npy"), 0);
        let out = world
            .command(["var", "get", name, "-o", "npy"])
            .output()
            .expect("it runs");
        assert_eq!(out.stdout, file, "{name}");
        run(&world, &format!("var set {name} @w.npy"), 0);
    }
    let raw = world
        .command(["var", "get", "large", "-o", "raw"])
        .output()
        .expect("it runs");
    assert_eq!(raw.stdout, bytes);
    run(&world, "var set n 1 --create", 0);
    run(&world, "var set n @w.npy", 10);
    run(&world, "var get n -o npy", 2);
    world.file("bad.npy", "\u{93}NUMPY");
    run(&world, "var register b @bad.npy --type tensor", 10);
}

#[test]
fn a_session_is_kept_restored_forked_and_carried_in_a_file() {
    let (world, _bridge) = served();
    run(&world, "var set a=1 b=2 --create", 0);
    run(&world, "session checkpoint one", 0);
    run(&world, "session checkpoint one", 5);
    run(&world, "var set a 9", 0);
    run(&world, "session fork exp --checkpoint one", 0);
    run(&world, "session fork exp", 5);
    run(&world, "session restore one", 2);
    run(&world, "session restore none --yes", 3);
    run(&world, "session restore one --yes", 0);
    assert_eq!(run(&world, "var get a", 0), "1\n");
    assert!(run(&world, "session checkpoint --list", 0).contains("one"));
    run(&world, "session checkpoint one --delete", 0);
    run(&world, "session checkpoint one --delete", 3);
    run(&world, "--session exp var set a 5", 0);
    run(&world, "--session exp session export exp.jsonl", 0);
    run(&world, "session import exp.jsonl", 5);
    run(&world, "session import exp.jsonl --as again", 0);
    assert_eq!(run(&world, "--session again var get a", 0), "5\n");
    let piped = run(&world, "--session again session export", 0);
    assert_eq!(piped.lines().count(), 3, "a header and two variables");
    run(&world, "session import missing.jsonl", 74);
    world.file("bad.jsonl", "hello\n");
    run(&world, "session import bad.jsonl", 10);
}

#[test]
fn the_session_in_use_is_kept_for_the_next_command_and_flags_win() {
    let (world, _bridge) = served();
    run(&world, "session use exp1", 3);
    run(&world, "session new exp1", 0);
    run(&world, "session use exp1", 0);
    run(&world, "var set x 1 --create", 0);
    assert_eq!(run(&world, "--session default var list -o name", 0), "");
    assert_eq!(run(&world, "var list -o name", 0), "x\n");
    let env = world
        .command(["var", "list", "-o", "name"])
        .env("SNAKEPIT_SESSION", "default")
        .output();
    assert!(
        env.expect("it runs").stdout.is_empty(),
        "the environment wins over it"
    );
    let socket = world.home().join("run/snakepit/default.sock");
    let by_address = format!("--address unix:{}", socket.display());
    run(&world, &format!("{by_address} session use exp1"), 2);
    assert_eq!(run(&world, &format!("{by_address} var list -o name"), 0), "");
    run(&world, "session use default", 0);
    assert_eq!(run(&world, "var list -o name", 0), "");
}
