//! Types, constraints, values: pure.
