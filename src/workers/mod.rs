//! Spawn, supervise, roster, reap, logs.
