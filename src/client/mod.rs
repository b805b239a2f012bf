//! The gRPC edge out: a typed async client.
