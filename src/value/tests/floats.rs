//! Floats print as in Python. `python_floats.tsv` was written by CPython 3.11: a literal, a tab, what
//! `json.dumps(float(literal))` printed.

use super::*;

#[test]
fn floats_print_as_python_prints_them() {
    let table: Vec<(&str, &str)> = include_str!("python_floats.tsv")
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .collect();
    assert!(table.len() >= 60);
    for (literal, python) in table {
        assert_eq!(json(Type::Float, literal), python, "{literal}");
        assert_eq!(json(Type::Float, python), python, "{literal} again");
    }
}

#[test]
fn special_values_are_strings_and_nan_is_itself() {
    let nan = Value::decode(Type::Float, b"NaN").unwrap();
    assert!(nan.same_as(&Value::decode(Type::Float, b"\"NaN\"").unwrap()));
    assert!(nan.as_f64().unwrap().is_nan());
    let zero = Value::decode(Type::Float, b"0").unwrap();
    assert!(!zero.same_as(&Value::decode(Type::Float, b"-0.0").unwrap()));
    assert!(!zero.same_as(&Value::decode(Type::Integer, b"0").unwrap()));
}

#[test]
fn integers_widen_where_a_float_is_large_enough() {
    let wide = Value::decode(Type::Integer, b"3")
        .unwrap()
        .widen_to_float()
        .unwrap();
    assert_eq!((wide.ty(), &*wide.json()), (Type::Float, &b"3.0"[..]));
    let huge = format!("1{}", "0".repeat(400));
    assert!(
        Value::decode(Type::Integer, huge.as_bytes())
            .unwrap()
            .widen_to_float()
            .is_none()
    );
    assert!(
        Value::decode(Type::String, b"\"3\"")
            .unwrap()
            .widen_to_float()
            .is_none()
    );
}
