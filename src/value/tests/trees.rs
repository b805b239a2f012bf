//! Maps and lists, and JSON that is none.

use std::time::Instant;

use super::*;

#[test]
fn strict_json_is_kept_to_the_byte() {
    for (ty, text) in [
        (
            Type::Map,
            r#"{"a": 123456789012345678901234567890, "b":1.10,  "c" : "\u00e9", "d":[1e400]}"#,
        ),
        (Type::Map, "{}"),
        (Type::List, "[1 , 2.50, null, true, [], {}, \"\"]"),
    ] {
        assert_eq!(json(ty, text), text);
        assert_eq!(json(ty, &format!(" \n{text}\t")), text);
    }
}

#[test]
fn bare_special_tokens_become_strings_and_nothing_else_changes() {
    let text = r#"{"a": [NaN , -Infinity,1.10], "NaN": Infinity }"#;
    assert_eq!(
        json(Type::Map, text),
        r#"{"a": ["NaN" , "-Infinity",1.10], "NaN": "Infinity" }"#
    );
}

#[test]
fn equal_keys_are_refused_by_name_at_any_depth() {
    for text in [r#"{"a":1,"b":2,"a":3}"#, r#"{"x":[{"a":1,"\u0061":2}]}"#] {
        let error = refusal(Type::Map, text);
        assert_eq!(error.kind(), Kind::BadEncoding);
        assert!(error.message().contains("`a`"), "{error}");
    }
    json(Type::List, r#"[{"a":1},{"a":1}]"#);
}

#[test]
fn equal_meaning_is_unchanged_and_other_meaning_is_not() {
    let value = |text: &str| Value::decode(Type::Map, text.as_bytes()).unwrap();
    let base = value(r#"{"a":1,"b":[1.5,"x"]}"#);
    assert!(base.same_as(&value(r#"{"b": [1.50, "\u0078"], "a": 1}"#)));
    for other in [
        r#"{"a":1.0,"b":[1.5,"x"]}"#,
        r#"{"a":1,"b":["x",1.5]}"#,
        r#"{"a":1}"#,
        r#"{"a":1,"b":[1.5,"x"],"c":null}"#,
        r#"{"a":1,"b":[1.5,null]}"#,
    ] {
        assert!(!base.same_as(&value(other)), "{other}");
    }
    let huge = |last: char| value(&format!(r#"{{"a": 1234567890123456789012345678{last}}}"#));
    assert!(!huge('1').same_as(&huge('2')));
}

#[test]
fn depth_is_bounded_and_deep_input_does_not_overflow_the_stack() {
    let nest = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    json(Type::List, &nest(64));
    for ty in [
        Type::List,
        Type::Map,
        Type::Embedding,
        Type::Tensor,
        Type::Float,
        Type::String,
    ] {
        refusal(ty, &nest(65));
        refusal(ty, &"[".repeat(100_000));
        refusal(ty, &"{\"a\":".repeat(100_000));
        refusal(ty, &format!("{{\"shape\":[1],\"data\":{}", "[".repeat(100_000)));
        assert!(Constraints::parse(ty, &"{\"min\":".repeat(40_000)).is_err());
    }
    assert!(refusal(Type::List, &nest(65)).message().contains("64"));
}

#[test]
fn what_is_not_json_is_refused() {
    let texts: &[&[u8]] = &[
        b"",
        b" ",
        b"[",
        b"]",
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b"[1}",
        b"[01]",
        b"[1.]",
        b"[.5]",
        b"[+1]",
        b"[1e]",
        b"[-]",
        b"[nul]",
        b"[nulll]",
        b"[NaN1]",
        b"[Inf]",
        b"[-Inf]",
        b"['a']",
        b"[\"a]",
        b"[\"\\x\"]",
        b"[\"\\ud800\"]",
        b"[\"\\udc00\"]",
        b"[\"\\ud800\\u0041\"]",
        b"[\"\\ud800\\ue000\"]",
        b"[\"\\u12g4\"]",
        b"[\"\\u+123\"]",
        b"[\"\n\"]",
        b"[\"\xff\"]",
        b"[1]x",
        b"[1][2]",
        b"\xef\xbb\xbf[1]",
        b"[{\"a\"}]",
        b"[{\"a\":}]",
        b"[{\"a\" 1}]",
        b"[{a:1}]",
        b"[{\"a\":1,}]",
        b"[{1:1}]",
        b"[tru",
        b"[-Infinity2]",
        b"[1.5.5]",
        b"[0x10]",
    ];
    for text in texts {
        let shown = String::from_utf8_lossy(text);
        let error = Value::decode(Type::List, text).expect_err(&shown);
        assert!(matches!(error.kind(), Kind::BadEncoding), "{shown}: {error}");
    }
}

#[test]
fn every_prefix_of_a_text_is_refused_without_a_panic() {
    let text = r#"{"a": [1, -2.5e+3, "\u00e9\ud83d\ude00", true, null, NaN, -Infinity], "é": {"b": {}}}"#;
    json(Type::Map, text);
    for end in 0..text.len() {
        for ty in Type::ALL {
            assert!(Value::decode(*ty, &text.as_bytes()[..end]).is_err(), "{ty} {end}");
        }
    }
}

#[test]
fn types_are_inferred_from_the_first_token() {
    for (text, ty) in [
        ("true", Type::Boolean),
        ("-5", Type::Integer),
        ("5.0", Type::Float),
        ("5e3", Type::Float),
        ("NaN", Type::Float),
        ("-Infinity", Type::Float),
        ("\"NaN\"", Type::String),
        ("[1]", Type::List),
        (" {}", Type::Map),
    ] {
        assert_eq!(Value::infer(text.as_bytes()).unwrap(), ty, "{text}");
    }
    for text in ["null", "", "x", "]"] {
        assert!(Value::infer(text.as_bytes()).is_err(), "{text}");
    }
}

/// Quadratic time would take minutes here, also in a debug build on a busy machine.
#[test]
fn ten_megabytes_take_linear_time() {
    let numbers = vec!["1.25"; 2_000_000].join(",");
    let keys: Vec<String> = (0..500_000).map(|key| format!("\"key{key}\":{key}")).collect();
    let texts = [
        (Type::List, format!("[{numbers}]")),
        (Type::List, format!("[{}]", vec!["NaN"; 2_500_000].join(","))),
        (Type::Map, format!("{{{}}}", keys.join(","))),
        (Type::Embedding, format!("[{numbers}]")),
        (
            Type::Tensor,
            format!("{{\"data\":[{numbers}],\"shape\":[1000,2000]}}"),
        ),
        (Type::String, format!("\"{}\"", "\\u00e9".repeat(1_600_000))),
        (Type::Integer, "7".repeat(10_000_000)),
    ];
    let started = Instant::now();
    for (ty, text) in &texts {
        Value::decode(*ty, text.as_bytes()).unwrap();
    }
    let huge = Value::decode(Type::Integer, texts[6].1.as_bytes()).unwrap();
    assert!(
        Constraints::parse(
            Type::Integer,
            "{\"step\":10000000000000000000000000000000000000000000}"
        )
        .unwrap()
        .apply(huge)
        .is_err()
    );
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
