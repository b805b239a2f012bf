//! Embeddings and tensors, as JSON, as raw bytes and as numpy files.

use super::*;

fn header(ty: Type, shape: &str, dtype: &str, format: &str) -> String {
    format!(r#"{{"shape":{shape},"dtype":"{dtype}","binary_format":"{format}","type":"{ty}"}}"#)
}

fn binary(ty: Type, shape: &str, dtype: &str, payload: &[u8]) -> Result<Value> {
    Value::decode_binary(
        ty,
        header(ty, shape, dtype, "raw").as_bytes(),
        Bytes::copy_from_slice(payload),
    )
}

fn text(value: &Value) -> String {
    String::from_utf8(value.json().to_vec()).unwrap()
}

#[test]
fn embeddings_and_tensors_come_out_canonical() {
    for (ty, input, output) in [
        (Type::Embedding, "[1, 2.50,-3e2]", "[1.0,2.5,-300.0]"),
        (Type::Embedding, "[]", "[]"),
        (
            Type::Tensor,
            r#"{"shape":[2,2],"data":[1,2,3,4]}"#,
            r#"{"shape":[2,2],"dtype":"float64","data":[1.0,2.0,3.0,4.0]}"#,
        ),
        (
            Type::Tensor,
            r#"{"data":[[1,2],[3,4]],"shape":[2,2]}"#,
            r#"{"shape":[2,2],"dtype":"float64","data":[1.0,2.0,3.0,4.0]}"#,
        ),
        (
            Type::Tensor,
            r#"{"shape":[],"data":5}"#,
            r#"{"shape":[],"dtype":"float64","data":[5.0]}"#,
        ),
        (
            Type::Tensor,
            r#"{"shape":[2,0],"data":[[],[]]}"#,
            r#"{"shape":[2,0],"dtype":"float64","data":[]}"#,
        ),
        (
            Type::Tensor,
            r#"{"shape":[0,9],"data":[]}"#,
            r#"{"shape":[0,9],"dtype":"float64","data":[]}"#,
        ),
        (
            Type::Tensor,
            r#"{"shape":[2],"data":[NaN,"-Infinity"]}"#,
            r#"{"shape":[2],"dtype":"float64","data":["NaN","-Infinity"]}"#,
        ),
        (
            Type::Tensor,
            r#"{"shape":[2],"dtype":"uint64","data":[18446744073709551615,1e3]}"#,
            r#"{"shape":[2],"dtype":"uint64","data":[18446744073709551615,1000]}"#,
        ),
        (
            Type::Tensor,
            r#"{"shape":[2],"dtype":"bool","data":[true,0]}"#,
            r#"{"shape":[2],"dtype":"bool","data":[true,false]}"#,
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"dtype":"float32","data":[0.1]}"#,
            r#"{"shape":[1],"dtype":"float32","data":[0.10000000149011612]}"#,
        ),
    ] {
        assert_eq!(json(ty, input), output);
        assert_eq!(json(ty, output), output);
    }
}

