//! What holds for every input.

use proptest::prelude::*;

use super::*;

fn decoded(ty: Type, text: &str) -> Value {
    Value::decode(ty, text.as_bytes()).unwrap_or_else(|error| panic!("{ty} {text}: {error}"))
}

/// JSON as serde_json writes it, with whole numbers and strings.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        ".*".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::vec((".*", inner), 0..6)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn any_dtype() -> impl Strategy<Value = (&'static str, usize)> {
    prop::sample::select(vec![
        ("float32", 4),
        ("float64", 8),
        ("int8", 1),
        ("int16", 2),
        ("int32", 4),
        ("int64", 8),
        ("uint8", 1),
        ("uint16", 2),
        ("uint32", 4),
        ("uint64", 8),
    ])
}

proptest! {
    #[test]
    fn a_float_comes_out_bit_for_bit(bits: u64) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        let out = decoded(Type::Float, &format!("{value:e}"));
        prop_assert_eq!(out.as_f64().unwrap().to_bits(), bits);
        let text = out.json();
        prop_assert_eq!(std::str::from_utf8(&text).unwrap().parse::<f64>().unwrap().to_bits(), bits);
        prop_assert_eq!(decoded(Type::Float, std::str::from_utf8(&text).unwrap()).json(), text);
    }

    #[test]
    fn an_integer_comes_out_digit_for_digit(text in "-?[1-9][0-9]{0,80}") {
        prop_assert_eq!(decoded(Type::Integer, &text).json(), text.as_bytes());
        let moved = format!("{text}00.00e-2");
        prop_assert_eq!(decoded(Type::Integer, &moved).json(), text.as_bytes());
    }

    #[test]
    fn a_string_comes_out_as_serde_json_writes_it(text in ".*", escape: bool) {
        let sent = if escape {
            let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            format!("\"{units}\"")
        } else {
            serde_json::to_string(&text).unwrap()
        };
        let value = decoded(Type::String, &sent);
        prop_assert_eq!(value.as_str(), Some(text.as_str()));
        prop_assert_eq!(value.json(), serde_json::to_string(&text).unwrap());
    }

    #[test]
    fn maps_and_lists_are_kept_and_mean_the_same_when_spaced(tree in any_json()) {
        let ty = match &tree {
            serde_json::Value::Object(_) => Type::Map,
            serde_json::Value::Array(_) => Type::List,
            _ => return Ok(()),
        };
        let compact = tree.to_string();
        let value = decoded(ty, &compact);
        prop_assert_eq!(value.json(), compact.as_bytes());
        let spaced = serde_json::to_string_pretty(&tree).unwrap();
        prop_assert!(value.same_as(&decoded(ty, &spaced)));
        prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&value.json()).unwrap(), tree);
    }

    #[test]
    fn what_serde_json_takes_is_taken_and_the_rest_is_not(text in "[\\[\\]{}:,\"0-9eE.+\\-a \\\\untrlsf]{0,12}") {
        let ours = Value::decode(Type::List, text.as_bytes());
        // Floats beyond the range are kept as text here and refused there.
        let theirs = serde_json::from_str::<Vec<Box<serde_json::value::RawValue>>>(&text);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}", text);
    }

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), header in ".{0,40}") {
        for ty in Type::ALL {
            if let Ok(value) = Value::decode(*ty, &bytes) {
                prop_assert_eq!(Value::decode(*ty, &value.json()).unwrap().json(), value.json());
            }
            let _ = Value::decode_binary(*ty, header.as_bytes(), Bytes::copy_from_slice(&bytes));
            let _ = Constraints::parse(*ty, &header);
        }
        let npy = [b"\x93NUMPY\x01\x00".as_slice(), &bytes].concat();
        let _ = Value::decode_binary(Type::Tensor, b"{\"binary_format\":\"npy\"}", Bytes::from(npy));
    }

    #[test]
    fn tensors_go_from_binary_to_json_and_back(
        (dtype, size) in any_dtype(), rows in 0usize..5, columns in 0usize..5, seed: [u64; 16],
    ) {
        let bytes: Vec<u8> = seed.iter().flat_map(|part| part.to_le_bytes()).cycle().take(rows * columns * size).collect();
        let header = format!(r#"{{"shape":[{rows},{columns}],"dtype":"{dtype}","binary_format":"raw","type":"tensor"}}"#);
        let value = Value::decode_binary(Type::Tensor, header.as_bytes(), Bytes::from(bytes.clone())).unwrap();
        prop_assert_eq!(value.binary().unwrap().0, header.as_bytes());
        let again = Value::decode(Type::Tensor, &value.json()).unwrap();
        prop_assert!(again.same_as(&value));
        prop_assert_eq!(again.json(), value.json());
        prop_assert_eq!(again.binary().unwrap().0, header.as_bytes());
    }

    #[test]
    fn embeddings_agree_in_both_forms(numbers in prop::collection::vec(any::<f64>().prop_filter("finite", |n| n.is_finite()), 0..20)) {
        let payload: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let header = format!(r#"{{"shape":[{}],"dtype":"float64","binary_format":"raw"}}"#, numbers.len());
        let value = Value::decode_binary(Type::Embedding, header.as_bytes(), Bytes::from(payload.clone())).unwrap();
        let again = Value::decode(Type::Embedding, &value.json()).unwrap();
        prop_assert_eq!(&again.binary().unwrap().1[..], &payload[..]);
        prop_assert!(again.same_as(&value));
    }

    #[test]
    fn no_float_gets_past_its_bounds(value: f64, min: f64, max: f64) {
        prop_assume!(min.is_finite() && max.is_finite() && min <= max);
        let constraints = Constraints::parse(Type::Float, &format!("{{\"min\":{min:e},\"max\":{max:e}}}")).unwrap();
        let shown = if value.is_nan() { "NaN".into() } else { format!("{value:e}").replace("inf", "Infinity") };
        let passed = constraints.apply(decoded(Type::Float, &shown)).is_ok();
        prop_assert_eq!(passed, value >= min && value <= max);
    }

    #[test]
    fn no_integer_gets_past_its_constraints(
        min in -100i64..100, room in 0i64..200, at in -50i64..250, step in 1i64..6, zeros in prop::sample::select(vec![0usize, 10, 40]),
    ) {
        // With 40 zeros the numbers are beyond 128 bits, where other code decides; all scale alike.
        let digits = |number: i64| if number == 0 { "0".to_owned() } else { format!("{number}{}", "0".repeat(zeros)) };
        let (max, value) = (min + room, min + at);
        let constraints =
            format!("{{\"min\":{},\"max\":{},\"step\":{}}}", digits(min), digits(max), digits(step));
        let value = decoded(Type::Integer, &digits(value));
        let passed = Constraints::parse(Type::Integer, &constraints).unwrap().apply(value).is_ok();
        prop_assert_eq!(passed, (0..=room).contains(&at) && at % step == 0);
    }

    #[test]
    fn no_string_gets_past_its_lengths(text in ".{0,8}", min in 0usize..6, more in 0usize..4) {
        let constraints = format!("{{\"min_length\":{min},\"max_length\":{}}}", min + more);
        let value = decoded(Type::String, &serde_json::to_string(&text).unwrap());
        let passed = Constraints::parse(Type::String, &constraints).unwrap().apply(value).is_ok();
        let length = text.chars().count();
        prop_assert_eq!(passed, (min..=min + more).contains(&length));
    }

    #[test]
    fn no_tensor_gets_past_its_bounds(numbers in prop::collection::vec(-10i64..10, 1..8), min in -10i64..0, max in 0i64..10, whole: bool) {
        let dtype = if whole { "int64" } else { "float64" };
        let text = format!("{{\"shape\":[{}],\"dtype\":\"{dtype}\",\"data\":{numbers:?}}}", numbers.len());
        let constraints = format!("{{\"min\":{min},\"max\":{max}}}");
        let passed = Constraints::parse(Type::Tensor, &constraints).unwrap().apply(decoded(Type::Tensor, &text)).is_ok();
        prop_assert_eq!(passed, numbers.iter().all(|number| (min..=max).contains(number)));
    }

    #[test]
    fn every_multiple_of_a_decimal_step_passes(multiple in -100_000i64..100_000, step in 1i64..1000, places in 0u32..6) {
        let scale = 10f64.powi(places as i32);
        let (value, step_value) = ((multiple * step) as f64 / scale, step as f64 / scale);
        let constraints = Constraints::parse(Type::Float, &format!("{{\"step\":{step_value:e}}}")).unwrap();
        let passes = |number: f64| constraints.apply(decoded(Type::Float, &format!("{number:e}"))).is_ok();
        prop_assert!(passes(value));
        let between = ((multiple * step) as f64 + step as f64 / 2.0) / scale;
        prop_assert!(!passes(between));
    }
}
