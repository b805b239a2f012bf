//! The load generator: closed loops over a few connections, timed call by call.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use tonic::transport::{Channel, Endpoint};

/// One measurement of one side.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Calls a second.
    pub rate: f64,
    /// Median latency.
    pub p50: Duration,
    /// 99th percentile of the latency.
    pub p99: Duration,
}

/// How long one measurement runs, and how long before it is not counted.
pub const MEASURE: Duration = Duration::from_millis(1_000);
const WARM_UP: Duration = Duration::from_millis(200);

/// Channels for so many callers: one for one, else four, as the figures of the design were taken.
pub async fn channels(address: &str, callers: usize) -> Vec<Channel> {
    let count = if callers == 1 { 1 } else { 4 };
    let mut channels = Vec::new();
    for _ in 0..count {
        channels.push(connect(address).await);
    }
    channels
}

/// A channel to `unix:PATH` or `HOST:PORT`.
pub async fn connect(address: &str) -> Channel {
    let endpoint = match address.strip_prefix("unix:") {
        Some(path) => Endpoint::from_shared(format!("unix:{path}")),
        None => Endpoint::from_shared(format!("http://{address}")),
    };
    endpoint
        .expect("an address")
        .tcp_nodelay(true)
        .connect()
        .await
        .expect("the server is up")
}

/// Runs `callers` loops of `call` and times each call.
pub async fn closed_loop<C, F>(callers: usize, call: C) -> Sample
where
    C: Fn(usize) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    let call = Arc::new(call);
    let begin = Instant::now() + WARM_UP;
    let end = begin + MEASURE;
    let loops: Vec<_> = (0..callers)
        .map(|caller| {
            let call = Arc::clone(&call);
            tokio::spawn(async move {
                let mut latencies = Vec::with_capacity(16 * 1024);
                loop {
                    let start = Instant::now();
                    if start >= end {
                        return latencies;
                    }
                    call(caller).await;
                    if start >= begin {
                        latencies.push(start.elapsed());
                    }
                }
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for one in loops {
        latencies.extend(one.await.expect("a caller ends well"));
    }
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    Sample {
        rate: latencies.len() as f64 / MEASURE.as_secs_f64(),
        p50: at(0.5),
        p99: at(0.99),
    }
}
