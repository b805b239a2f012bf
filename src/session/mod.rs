//! The core, pure: state, commands, events, `decide`, `apply`.