#[test]
fn what_is_no_embedding_or_tensor_is_refused() {
    for (ty, input, words) in [
        (Type::Embedding, "{}", "must be a list of numbers"),
        (
            Type::Embedding,
            "[1,\"2\"]",
            "must be a list of numbers, item 1 is a string",
        ),
        (
            Type::Embedding,
            "[true]",
            "must be a list of numbers, item 0 is true",
        ),
        (Type::Embedding, "[[1]]", "must be a list of numbers"),
        (
            Type::Embedding,
            "[1,NaN]",
            "must be a list of finite numbers, item 1 is NaN",
        ),
        (
            Type::Embedding,
            "[\"Infinity\"]",
            "must be a list of finite numbers",
        ),
        (Type::Embedding, "[1e999]", "range of a 64-bit float"),
        (Type::Tensor, "[1]", "must be a tensor with shape and data"),
        (
            Type::Tensor,
            r#"{"shape":[1]}"#,
            "must be a tensor with shape and data",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"data":[1],"device":"cpu"}"#,
            "`device`",
        ),
        (Type::Tensor, r#"{"shape":[-1],"data":[1]}"#, "`shape`"),
        (
            Type::Tensor,
            r#"{"shape":[2],"data":[1]}"#,
            "data size doesn't match shape",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"data":[1,2]}"#,
            "data size doesn't match shape",
        ),
        (
            Type::Tensor,
            r#"{"shape":[2,2],"data":[[1,2],[3]]}"#,
            "data size doesn't match shape",
        ),
        (
            Type::Tensor,
            r#"{"shape":[2,2],"data":[[1,2,3],[4]]}"#,
            "data size doesn't match shape",
        ),
        (
            Type::Tensor,
            r#"{"shape":[2,2],"data":[[1,2],3,4]}"#,
            "data size doesn't match shape",
        ),
        (
            Type::Tensor,
            r#"{"shape":[2,2],"data":[1,2,[3,4]]}"#,
            "data size doesn't match shape",
        ),
        (
            Type::Tensor,
            r#"{"shape":[2,3],"data":[[1,2],[3,4],[5,6]]}"#,
            "data size doesn't match shape",
        ),
        (
            Type::Tensor,
            r#"{"shape":[2,2,1],"data":[[1,2],[3,4]]}"#,
            "data size doesn't match shape",
        ),
        (
            Type::Tensor,
            r#"{"shape":[4],"data":[[1,2],[3,4]]}"#,
            "data size doesn't match shape",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"data":1}"#,
            "data size doesn't match shape",
        ),
        (
            Type::Tensor,
            r#"{"shape":[9000000000000000000,9],"data":[1]}"#,
            "data size doesn't match shape",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"data":[true]}"#,
            "item 0 must be a number, got true",
        ),
        (Type::Tensor, r#"{"shape":[1],"data":[{}]}"#, "got a map"),
        (
            Type::Tensor,
            r#"{"shape":[1],"dtype":"int8","data":[128]}"#,
            "range of `int8`",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"dtype":"uint8","data":[-1]}"#,
            "range of `uint8`",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"dtype":"int32","data":[1.5]}"#,
            "must be a whole number, got 1.5",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"dtype":"int32","data":[NaN]}"#,
            "must be a whole number",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"dtype":"float32","data":[1e300]}"#,
            "range of `float32`",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"dtype":"float16","data":[1]}"#,
            "`float16` is not a known dtype",
        ),
    ] {
        let error = refusal(ty, input);
        assert_eq!(error.kind(), Kind::WrongType, "{input}");
        assert!(error.message().contains(words), "{input}: {error}");
    }
    assert_eq!(
        refusal(Type::Tensor, r#"{"shape":[1],"shape":[1],"data":[1]}"#).kind(),
        Kind::BadEncoding
    );
}

