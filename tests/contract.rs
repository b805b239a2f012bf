//! The wire contract, row by row: what is frozen stays, what was added is listed.
//!
//! `tests/data/bridge_contract.tsv` is what existing clients of package `snakepit.bridge` were built from.
//! `tests/data/additions.tsv` lists everything beside it in the same columns. A row of either that changes breaks
//! somebody's client, so both are compared with the compiled descriptor and not with the proto's text.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

const PACKAGE: &str = "snakepit.bridge";
const CONTRACT: &str = include_str!("data/bridge_contract.tsv");
const ADDITIONS: &str = include_str!("data/additions.tsv");

fn table(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn bridge_file() -> FileDescriptorProto {
    let set = FileDescriptorSet::decode(snakepit::proto::DESCRIPTOR_SET).expect("the descriptor set decodes");
    set.file
        .into_iter()
        .find(|file| file.package() == PACKAGE)
        .expect("the bridge's file is in the set")
}

fn rows(file: &FileDescriptorProto) -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    for service in &file.service {
        for method in &service.method {
            let side = |stream: bool, name: &str| {
                let name = name.rsplit('.').next().unwrap_or(name);
                if stream {
                    format!("stream {name}")
                } else {
                    name.to_owned()
                }
            };
            let input = side(method.client_streaming(), method.input_type());
            let output = side(method.server_streaming(), method.output_type());
            let label = match (method.client_streaming(), method.server_streaming()) {
                (false, false) => "unary",
                (false, true) => "server_streaming",
                (true, false) => "client_streaming",
                (true, true) => "bidi_streaming",
            };
            rows.insert(format!(
                "method\t{}\t{}\t-\t{input} -> {output}\t{label}",
                service.name(),
                method.name()
            ));
        }
    }
    for message in &file.message_type {
        message_rows(message, message.name(), &mut rows);
    }
    for kind in &file.enum_type {
        enum_rows(kind, kind.name(), &mut rows);
    }
    rows
}

fn message_rows(message: &DescriptorProto, path: &str, rows: &mut BTreeSet<String>) {
    for field in &message.field {
        let (ty, label) = match map_type(message, field) {
            Some(map) => (map, "map"),
            None => (type_name(field), label(field)),
        };
        rows.insert(format!(
            "field\t{path}\t{}\t{}\t{ty}\t{label}",
            field.name(),
            field.number()
        ));
    }
    for nested in message.nested_type.iter().filter(|nested| !is_map_entry(nested)) {
        message_rows(nested, &format!("{path}.{}", nested.name()), rows);
    }
    for kind in &message.enum_type {
        enum_rows(kind, &format!("{path}.{}", kind.name()), rows);
    }
}

fn enum_rows(kind: &EnumDescriptorProto, path: &str, rows: &mut BTreeSet<String>) {
    for value in &kind.value {
        rows.insert(format!(
            "enum\t{path}\t{}\t{}\t-\t-",
            value.name(),
            value.number()
        ));
    }
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message
        .options
        .as_ref()
        .is_some_and(|options| options.map_entry())
}

fn map_type(message: &DescriptorProto, field: &FieldDescriptorProto) -> Option<String> {
    let entry = field.type_name().rsplit('.').next()?;
    let entry = message
        .nested_type
        .iter()
        .find(|nested| is_map_entry(nested) && nested.name() == entry)?;
    let [key, value] = entry.field.as_slice() else {
        return None;
    };
    Some(format!("map<{},{}>", type_name(key), type_name(value)))
}

fn label(field: &FieldDescriptorProto) -> &'static str {
    match (field.label(), field.proto3_optional()) {
        (Label::Repeated, _) => "repeated",
        (_, true) => "optional",
        _ => "singular",
    }
}

fn type_name(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => field.type_name().trim_start_matches('.').to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

/// Presence is no change on the wire: `optional int32 x = 5` and `int32 x = 5` are the same bytes.
fn presence_ignored(rows: &BTreeSet<String>) -> BTreeSet<String> {
    rows.iter()
        .map(|row| row.replace("\toptional", "\tsingular"))
        .collect()
}

#[test]
fn every_frozen_row_is_served_as_it_was() {
    let ours = presence_ignored(&rows(&bridge_file()));
    let missing: Vec<_> = table(CONTRACT).difference(&ours).cloned().collect();
    assert!(
        missing.is_empty(),
        "rows of the frozen contract that changed:\n{}",
        missing.join("\n")
    );
}

#[test]
fn every_addition_is_listed() {
    let frozen = table(CONTRACT);
    let added: BTreeSet<String> = rows(&bridge_file())
        .into_iter()
        .filter(|row| !frozen.contains(&row.replace("\toptional", "\tsingular")))
        .collect();
    let listed = table(ADDITIONS);
    if added != listed && std::env::var_os("SNAKEPIT_UPDATE_ADDITIONS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/additions.tsv");
        let header = "# Additions to package snakepit.bridge, frozen from the release that ships them. Columns as in bridge_contract.tsv.\n# kind\towner\tname\tnumber\ttype\tlabel\n";
        let body: String = added.iter().map(|row| format!("{row}\n")).collect();
        std::fs::write(path, format!("{header}{body}")).expect("the table is written");
        panic!("tests/data/additions.tsv was written anew; read its diff");
    }
    let diff: Vec<_> = added.symmetric_difference(&listed).cloned().collect();
    assert!(
        diff.is_empty(),
        "rows that differ from tests/data/additions.tsv:\n{}",
        diff.join("\n")
    );
}

#[test]
fn all_23_methods_of_the_contract_are_there() {
    let methods = table(CONTRACT)
        .iter()
        .filter(|row| row.starts_with("method\t"))
        .count();
    assert_eq!(methods, 23);
}
