//! Every environment variable that snakepit reads, with its meaning. A variable that is set and empty counts as
//! not set.

/// Where the bridge is: `unix:PATH` or `HOST:PORT`. As `--address`.
pub const ADDRESS: &str = "SNAKEPIT_ADDRESS";

/// The session to work in. As `--session`; default what `session use` kept, else `default`.
pub const SESSION: &str = "SNAKEPIT_SESSION";

/// The name of the bridge on this machine. As `--name`; default `default`.
pub const NAME: &str = "SNAKEPIT_NAME";

/// The format of stdout. As `--output`.
pub const OUTPUT: &str = "SNAKEPIT_OUTPUT";

/// The directory of sockets and runtime files; unset = `/tmp/snakepit-UID`.
pub const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";

/// The directory of state, where reports of faults go; unset = `~/.local/state`.
pub const XDG_STATE_HOME: &str = "XDG_STATE_HOME";

/// The user's directory.
pub const HOME: &str = "HOME";
