//! The host tools that every bridge has. Few, and each true: no tool is here to fill a list.

use std::sync::Arc;

use serde_json::json;

use super::{HostFunction, HostTools};
use crate::proto::bridge::ToolRegistration;

pub(super) fn add_to(tools: &mut HostTools) {
    tools.insert(
        described(
            "host_time",
            "The bridge's clock: the time in UTC as text, and seconds since 1970.",
        ),
        now(host_time),
    );
    tools.insert(
        described(
            "host_info",
            "The bridge and its machine: version, pid, operating system, processor, cores.",
        ),
        now(host_info),
    );
}

fn described(name: &str, description: &str) -> ToolRegistration {
    ToolRegistration {
        name: name.to_owned(),
        description: description.to_owned(),
        idempotent: true,
        ..Default::default()
    }
}

/// A host function that takes nothing and waits for nothing.
fn now(value: fn() -> serde_json::Value) -> HostFunction {
    Arc::new(move |_, _| Box::pin(async move { Ok(value()) }))
}

fn host_time() -> serde_json::Value {
    let now = jiff::Timestamp::now();
    json!({ "utc": now.to_string(), "unix": now.as_nanosecond() as f64 / 1e9 })
}

fn host_info() -> serde_json::Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "cores": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    })
}
