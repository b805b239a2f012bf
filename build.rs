//! Compiles `proto/` with a pure-Rust protoc, so that no `protoc` is needed on the machine.
//!
//! Leaves the descriptor set in `OUT_DIR` for reflection and for the contract test.

use std::{env, fs, path::PathBuf};

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let files = protox::compile(["snakepit_bridge.proto", "snakepit_admin.proto"], ["proto"])?;
    fs::write(out.join("snakepit_descriptor.bin"), files.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".")
        // Ours keeps the value as `Bytes`: it is passed on as it came and never copied on the way through.
        .extern_path(".google.protobuf.Any", "crate::proto::Any")
        .compile_fds(files)?;
    Ok(())
}
