//! The rules, one by one, without a server.
