//! Compiles `proto/` with a pure-Rust protoc, so that no `protoc` is needed on the machine.
//!
//! Leaves the descriptor set in `OUT_DIR` for reflection and for the contract test, and the list of the Python files
//! that the binary carries.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

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
    embed_python(&out)?;
    Ok(())
}

/// Writes `python.rs`: the files of the Python package and a hash over their names and bytes.
///
/// By hand and not by `include_dir`, because tests, caches and stubs stand among them and must stay out.
fn embed_python(out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("python");
    let mut files = Vec::new();
    for room in ["snakepit", "snakepit_bridge"] {
        collect(&root.join(room), &mut files)?;
    }
    for entry in fs::read_dir(&root).into_iter().flatten() {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|ending| ending == "py") {
            files.push(path);
        }
    }
    files.sort();
    println!("cargo::rerun-if-changed=python/snakepit_boot.py");
    let mut hash = Fnv::default();
    let mut list = String::from("pub static FILES: &[(&str, &[u8])] = &[\n");
    for path in &files {
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path
            .strip_prefix(&root)?
            .to_str()
            .ok_or("a Python file's name is not UTF-8")?;
        hash.feed(name.as_bytes());
        hash.feed(&fs::read(path)?);
        writeln!(list, "    ({name:?}, include_bytes!({path:?})),")?;
    }
    writeln!(list, "];\npub const HASH: &str = \"{:016x}\";", hash.0)?;
    fs::write(out.join("python.rs"), list)?;
    Ok(())
}

/// What a worker needs of a package's folder: no compiled caches and no stubs.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "__pycache__" && name != "tests" && !name.starts_with('.') {
            collect(&path, files)?;
        } else if path.is_file()
            && !name.ends_with(".pyc")
            && !name.ends_with(".pyi")
            && !name.starts_with('.')
        {
            files.push(path);
        }
    }
    Ok(())
}

/// FNV-1a: enough to tell one build's files from another's.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&[0]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
