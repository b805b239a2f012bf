//! Values in and out, and what constraints let through.

mod arrays;
mod constraints;
mod floats;
mod properties;
mod trees;

use super::*;

fn json(ty: Type, text: &str) -> String {
    String::from_utf8(Value::decode(ty, text.as_bytes()).expect(text).json().to_vec()).unwrap()
}

fn refusal(ty: Type, text: &str) -> Error {
    Value::decode(ty, text.as_bytes()).expect_err(text)
}

#[test]
fn scalars_come_out_canonical() {
    let table: &[(Type, &str, &str)] = &[
        (Type::Float, "1", "1.0"),
        (Type::Float, " 0.70 ", "0.7"),
        (Type::Float, "-0.0", "-0.0"),
        (Type::Float, "\"NaN\"", "\"NaN\""),
        (Type::Float, "NaN", "\"NaN\""),
        (Type::Float, "-Infinity", "\"-Infinity\""),
        (Type::Float, "1e300", "1e+300"),
        (Type::Integer, "5", "5"),
        (Type::Integer, "5.0", "5"),
        (Type::Integer, "-0", "0"),
        (Type::Integer, "-0.0e7", "0"),
        (Type::Integer, "1e20", "100000000000000000000"),
        (Type::Integer, "1.25e2", "125"),
        (Type::Integer, "-12300e-2", "-123"),
        (
            Type::Integer,
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        (Type::String, r#""\u00e9\/\n\ud83d\ude00""#, "\"é/\\n😀\""),
        (Type::Choice, "\"a\"", "\"a\""),
        (Type::Module, "\"dspy.Predict\"", "\"dspy.Predict\""),
        (Type::Boolean, "true", "true"),
        (Type::Boolean, "false", "false"),
    ];
    for (ty, input, output) in table {
        assert_eq!(json(*ty, input), *output, "{ty} {input}");
        assert_eq!(json(*ty, output), *output, "{ty} {output} again");
    }
}

#[test]
fn another_type_is_refused_in_the_words_that_clients_know() {
    let table: &[(Type, &str, &str)] = &[
        (Type::Float, "true", "must be a number"),
        (Type::Float, "\"0.5\"", "must be a number"),
        (Type::Float, "null", "must be a number, got null"),
        (Type::Float, "1e999", "must be a number in the range"),
        (Type::Integer, "3.14", "must be a whole number, got 3.14"),
        (Type::Integer, "\"3\"", "must be an integer"),
        (Type::Integer, "true", "must be an integer"),
        (
            Type::Integer,
            "1e-1000000000000000000000",
            "must be a whole number",
        ),
        (
            Type::Integer,
            "1e1000000000000000000000",
            "must be a whole number of at most",
        ),
        (Type::Integer, "NaN", "must be an integer"),
        (Type::String, "5", "must be a string"),
        (Type::Boolean, "1", "must be a boolean (true or false)"),
        (Type::Boolean, "\"true\"", "must be a boolean (true or false)"),
        (Type::Choice, "[]", "must be a string"),
        (Type::Module, "\"a..b\"", "must be a module name"),
        (Type::Module, "\"os; rm\"", "must be a module name"),
    ];
    for (ty, input, text) in table {
        let error = refusal(*ty, input);
        assert_eq!(error.kind(), Kind::WrongType, "{ty} {input}");
        assert!(error.message().contains(text), "{ty} {input}: {error}");
    }
}