#[test]
fn a_raw_payload_is_kept_as_the_bytes_it_came_in() {
    let payload = Bytes::from(vec![0u8; 48 * 1024 * 1024]);
    let value = Value::decode_binary(
        Type::Tensor,
        header(Type::Tensor, "[6,1048576]", "float64", "raw").as_bytes(),
        payload.clone(),
    )
    .unwrap();
    let (_, kept) = value.binary().unwrap();
    assert_eq!(kept.as_ptr(), payload.as_ptr());
    assert_eq!(value.payload_len(), payload.len());
    let bounds = Constraints::parse(Type::Tensor, r#"{"min":0,"max":1,"shape":[6,null]}"#).unwrap();
    let (_, stored) = bounds.apply(value).unwrap().binary().unwrap();
    assert_eq!(stored.as_ptr(), payload.as_ptr());
}

#[test]
fn json_and_binary_agree() {
    let wide: Vec<u8> = [1.5f64, -2.0]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let narrow: Vec<u8> = [1.5f32, -2.0]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let from_json = Value::decode(Type::Embedding, b"[1.5,-2]").unwrap();
    assert_eq!(&*from_json.binary().unwrap().1, &wide[..]);
    assert_eq!(
        from_json.binary().unwrap().0,
        r#"{"shape":[2],"dtype":"float64","binary_format":"raw","type":"embedding"}"#
    );
    for (dtype, payload) in [("float64", &wide), ("float32", &narrow)] {
        let value = binary(Type::Embedding, "[2]", dtype, payload).unwrap();
        assert_eq!(text(&value), "[1.5,-2.0]");
        assert!(value.same_as(&from_json), "{dtype}");
    }
    let value = binary(Type::Tensor, "[3]", "int16", &[1, 0, 255, 255, 0, 1]).unwrap();
    assert_eq!(text(&value), r#"{"shape":[3],"dtype":"int16","data":[1,-1,256]}"#);
}

#[test]
fn all_nans_are_the_same() {
    let one = f64::NAN.to_le_bytes();
    let other = f64::from_bits(0xfff8_0000_0000_0001).to_le_bytes();
    let value = |bytes: &[u8]| binary(Type::Tensor, "[1]", "float64", bytes).unwrap();
    assert!(value(&one).same_as(&value(&other)));
    assert!(!value(&one).same_as(&value(&1f64.to_le_bytes())));
    assert!(!value(&0f64.to_le_bytes()).same_as(&value(&(-0f64).to_le_bytes())));
}

#[test]
fn payloads_that_can_run_code_are_refused_by_name() {
    for format in ["pickle", "erlang_binary"] {
        for ty in [Type::Tensor, Type::Embedding] {
            let error = Value::decode_binary(
                ty,
                header(ty, "[1]", "float32", format).as_bytes(),
                Bytes::from_static(b"\x80\x05]."),
            )
            .unwrap_err();
            assert_eq!(error.kind(), Kind::BadEncoding);
            assert!(
                error
                    .message()
                    .contains(&format!("`{format}` payloads are refused")),
                "{error}"
            );
        }
    }
}

#[test]
fn binary_forms_that_do_not_fit_are_refused() {
    let table: &[(Type, String, &[u8], &str)] = &[
        (
            Type::Float,
            header(Type::Float, "[]", "float64", "raw"),
            &[0; 8],
            "no binary form",
        ),
        (
            Type::Tensor,
            header(Type::Embedding, "[1]", "float64", "raw"),
            &[0; 8],
            "of type `embedding`",
        ),
        (
            Type::Tensor,
            header(Type::Tensor, "[2]", "float64", "raw"),
            &[0; 8],
            "payload has 8 bytes",
        ),
        (
            Type::Tensor,
            header(Type::Tensor, "[2]", "float64", "raw"),
            &[0; 17],
            "payload has 17 bytes",
        ),
        (
            Type::Tensor,
            header(Type::Tensor, "[4611686018427387904,4]", "float64", "raw"),
            &[],
            "payload has 0 bytes",
        ),
        (
            Type::Tensor,
            header(Type::Tensor, "[1]", "object", "raw"),
            &[0; 8],
            "`object` is not a known dtype",
        ),
        (
            Type::Tensor,
            header(Type::Tensor, "[1]", "float64", "zip"),
            &[0; 8],
            "`zip`",
        ),
        (
            Type::Tensor,
            header(Type::Tensor, "[2]", "bool", "raw"),
            &[1, 2],
            "neither 0 nor 1",
        ),
        (
            Type::Tensor,
            r#"{"dtype":"bool","binary_format":"raw"}"#.to_owned(),
            &[1],
            "no `shape`",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"binary_format":"raw"}"#.to_owned(),
            &[1],
            "no `dtype`",
        ),
        (
            Type::Tensor,
            r#"{"shape":[1],"dtype":"bool"}"#.to_owned(),
            &[1],
            "no `binary_format`",
        ),
        (Type::Tensor, "[]x".to_owned(), &[], "the header is not"),
        (
            Type::Tensor,
            header(Type::Tensor, &format!("[{}1]", "1,".repeat(64)), "bool", "raw"),
            &[1],
            "axes",
        ),
        (
            Type::Embedding,
            header(Type::Embedding, "[1,1]", "float64", "raw"),
            &[0; 8],
            "list of numbers",
        ),
        (
            Type::Embedding,
            header(Type::Embedding, "[1]", "int64", "raw"),
            &[0; 8],
            "list of numbers",
        ),
        (
            Type::Embedding,
            header(Type::Embedding, "[1]", "float32", "raw"),
            &[0, 0, 128, 127],
            "item 0 is Infinity",
        ),
    ];
    for (ty, header, payload, words) in table {
        let error =
            Value::decode_binary(*ty, header.as_bytes(), Bytes::copy_from_slice(payload)).unwrap_err();
        assert!(error.message().contains(words), "{header}: {error}");
    }
}

/// A file as numpy 1.26 writes it: version 1.0, the header padded to 64 bytes.
fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Bytes {
    let mut dictionary = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    dictionary.push_str(&" ".repeat(63 - (10 + dictionary.len()) % 64));
    dictionary.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend_from_slice(&(dictionary.len() as u16).to_le_bytes());
    file.extend_from_slice(dictionary.as_bytes());
    file.extend_from_slice(data);
    Bytes::from(file)
}

fn read_npy(file: Bytes) -> Result<Value> {
    Value::decode_binary(Type::Tensor, br#"{"binary_format":"npy","type":"tensor"}"#, file)
}

#[test]
fn numpy_files_are_read_in_either_order() {
    let data = [1u8, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0];
    let expected = |data: &str| format!(r#"{{"shape":[2,3],"dtype":"int16","data":[{data}]}}"#);
    let file = npy("<i2", "False", "(2, 3)", &data);
    let value = read_npy(file.clone()).unwrap();
    assert_eq!(text(&value), expected("1,2,3,4,5,6"));
    assert_eq!(
        value.binary().unwrap().1.as_ptr(),
        file[file.len() - 12..].as_ptr()
    );
    assert_eq!(
        text(&read_npy(npy("<i2", "True", "(2, 3)", &data)).unwrap()),
        expected("1,3,5,2,4,6")
    );
    assert_eq!(
        text(&read_npy(npy(">i2", "False", "(2, 3)", &data)).unwrap()),
        expected("256,512,768,1024,1280,1536")
    );
    let scalar = read_npy(npy("|b1", "False", "()", &[1])).unwrap();
    assert_eq!(text(&scalar), r#"{"shape":[],"dtype":"bool","data":[true]}"#);
    let vector = read_npy(npy("<f4", "False", "(1,)", &1.5f32.to_le_bytes())).unwrap();
    assert_eq!(text(&vector), r#"{"shape":[1],"dtype":"float32","data":[1.5]}"#);
    let empty = read_npy(npy(
        "<f4",
        "True",
        "(9223372036854775807, 9223372036854775807, 0)",
        &[],
    ))
    .unwrap();
    assert_eq!(empty.payload_len(), 0);
}

#[test]
fn numpy_files_that_are_wrong_or_hold_pickles_are_refused() {
    let whole = npy("<i2", "False", "(1,)", &[1, 0]);
    for end in 0..whole.len() {
        assert!(read_npy(whole.slice(..end)).is_err(), "{end}");
    }
    for (file, words) in [
        (npy("|O", "False", "(1,)", b"\x80\x05."), "`pickle`"),
        (npy("<c8", "False", "(1,)", &[0; 8]), "unknown element type"),
        (npy("<i2", "Maybe", "(1,)", &[0; 2]), "not understood"),
        (npy("<i2", "False", "(x,)", &[0; 2]), "not understood"),
        (npy("<i2", "False", "(2,)", &[0; 2]), "does not fit shape"),
    ] {
        let error = read_npy(file).unwrap_err();
        assert!(error.message().contains(words), "{error}");
    }
    let header = header(Type::Tensor, "[2]", "int16", "npy");
    let error = Value::decode_binary(Type::Tensor, header.as_bytes(), whole).unwrap_err();
    assert!(error.message().contains("does not agree"), "{error}");
}
