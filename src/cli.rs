//! Global flags and the assembly of the clap tree.
