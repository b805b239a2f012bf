//! The gRPC edge in: decode, call the bridge, encode.
