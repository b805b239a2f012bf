//! The same room against the real Python worker. Skipped, with a word, where no interpreter is named.
