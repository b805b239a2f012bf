//! Facts of the machine: its name, its cores, its source of randomness.

use std::fs::File;
use std::io::{self, Read};

/// The machine's name, or `localhost` when it has none.
pub fn hostname() -> String {
    match std::fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(name) if !name.trim().is_empty() => name.trim().to_owned(),
        _ => "localhost".to_owned(),
    }
}

/// How many cores this process may use; at least 1.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// 64 random bits from the kernel, never 0.
pub fn random() -> io::Result<u64> {
    let mut source = File::open("/dev/urandom")?;
    loop {
        let mut bytes = [0; 8];
        source.read_exact(&mut bytes)?;
        let number = u64::from_ne_bytes(bytes);
        if number != 0 {
            return Ok(number);
        }
    }
}
