//! Flags, environment and files, made into one configuration.
