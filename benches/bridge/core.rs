//! What a read and a write cost without the wire: nanoseconds in one thread, to tell the bridge's share of a call.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use snakepit::{
    bridge::{Bridge, Opening, wall_now},
    journal::MemoryJournal,
    session::{Actor, Command, Declare, IfExists, Metadata, Principal, RawValue, Set, Ttl},
    wire::{value::Encoding, variable::variable},
};
use tokio::runtime::Builder;

use crate::report::{median, rounds};

const OPERATIONS: u32 = 200_000;

/// Measures and prints.
pub fn run() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (writes, reads) = runtime.block_on(async {
        let (mut writes, mut reads) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            let (write, read) = round().await;
            writes.push(write);
            reads.push(read);
        }
        (median(writes), median(reads))
    });
    println!("one write through decide, journal, apply and publish: {writes:>6.0} ns");
    println!("one read, made into its message:                      {reads:>6.0} ns");
}

async fn round() -> (f64, f64) {
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let actor = || Actor {
        principal: Principal::new("bench"),
        now: wall_now(),
    };
    let value = || RawValue::json(Bytes::from_static(b"0.001"));
    let opening = Opening {
        id: "bench".to_owned(),
        metadata: Metadata::new(),
        ttl: Some(Ttl::Never),
        history_limit: 0,
        create_only: false,
    };
    let live = bridge.open(&opening, &actor()).await.expect("opened").live;
    let declare = Command::Declare(Declare {
        name: "learning_rate".to_owned(),
        number: 1,
        ty: None,
        inferred: false,
        value: value(),
        constraints: String::new(),
        metadata: Metadata::new(),
        if_exists: IfExists::Fail,
    });
    bridge
        .execute_one(&live, declare, actor())
        .await
        .expect("declared");

    let begin = Instant::now();
    for _ in 0..OPERATIONS {
        let live = bridge.session("bench").expect("there");
        let set = Command::Set(Set {
            target: "learning_rate".to_owned(),
            value: value(),
            expected: None,
            metadata: Metadata::new(),
        });
        bridge.execute_one(&live, set, actor()).await.expect("written");
    }
    let write = begin.elapsed().as_nanos() as f64 / f64::from(OPERATIONS);

    let begin = Instant::now();
    for _ in 0..OPERATIONS {
        let live = bridge.session("bench").expect("there");
        let found = live.read().get("learning_rate").expect("there").clone();
        std::hint::black_box(variable(&found, Encoding::Json));
    }
    (write, begin.elapsed().as_nanos() as f64 / f64::from(OPERATIONS))
}
