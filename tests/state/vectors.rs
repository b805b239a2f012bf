//! The shared vectors: what Python says has to come back, comes back, as JSON and as bytes; what it says is wrong is
//! refused with its code and leaves no trace.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use serde_json::{Value as Json, value::RawValue};

use crate::caller::{Caller, Served, any, binary, text};
use snakepit::wire::status::from_status;

const VECTORS: &str = include_str!("../data/values.jsonl");

#[tokio::test]
async fn every_vector_comes_back_or_is_refused_as_python_says() {
    let served = Served::new();
    let caller = served.caller("vectors").await;
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (at, line) in VECTORS.lines().enumerate() {
        let case: Json = serde_json::from_str(line).expect("a case");
        let name = format!("v{at}");
        run(&caller, &name, &case)
            .await
            .unwrap_or_else(|why| panic!("case {}: {line}\n{why}", at + 1));
        let field = |key: &str| case[key].as_str().expect("a word").to_owned();
        *counts.entry((field("type"), field("case"))).or_default() += 1;
    }
    print_table(&counts);
}

async fn run(caller: &Caller, name: &str, case: &Json) -> Result<(), String> {
    let field = |key: &str| case[key].as_str();
    let (ty, sent) = (field("type").expect("a type"), field("text").expect("a text"));
    let payload = field("payload").map(|payload| BASE64.decode(payload).expect("base64"));
    let value = match payload {
        Some(_) => binary(ty, sent),
        None => any(ty, sent),
    };
    let registered = caller
        .register(name, value, |request| {
            request.initial_binary_value = payload.unwrap_or_default().into();
            request.constraints_json = case["constraints"].to_string();
        })
        .await;
    if case["ok"] == false {
        let status = registered.err().ok_or_else(|| "it was taken".to_owned())?;
        let code = from_status(&status).kind().code();
        if Some(code) != field("code") {
            return Err(format!("refused with {code}: {}", status.message()));
        }
        return match caller.get(name).await {
            Err(_) => Ok(()),
            Ok(_) => Err("it was refused and is there".to_owned()),
        };
    }
    registered.map_err(|status| format!("refused: {}", status.message()))?;
    let mut plain = caller.clone();
    plain.raw = false;
    let got = text(&plain.get(name).await.map_err(|status| status.to_string())?);
    let wanted = field("out").expect("what comes out");
    if !same(ty, wanted, &got) {
        return Err(format!("came back as {got}"));
    }
    // What came out goes in again and comes out the same, to the byte.
    let again = format!("{name}_again");
    caller
        .register(&again, any(ty, &got), |_| {})
        .await
        .map_err(|status| format!("what came out was refused: {}", status.message()))?;
    let twice = text(&plain.get(&again).await.map_err(|status| status.to_string())?);
    if twice != got {
        return Err(format!("the second time it came back as {twice}"));
    }
    match field("out_payload") {
        Some(wanted) => check_payload(caller, name, ty, &BASE64.decode(wanted).expect("base64")).await,
        None => Ok(()),
    }
}

/// The elements of what is there, by a client that reads bytes: asked for through an export, which is binary above a
/// size only; so small arrays are judged by their JSON, which says every element exactly.
async fn check_payload(caller: &Caller, name: &str, ty: &str, wanted: &[u8]) -> Result<(), String> {
    let got = caller.get(name).await.map_err(|status| status.to_string())?;
    let value = got.value.as_ref().expect("a value");
    if value.type_url.ends_with(".binary") {
        return (got.binary_value == wanted)
            .then_some(())
            .ok_or_else(|| "other bytes came back".to_owned());
    }
    let dtype = match ty {
        "tensor" => {
            let value: Json = serde_json::from_slice(&value.value).expect("JSON");
            value["dtype"].as_str().expect("a dtype").to_owned()
        }
        _ => "float64".to_owned(),
    };
    let elements = elements(ty, &dtype, &value.value);
    if ty == "tensor" || wanted.len() == elements.len() {
        return (elements == wanted)
            .then_some(())
            .ok_or_else(|| "the numbers are others than the bytes".to_owned());
    }
    Ok(())
}

/// The little-endian bytes of a JSON array, made here and not by the product. Numbers are read from their text: a JSON
/// library may be off by the last bit.
fn elements(ty: &str, dtype: &str, json: &Bytes) -> Vec<u8> {
    #[derive(serde::Deserialize)]
    struct Tensor {
        data: Vec<Box<RawValue>>,
    }
    let data = match ty {
        "tensor" => serde_json::from_slice::<Tensor>(json).expect("a tensor").data,
        _ => serde_json::from_slice(json).expect("a list"),
    };
    let mut out = Vec::new();
    for item in data {
        let text = item.get();
        let float = || text.parse().unwrap_or_else(|_| special(text));
        match dtype {
            "float64" => out.extend(f64::to_le_bytes(float())),
            "float32" => out.extend((float() as f32).to_le_bytes()),
            "bool" => out.push(u8::from(text == "true")),
            _ => {
                let bits = dtype.trim_start_matches(|c: char| !c.is_ascii_digit());
                let bytes = bits.parse::<usize>().expect("bits") / 8;
                let whole: i128 = text.parse().expect("a whole number");
                out.extend(&whole.to_le_bytes()[..bytes]);
            }
        }
    }
    out
}

fn special(word: &str) -> f64 {
    match word {
        "\"NaN\"" => f64::NAN,
        "\"Infinity\"" => f64::INFINITY,
        "\"-Infinity\"" => f64::NEG_INFINITY,
        other => panic!("{other:?} is no number"),
    }
}

/// Whether two JSON texts say the same value of a type: floats by their bits, integers by their digits.
fn same(ty: &str, wanted: &str, got: &str) -> bool {
    match ty {
        "integer" => wanted == got,
        "float" => match (wanted.parse::<f64>(), got.parse::<f64>()) {
            (Ok(wanted), Ok(got)) => wanted.to_bits() == got.to_bits(),
            _ => wanted == got,
        },
        "map" | "list" => tokens(wanted) == tokens(got),
        _ => {
            let parse = |text| serde_json::from_str::<Json>(text).expect("JSON");
            numbers_equal(&parse(wanted), &parse(got))
        }
    }
}

/// JSON without the white space between its tokens.
fn tokens(text: &str) -> String {
    let (mut out, mut inside, mut escaped) = (String::new(), false, false);
    for c in text.chars() {
        if inside || !c.is_whitespace() {
            out.push(c);
        }
        if c == '"' && !escaped {
            inside = !inside;
        }
        escaped = c == '\\' && !escaped;
    }
    out
}

fn numbers_equal(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| numbers_equal(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, one)| other.get(key).is_some_and(|other| numbers_equal(one, other)))
        }
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// Type x what was tried, with counts of cases that came out as they have to.
fn print_table(counts: &BTreeMap<(String, String), usize>) {
    let kinds = ["accepts", "coerces", "refuses", "constraint", "binary"];
    println!(
        "{:<10} {}",
        "type",
        kinds.map(|kind| format!("{kind:>10}")).join(" ")
    );
    let mut types: Vec<&String> = counts.keys().map(|(ty, _)| ty).collect();
    types.dedup();
    for ty in types {
        let row = kinds.map(|kind| {
            let count = counts.get(&(ty.clone(), kind.to_owned()));
            format!("{:>10}", count.map_or("-".to_owned(), ToString::to_string))
        });
        println!("{ty:<10} {}", row.join(" "));
    }
    println!("{} cases, all as Python says", counts.values().sum::<usize>());
}
