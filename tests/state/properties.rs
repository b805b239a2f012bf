//! Any value of any type, through the bridge and back: as JSON, as bytes, under constraints.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use snakepit::error::Kind;

use crate::caller::{Caller, Served, any as value, binary, kind, text};

const CASES: u32 = 150;

/// Runs cases of one strategy against one bridge.
fn check<S: Strategy>(strategy: S, test: impl AsyncFn(&Caller, S::Value)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let served = Served::new();
    let caller = runtime.block_on(served.caller("properties"));
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let ran = runner.run(&strategy, |input| {
        runtime.block_on(test(&caller, input));
        Ok(())
    });
    if let Err(failure) = ran {
        panic!("{failure}");
    }
}

async fn round_trip(caller: &Caller, ty: &str, sent: &str) -> String {
    let _ = caller.delete("x").await;
    caller
        .register("x", value(ty, sent), |_| {})
        .await
        .expect("taken");
    text(&caller.get("x").await.expect("there"))
}

#[test]
fn floats_come_back_bit_for_bit() {
    check(
        any::<f64>().prop_filter("finite", |x| x.is_finite()),
        async |caller, x| {
            let back = round_trip(caller, "float", &format!("{x:?}")).await;
            assert_eq!(
                back.parse::<f64>().expect("a number").to_bits(),
                x.to_bits(),
                "{back}"
            );
        },
    );
}

#[test]
fn integers_come_back_digit_for_digit() {
    check("-?[1-9][0-9]{0,120}|0", async |caller, digits| {
        assert_eq!(round_trip(caller, "integer", &digits).await, digits);
    });
}

#[test]
fn strings_come_back_character_for_character() {
    check(any::<String>(), async |caller, words| {
        let back = round_trip(caller, "string", &json!(words).to_string()).await;
        assert_eq!(serde_json::from_str::<String>(&back).expect("a string"), words);
    });
}

#[test]
fn trees_come_back_with_their_keys_in_order() {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|x| json!(x)),
        any::<i64>().prop_map(|x| json!(x)),
        ".{0,8}".prop_map(|x| json!(x)),
    ];
    let tree = leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|x| json!(x)),
            proptest::collection::btree_map(".{0,4}", inner, 0..5).prop_map(|x| json!(x)),
        ]
    });
    check(tree, async |caller, tree| {
        let list = json!([tree]);
        assert_eq!(
            round_trip(caller, "list", &list.to_string()).await,
            list.to_string()
        );
        let map = json!({"x": tree});
        assert_eq!(round_trip(caller, "map", &map.to_string()).await, map.to_string());
    });
}

#[test]
fn tensors_say_the_same_as_json_and_as_bytes() {
    let shapes = proptest::collection::vec(1usize..6, 0..4);
    let tensor = shapes.prop_flat_map(|shape| {
        let count = shape.iter().product::<usize>();
        (Just(shape), proptest::collection::vec(any::<f32>(), count))
    });
    check(tensor, async |caller, (shape, numbers)| {
        let payload: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let header = json!({"shape": shape, "dtype": "float32", "binary_format": "raw", "type": "tensor"});
        let _ = caller.delete("x").await;
        caller
            .register("x", binary("tensor", &header.to_string()), |request| {
                request.initial_binary_value = payload.into();
            })
            .await
            .expect("taken");
        let back: serde_json::Value =
            serde_json::from_str(&text(&caller.get("x").await.expect("there"))).expect("JSON");
        assert_eq!(back["shape"], json!(shape));
        let data = back["data"].as_array().expect("a list");
        assert_eq!(data.len(), numbers.len());
        for (seen, sent) in data.iter().zip(&numbers) {
            match seen.as_f64() {
                Some(seen) => assert_eq!((seen as f32).to_bits(), sent.to_bits()),
                None => assert!(!sent.is_finite(), "{seen} for {sent}"),
            }
        }
    });
}

#[test]
fn large_arrays_go_and_come_as_the_same_bytes() {
    let bytes = proptest::collection::vec(any::<u8>(), 10_241..80_000);
    check(bytes, async |caller, bytes| {
        let header =
            json!({"shape": [bytes.len()], "dtype": "uint8", "binary_format": "raw", "type": "tensor"});
        let _ = caller.delete("x").await;
        caller
            .register("x", binary("tensor", &header.to_string()), |request| {
                request.initial_binary_value = bytes.clone().into();
            })
            .await
            .expect("taken");
        let back = caller.get("x").await.expect("there");
        assert!(
            back.value
                .as_ref()
                .expect("a header")
                .type_url
                .ends_with(".binary")
        );
        assert_eq!(back.binary_value, bytes);
        let mut plain = caller.clone();
        plain.raw = false;
        let json: serde_json::Value =
            serde_json::from_str(&text(&plain.get("x").await.expect("there"))).expect("JSON");
        assert_eq!(json["data"], json!(bytes), "JSON and binary agree");
    });
}

#[test]
fn nothing_outside_its_bounds_ever_gets_in() {
    let bounds = (
        -1_000i64..1_000,
        0i64..1_000,
        proptest::collection::vec(-2_500i64..2_500, 1..20),
    );
    check(bounds, async |caller, (min, width, writes)| {
        let max = min + width;
        for ty in ["integer", "float"] {
            let _ = caller.delete("x").await;
            caller
                .register("x", value(ty, &min.to_string()), |request| {
                    request.constraints_json = json!({"min": min, "max": max}).to_string();
                })
                .await
                .expect("the minimum itself");
            let mut holds = min;
            for write in &writes {
                let made = caller.set("x", value(ty, &write.to_string()), |_| {}).await;
                if (min..=max).contains(write) {
                    made.expect("inside");
                    holds = *write;
                } else {
                    let told = made.as_ref().expect_err("outside").message().to_owned();
                    let word = if *write < min {
                        "below minimum"
                    } else {
                        "above maximum"
                    };
                    assert!(told.contains(word), "{told}");
                    assert_eq!(kind(made), Kind::ConstraintViolated);
                }
                let there = text(&caller.get("x").await.expect("x"));
                assert_eq!(there.parse::<f64>().expect("a number"), holds as f64);
            }
        }
    });
}

#[test]
fn strings_keep_their_length_and_choices_are_among_them() {
    let input = (0usize..6, 0usize..6, "\\PC{0,12}");
    check(input, async |caller, (min, more, words)| {
        let (max, length) = (min + more, words.chars().count());
        let _ = caller.delete("x").await;
        let made = caller
            .register("x", value("string", &json!(words).to_string()), |request| {
                request.constraints_json = json!({"min_length": min, "max_length": max}).to_string();
            })
            .await;
        assert_eq!(
            made.is_ok(),
            (min..=max).contains(&length),
            "{length} in {min}..={max}"
        );
        if length < min {
            let told = made.expect_err("too short").message().to_owned();
            assert!(
                told.contains(&format!("must be at least {min} characters")),
                "{told}"
            );
        }
        let _ = caller.delete("c").await;
        let among = caller
            .register("c", value("choice", &json!(words).to_string()), |request| {
                request.constraints_json = json!({"choices": ["a", words]}).to_string();
            })
            .await;
        assert!(
            among.is_ok() || words == "a",
            "one of the choices: {:?}",
            among.err()
        );
        let other = caller
            .set(
                "c",
                value("choice", &json!(format!("{words}!")).to_string()),
                |_| {},
            )
            .await;
        if among.is_ok() {
            assert_eq!(kind(other), Kind::ConstraintViolated);
        }
    });
}
