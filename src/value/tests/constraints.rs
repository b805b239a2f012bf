//! What constraints let through and how they say no.

use super::*;

fn parse(ty: Type, text: &str) -> Constraints {
    Constraints::parse(ty, text).expect(text)
}

fn apply(ty: Type, constraints: &str, value: &str) -> Result<String> {
    let value = Value::decode(ty, value.as_bytes()).expect(value);
    let stored = parse(ty, constraints).apply(value)?;
    Ok(String::from_utf8(stored.json().to_vec()).unwrap())
}

#[test]
fn values_within_their_constraints_pass() {
    for (ty, constraints, value) in [
        (Type::Float, r#"{"min":0,"max":0.1}"#, "0.1"),
        (Type::Float, r#"{"min":0,"step":0.1}"#, "0.3"),
        (Type::Float, r#"{"step":0.1}"#, "123456.7"),
        (Type::Float, r#"{"min":0.05,"step":0.1}"#, "0.75"),
        (Type::Float, "{}", "NaN"),
        (Type::Integer, r#"{"min":-5,"max":10,"step":5}"#, "5"),
        (
            Type::Integer,
            r#"{"min":1e30}"#,
            "1000000000000000000000000000000",
        ),
        (Type::Integer, r#"{"step":3}"#, "-9"),
        (Type::Integer, r#"{"min":-1e50,"step":3}"#, "2"),
        (
            Type::Integer,
            r#"{"min":1,"step":3}"#,
            "100000000000000000000000000000000000000000000000000",
        ),
        (Type::String, r#"{"min_length":1,"max_length":2}"#, "\"éé\""),
        (Type::String, r#"{"pattern":"b+"}"#, "\"abc\""),
        (Type::String, r#"{"enum":["a","b"]}"#, "\"b\""),
        (Type::Choice, r#"{"choices":["adam","sgd"]}"#, "\"sgd\""),
        (Type::Choice, "", "\"anything\""),
        (
            Type::Module,
            r#"{"choices":["Predict"],"namespace":"dspy"}"#,
            "\"dspy.Predict\"",
        ),
        (
            Type::Module,
            r#"{"allowed_modules":["dspy.Predict"],"namespace":"dspy"}"#,
            "\"Predict\"",
        ),
        (
            Type::Module,
            r#"{"namespace":"dspy"}"#,
            "\"dspy.teleprompt.Bootstrap\"",
        ),
        (Type::Module, r#"{"pattern":"^[A-Z]"}"#, "\"Predict\""),
        (Type::Embedding, r#"{"dimensions":2}"#, "[1.0,2.0]"),
        (Type::Map, r#"{"max_length":1,"max_depth":2}"#, r#"{"a":[1,2,3]}"#),
        (Type::List, r#"{"max_length":3}"#, "[[1,2],{},3]"),
    ] {
        let stored = apply(ty, constraints, value)
            .unwrap_or_else(|error| panic!("{ty} {constraints} {value}: {error}"));
        assert_eq!(stored, json(ty, value));
    }
}

#[test]
fn a_broken_constraint_is_named_in_the_words_that_clients_know() {
    for (ty, constraints, value, words) in [
        (Type::Float, r#"{"max":0.1}"#, "0.5", "0.5 is above maximum 0.1"),
        (Type::Float, r#"{"min":1}"#, "0.5", "0.5 is below minimum 1.0"),
        (Type::Float, r#"{"min":0}"#, "NaN", "NaN is not allowed"),
        (Type::Float, r#"{"min":0}"#, "Infinity", "Infinity is not allowed"),
        (
            Type::Float,
            r#"{"max":0}"#,
            "Infinity",
            "Infinity is above maximum 0.0",
        ),
        (
            Type::Float,
            r#"{"step":0.1}"#,
            "0.25",
            "0.25 is not 0.0 plus a multiple of step 0.1",
        ),
        (Type::Float, r#"{"step":0.1}"#, "NaN", "step"),
        (Type::Integer, r#"{"min":3}"#, "2", "2 is below minimum 3"),
        (
            Type::Integer,
            r#"{"max":99999999999999999999}"#,
            "100000000000000000000",
            "is above maximum",
        ),
        (Type::Integer, r#"{"min":-3}"#, "-20", "-20 is below minimum -3"),
        (
            Type::Integer,
            r#"{"min":1,"step":3}"#,
            "100000000000000000000000000000000000000000000000001",
            "multiple of step 3",
        ),
        (
            Type::String,
            r#"{"min_length":3}"#,
            "\"é\"",
            "must be at least 3 characters, got 1",
        ),
        (
            Type::String,
            r#"{"max_length":1}"#,
            "\"éé\"",
            "must be at most 1 characters, got 2",
        ),
        (
            Type::String,
            r#"{"pattern":"^b"}"#,
            "\"ab\"",
            "must match pattern: ^b",
        ),
        (
            Type::String,
            r#"{"enum":["a","b"]}"#,
            "\"c\"",
            "must be one of: a, b",
        ),
        (Type::Choice, r#"{"choices":["a"]}"#, "\"b\"", "must be one of: a"),
        (
            Type::Module,
            r#"{"choices":["a.B"]}"#,
            "\"a.C\"",
            "must be one of the allowed modules: a.B",
        ),
        (
            Type::Module,
            r#"{"namespace":"dspy"}"#,
            "\"dspyx.A\"",
            "must be in namespace `dspy`",
        ),
        (
            Type::Embedding,
            r#"{"dimensions":3}"#,
            "[1]",
            "must have exactly 3 dimensions, got 1",
        ),
        (Type::Embedding, r#"{"normalize":true}"#, "[0,0]", "zero vector"),
        (
            Type::Tensor,
            r#"{"shape":[null,2]}"#,
            r#"{"shape":[2,3],"data":[1,2,3,4,5,6]}"#,
            "shape must be [any, 2], got [2, 3]",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1]}"#,
            r#"{"shape":[],"data":1}"#,
            "shape must be [1]",
        ),
        (
            Type::Tensor,
            r#"{"dtype":"int8"}"#,
            r#"{"shape":[1],"dtype":"int16","data":[1]}"#,
            "dtype must be `int8`, got `int16`",
        ),
        (
            Type::Tensor,
            r#"{"dtype":"int8"}"#,
            r#"{"shape":[1],"data":[1.5]}"#,
            "item 0 must be a whole number",
        ),
        (
            Type::Tensor,
            r#"{"min":0}"#,
            r#"{"shape":[2],"data":[0,-1]}"#,
            "item 1: -1.0 is below minimum 0.0",
        ),
        (
            Type::Tensor,
            r#"{"max":1}"#,
            r#"{"shape":[2],"data":[0,NaN]}"#,
            "item 1: NaN is not allowed",
        ),
        (
            Type::Tensor,
            r#"{"max":9007199254740992}"#,
            r#"{"shape":[1],"dtype":"int64","data":[9007199254740993]}"#,
            "is above maximum",
        ),
        (
            Type::Map,
            r#"{"max_length":1}"#,
            r#"{"a":1,"b":2}"#,
            "must have at most 1 entries, got 2",
        ),
        (
            Type::List,
            r#"{"max_depth":1}"#,
            "[[]]",
            "must be at most 1 levels deep, got 2",
        ),
    ] {
        let error = apply(ty, constraints, value).expect_err(constraints);
        assert_eq!(error.kind(), Kind::ConstraintViolated, "{constraints}");
        assert!(
            error.details().iter().any(|line| line.contains(words)),
            "{constraints}: {error}"
        );
    }
}

#[test]
fn every_broken_constraint_is_listed() {
    let error = apply(
        Type::String,
        r#"{"min_length":5,"pattern":"^b","enum":["bbbbbb"]}"#,
        "\"a\"",
    )
    .unwrap_err();
    assert_eq!(error.details().len(), 3, "{error}");
    let error = apply(Type::Integer, r#"{"max":3,"step":2}"#, "5").unwrap_err();
    assert_eq!(error.details().len(), 2, "{error}");
    let tensor = r#"{"shape":[3],"dtype":"float32","data":[-1,2,NaN]}"#;
    let error = apply(
        Type::Tensor,
        r#"{"shape":[2],"dtype":"float64","min":0,"max":1}"#,
        tensor,
    )
    .unwrap_err();
    assert_eq!(error.details().len(), 5, "{error}");
}

#[test]
fn another_type_is_refused_before_its_value_is_looked_at() {
    let value = Value::decode(Type::Integer, b"1").unwrap();
    assert_eq!(
        Constraints::none(Type::Float).apply(value).unwrap_err().kind(),
        Kind::WrongType
    );
}

#[test]
fn constraints_come_out_canonical() {
    for (ty, input, output) in [
        (Type::Float, "", "{}"),
        (Type::Float, " {} ", "{}"),
        (
            Type::Float,
            r#"{"max": 1, "min": 0.50}"#,
            r#"{"min":0.5,"max":1.0}"#,
        ),
        (
            Type::Integer,
            r#"{"step":2.0,"min":1e3}"#,
            r#"{"min":1000,"step":2}"#,
        ),
        (
            Type::String,
            r#"{"enum": ["\u00e9"], "min_length": 1.0}"#,
            r#"{"min_length":1,"enum":["é"]}"#,
        ),
        (
            Type::Tensor,
            r#"{"dtype":"int8","shape":[null, 2]}"#,
            r#"{"shape":[null,2],"dtype":"int8"}"#,
        ),
        (
            Type::Embedding,
            r#"{"normalize":true,"dimensions":3}"#,
            r#"{"dimensions":3,"normalize":true}"#,
        ),
        (
            Type::Map,
            r#"{"max_length":3,"max_depth":64}"#,
            r#"{"max_depth":64,"max_length":3}"#,
        ),
    ] {
        let constraints = parse(ty, input);
        assert_eq!(constraints.json(), output);
        assert_eq!(parse(ty, output), constraints);
        assert_eq!(constraints.is_none(), output == "{}");
    }
    assert_eq!(parse(Type::Float, "{}"), Constraints::none(Type::Float));
    assert_ne!(parse(Type::Float, "{}"), Constraints::none(Type::Integer));
}

#[test]
fn constraints_that_cannot_be_are_refused_by_field() {
    for (ty, text, words) in [
        (
            Type::Float,
            r#"{"minimum":0}"#,
            "`minimum` is not a constraint of type `float`: it has `min`, `max`, `step`",
        ),
        (
            Type::Boolean,
            r#"{"min":0}"#,
            "`min` is not a constraint of type `boolean`: it has none",
        ),
        (Type::Float, r#"{"min":"0"}"#, "`min` must be a finite number"),
        (Type::Float, r#"{"min":NaN}"#, "`min` must be a finite number"),
        (Type::Float, r#"{"min":null}"#, "`min` must be a finite number"),
        (
            Type::Float,
            r#"{"min":2,"max":1}"#,
            "`min` 2.0 is above `max` 1.0",
        ),
        (Type::Float, r#"{"min":1,"min":2}"#, "`min` is given twice"),
        (Type::Float, r#"{"step":0}"#, "`step` must be above 0"),
        (Type::Integer, r#"{"min":0.5}"#, "`min` must be a whole number"),
        (
            Type::Integer,
            r#"{"min":10,"max":9}"#,
            "`min` 10 is above `max` 9",
        ),
        (Type::Integer, r#"{"step":-1}"#, "`step` must be above 0"),
        (
            Type::String,
            r#"{"min_length":-1}"#,
            "`min_length` must be a whole number from 0",
        ),
        (
            Type::String,
            r#"{"min_length":2,"max_length":1}"#,
            "`min_length` 2 is above `max_length` 1",
        ),
        (
            Type::String,
            r#"{"pattern":"("}"#,
            "`pattern` cannot compile: unclosed group",
        ),
        (
            Type::String,
            r#"{"pattern":"(?=a)"}"#,
            "`pattern` cannot compile: look-around",
        ),
        (
            Type::String,
            r#"{"pattern":"((a{500}){500}){500}"}"#,
            "`pattern` cannot compile: it takes more than",
        ),
        (Type::String, r#"{"pattern":5}"#, "`pattern` must be a string"),
        (Type::String, r#"{"enum":[]}"#, "`enum` must not be empty"),
        (
            Type::String,
            r#"{"enum":["a"],"min_length":2}"#,
            "`enum` has no entry that meets",
        ),
        (Type::Choice, r#"{"choices":[]}"#, "`choices` must not be empty"),
        (
            Type::Choice,
            r#"{"choices":["a",1]}"#,
            "`choices` must be a list of strings",
        ),
        (
            Type::Choice,
            r#"{"choices":"a"}"#,
            "`choices` must be a list of strings",
        ),
        (
            Type::Module,
            r#"{"choices":["a"],"allowed_modules":["a"]}"#,
            "two names of one constraint",
        ),
        (
            Type::Module,
            r#"{"choices":["a b"]}"#,
            "`a b` is not a module path",
        ),
        (Type::Module, r#"{"namespace":"a."}"#, "`a.` is not a module path"),
        (
            Type::Module,
            r#"{"choices":["a"],"pattern":"b"}"#,
            "`pattern` matches none",
        ),
        (
            Type::Embedding,
            r#"{"dimensions":0}"#,
            "`dimensions` must be at least 1",
        ),
        (
            Type::Embedding,
            r#"{"normalize":1}"#,
            "`normalize` must be `true` or `false`",
        ),
        (Type::Tensor, r#"{"shape":5}"#, "`shape` must be a list"),
        (Type::Tensor, r#"{"shape":[-1]}"#, "`shape` must be a list"),
        (
            Type::Tensor,
            r#"{"dtype":"f8"}"#,
            "`dtype` `f8` is not a known dtype",
        ),
        (
            Type::Tensor,
            r#"{"min":1,"max":0}"#,
            "`min` 1.0 is above `max` 0.0",
        ),
        (
            Type::Map,
            r#"{"max_depth":65}"#,
            "`max_depth` must be from 1 to 64",
        ),
        (
            Type::List,
            r#"{"max_depth":0}"#,
            "`max_depth` must be from 1 to 64",
        ),
        (Type::Float, "[]", "must be a JSON object"),
        (Type::Float, "{\"min\":1", "must be a JSON object"),
        (Type::Float, "{} {}", "must be a JSON object"),
        (Type::Float, "null", "must be a JSON object"),
    ] {
        let error = Constraints::parse(ty, text).expect_err(text);
        assert_eq!(error.kind(), Kind::BadConstraint, "{text}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
    let all = Constraints::parse(Type::Float, r#"{"min":"a","max":"b","x":1,"step":-1}"#).unwrap_err();
    assert_eq!(all.details().len(), 4, "{all}");
    assert!(Constraints::parse(Type::Choice, &" ".repeat(300_000)).is_err());
}

#[test]
fn a_tensor_without_a_dtype_takes_the_one_that_is_asked_for() {
    let stored = apply(
        Type::Tensor,
        r#"{"dtype":"uint8"}"#,
        r#"{"shape":[2],"data":[0,255]}"#,
    )
    .unwrap();
    assert_eq!(stored, r#"{"shape":[2],"dtype":"uint8","data":[0,255]}"#);
    let stored = apply(
        Type::Tensor,
        r#"{"dtype":"float32"}"#,
        r#"{"shape":[1],"data":[0.1]}"#,
    )
    .unwrap();
    assert_eq!(
        stored,
        r#"{"shape":[1],"dtype":"float32","data":[0.10000000149011612]}"#
    );
}

#[test]
fn normalized_embeddings_have_length_one_and_stay_as_they_are() {
    for (input, output) in [
        ("[3,4]", "[0.6,0.8]"),
        ("[1e308,0]", "[1.0,0.0]"),
        ("[0,-5e-324]", "[0.0,-1.0]"),
    ] {
        assert_eq!(
            apply(Type::Embedding, r#"{"normalize":true}"#, input).unwrap(),
            output
        );
        assert_eq!(
            apply(Type::Embedding, r#"{"normalize":true}"#, output).unwrap(),
            output
        );
    }
}
