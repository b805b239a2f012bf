//! The only room with `unsafe` and operating system calls.
