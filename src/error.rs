//! The one table of everything that can go wrong: kind <-> stable code <-> gRPC status <-> exit code <-> text.
//!
//! Every failure that a user can see is an [`Error`] of one [`Kind`]. `wire` turns it into a gRPC status and
//! back, `ui` prints it, `explain` tells more about its code. This file must never know of tonic, clap or a
//! terminal, and an error's text must never carry internals (paths of the server, panics) over the wire.

use std::fmt;

/// The gRPC status codes, numbered as on the wire, without needing a gRPC library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
#[allow(missing_docs)] // The names are gRPC's own: https://grpc.io/docs/guides/status-codes/
pub enum Status {
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

/// What is known of a call that failed: the caller decides by it whether a retry is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// No line of the tool ran.
    NeverStarted,
    /// It was handed to a worker; how far it came is not known.
    MayHaveRun,
    /// It ran to its end and the result was lost on the way back.
    FinishedResultLost,
}

impl Outcome {
    /// The word on the wire and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeverStarted => "NEVER_STARTED",
            Self::MayHaveRun => "MAY_HAVE_RUN",
            Self::FinishedResultLost => "FINISHED_RESULT_LOST",
        }
    }

    /// The words for a person.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::NeverStarted => "never started",
            Self::MayHaveRun => "may have run",
            Self::FinishedResultLost => "finished, but its result was lost",
        }
    }

    /// Reads [`Outcome::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::NeverStarted, Self::MayHaveRun, Self::FinishedResultLost]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }
}

/// One row of the table.
struct Row {
    code: &'static str,
    status: Status,
    exit: u8,
    title: &'static str,
    explain: &'static str,
}

macro_rules! kinds {
    ($( $(#[$doc:meta])* $kind:ident = $code:literal, $status:ident, $exit:literal, $title:literal, $explain:literal; )*) => {
        /// The kinds of failure. A kind is never renumbered; a code that goes out of use is not used again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $( $(#[$doc])* $kind, )* }

        impl Kind {
            /// Every kind, in the order of the codes.
            pub const ALL: &'static [Kind] = &[ $( Kind::$kind, )* ];

            fn row(self) -> Row {
                match self {
                    $( Kind::$kind => Row {
                        code: $code, status: Status::$status, exit: $exit, title: $title, explain: $explain,
                    }, )*
                }
            }
        }
    };
}

kinds! {
    /// A session id that does not exist, or no longer.
    SessionNotFound = "E0101", NotFound, 3, "session not found",
        "The session does not exist, has expired, or was ended. A session lives for its time to live after the \
         last call that names it. List what there is with `snakepit session list`, make one that never expires \
         with `snakepit session new NAME`.";
    /// `create_only` and the session is there.
    SessionExists = "E0102", AlreadyExists, 5, "session already exists",
        "The session was to be created and is there already. Leave out `--create-only` to attach to it.";
    /// Cleanup without force while something runs.
    SessionBusy = "E0103", FailedPrecondition, 5, "session is in use",
        "Calls run in the session or an optimizer holds a lease there, and the request did not force its end. \
         Wait for them, or repeat with `--force`, which cancels them.";
    /// A session id that breaks the rules.
    SessionName = "E0104", InvalidArgument, 10, "invalid session id",
        "A session id is 1 to 255 bytes of UTF-8 without control characters.";

    /// A checkpoint that does not exist.
    CheckpointNotFound = "E0105", NotFound, 3, "checkpoint not found",
        "The session keeps no checkpoint of that name. List them with `snakepit session checkpoint --list`.";
    /// A checkpoint's name that is taken.
    CheckpointExists = "E0106", AlreadyExists, 5, "checkpoint already exists",
        "The session keeps a checkpoint of that name. Take another name, or let that one go with \
         `snakepit session checkpoint NAME --delete`.";
    /// A checkpoint's name that breaks the rules.
    CheckpointName = "E0107", InvalidArgument, 10, "invalid checkpoint name",
        "A checkpoint's name is 1 to 255 bytes without white space, control characters, `*` and `?`.";
    /// A file that is no exported session.
    BadExport = "E0108", InvalidArgument, 10, "not an exported session",
        "The file is no export of a session, is cut off, or is of a format that this release does not read. The \
         message names the line. Nothing was imported.";

    /// A variable that does not exist.
    VariableNotFound = "E0201", NotFound, 3, "variable not found",
        "No variable of this session has that name or id. Names are case-sensitive. List them with \
         `snakepit var list`, register one with `snakepit var register NAME VALUE`.";
    /// A name that is taken.
    VariableExists = "E0202", AlreadyExists, 5, "variable already exists",
        "The name is taken in this session. Use `--if-missing` to keep what is there, `--update` to change its \
         constraints, `snakepit var set` to write it.";
    /// A name that breaks the rules.
    VariableName = "E0203", InvalidArgument, 10, "invalid variable name",
        "A variable's name is 1 to 255 bytes without white space, control characters or the glob characters \
         `*` and `?`, and is not shaped like an id (`var_NAME_7`).";
    /// The declaration does not agree with what is there.
    DeclarationDiffers = "E0204", AlreadyExists, 5, "variable is declared differently",
        "A program declared a variable that exists with another type or other constraints. Use `--update` to \
         change the constraints; to change the type, `snakepit var del` it first.";
    /// Deleting what others depend on.
    HasDependents = "E0205", FailedPrecondition, 5, "variable has dependents",
        "Other variables depend on this one. From Python, `delete_variable(NAME, force=True)` of a \
         session deletes it all the same and leaves them stale.";

    /// A value outside min..max, too long, not among the choices.
    ConstraintViolated = "E0301", InvalidArgument, 10, "value out of range",
        "The value is of the right type and breaks a constraint of the variable. Nothing was written. See the \
         constraints with `snakepit var describe NAME`, change one with `snakepit var register NAME --max 2 --update`.";
    /// A value of another type.
    WrongType = "E0302", InvalidArgument, 10, "wrong type",
        "The value is not of the variable's type. Nothing was written. A string in JSON has quotes; a bare word \
         is a string only where the variable is one.";
    /// An unknown type name.
    UnknownType = "E0303", InvalidArgument, 10, "unknown type",
        "The types are: float, integer, string, boolean, choice, module, embedding, tensor, map, list.";
    /// A constraint that cannot be.
    BadConstraint = "E0304", InvalidArgument, 10, "invalid constraint",
        "A constraint is not known for the type, has the wrong form, or cannot be met. The message names it.";
    /// Bytes that are not a value.
    BadEncoding = "E0305", InvalidArgument, 10, "value cannot be decoded",
        "A value is JSON text (or, for tensors and embeddings, a JSON header with raw little-endian bytes). \
         Pickle and Erlang terms are refused: nothing on the wire can run code.";

    /// Compare-and-set lost.
    VersionMismatch = "E0401", Aborted, 5, "version conflict",
        "The write named the version it expected and another write came first. Nothing was written. Read again \
         and decide again; that is what the version is for.";
    /// Somebody holds the lease.
    VariableLocked = "E0402", FailedPrecondition, 5, "variable is locked by an optimizer",
        "An optimizer holds the write lease of the variable, and the write did not carry its token. It ends with the \
         optimizer's lease; `list_variables` of a Python session says `optimizing` of each.";
    /// A token of a lease that ended.
    StaleToken = "E0403", FailedPrecondition, 5, "lease token is stale",
        "The write carried the token of a lease that has ended or was taken over. Its holder has to stop.";
    /// A cycle in the graph.
    DependencyCycle = "E0404", FailedPrecondition, 5, "dependency cycle",
        "The dependency would close a cycle; the message names its path. Nothing was added.";
    /// History that is gone.
    HistoryCompacted = "E0405", OutOfRange, 7, "no longer kept",
        "The revision or version asked for is no longer kept. The message names the oldest that is.";
    /// A request that was refused because the state is not right for it.
    Precondition = "E0406", FailedPrecondition, 5, "not possible now",
        "The request is valid and the state does not allow it. The message says what stands in the way.";
    /// A dependency that does not exist.
    DependencyNotFound = "E0407", NotFound, 3, "dependency not found",
        "There is no such edge between variables.";
    /// No lease.
    LeaseNotFound = "E0408", NotFound, 3, "optimization not found",
        "Nobody optimizes that variable.";

    /// A tool that does not exist.
    ToolNotFound = "E0601", NotFound, 3, "tool not found",
        "No worker that is up and no host tool has that name in this session or globally. List them with \
         `snakepit tool list`; start a worker with `snakepit worker spawn FILE`.";
    /// The tool raised.
    ToolFailed = "E0602", Unknown, 6, "tool failed",
        "The tool ran and raised an exception. Its traceback is shown, trimmed to the frames of its author.";
    /// The worker died under the call.
    WorkerDied = "E0603", Unknown, 6, "worker died during the call",
        "The process that ran the call ended. The call may have run: it is repeated by itself only where the tool \
         is declared idempotent. What the process printed is where `snakepit worker spawn` runs.";
    /// Missing, unknown or wrong parameters.
    BadParameters = "E0604", InvalidArgument, 10, "invalid parameters",
        "The parameters do not fit the tool's declaration; every problem is listed. The tool did not run. See \
         `snakepit tool describe NAME`.";
    /// A streaming tool called unary.
    StreamingTool = "E0605", FailedPrecondition, 5, "tool streams",
        "The tool yields chunks and has to be called by ExecuteStreamingTool. `snakepit tool call` and the Python \
         clients do that by themselves.";
    /// Nobody can take the call now.
    NoWorker = "E0606", Unavailable, 8, "no worker",
        "The tool is known and none of its workers can take the call. It never started, so it is safe to try again.";
    /// The queue is full.
    QueueFull = "E0607", ResourceExhausted, 9, "too many calls wait",
        "The tool's queue is full. The call never started. Slow down, or add workers (`-n`).";
    /// The call was cancelled.
    CallCancelled = "E0608", Cancelled, 130, "call was cancelled",
        "Somebody asked the call to stop, or the caller went away.";
    /// Deadline.
    DeadlineExceeded = "E0609", DeadlineExceeded, 124, "deadline exceeded",
        "The call did not end in time and was told to stop. The outcome says whether it may have run. Give it more \
         with `--timeout`, or declare `@tool(timeout=...)`.";
    /// Tools calling tools for ever.
    TooDeep = "E0610", FailedPrecondition, 5, "calls are nested too deep",
        "Tools may call tools to a depth of 16. This is nearly always a tool that calls itself.";
    /// Replicas disagree.
    ToolConflict = "E0611", AlreadyExists, 5, "tool is declared differently",
        "Another worker offers a tool of that name with another declaration. Stop it first, or rename one.";
    /// A call that is not known.
    CallNotFound = "E0612", NotFound, 3, "call not found",
        "No call has that id, or its record is no longer kept.";
    /// The idle limit.
    IdleTooLong = "E0613", DeadlineExceeded, 124, "tool showed no sign of life",
        "The tool has an idle limit and neither yielded, reported progress nor logged within it.";

    /// A worker that cannot be reached or did not speak.
    WorkerUnreachable = "E0701", FailedPrecondition, 5, "worker cannot be reached",
        "The bridge could not dial the worker's address or the handshake failed. A worker on another machine needs \
         `--advertise` with an address that the bridge can reach.";
    /// The file does not import.
    WorkerImport = "E0702", FailedPrecondition, 6, "file does not import",
        "Python could not import what the worker was to serve. Its traceback is shown.";
    /// A worker that ended before it was ready.
    WorkerExited = "E0703", FailedPrecondition, 6, "worker ended before it was ready",
        "The process started and ended before it said that it was ready. The tail of its output is shown.";
    /// A worker that does not exist.
    WorkerNotFound = "E0704", NotFound, 3, "worker not found",
        "No worker has that id. List them with `snakepit worker list`.";
    /// No python.
    NoPython = "E0705", FailedPrecondition, 78, "no usable Python",
        "Workers need Python 3.10 or newer. Install python3, or name one with `--python PATH`.";
    /// The environment could not be made.
    ProvisionFailed = "E0706", FailedPrecondition, 1, "Python environment could not be made",
        "The packages that a worker needs (grpcio, protobuf) could not be installed. The tail of pip's output is \
         shown. Without a network, install them yourself and name that interpreter with `--python`.";
    /// No tools in the file.
    NoTools = "E0707", FailedPrecondition, 6, "nothing to serve",
        "The file was imported and declares no tool. Put `@tool` (from snakepit import tool) above a function.";
    /// A registration by somebody unknown.
    WorkerUnknown = "E0708", FailedPrecondition, 5, "worker is not registered",
        "Tools are registered only for a worker that the bridge knows. Start it with `snakepit worker spawn`.";

    /// Nobody listens.
    NoBridge = "E0801", Unavailable, 8, "no bridge is running",
        "Nothing answers at the address. Start one with `snakepit serve`, or name another with `--address` or \
         SNAKEPIT_ADDRESS.";
    /// The connection broke.
    ConnectionLost = "E0802", Unavailable, 8, "connection lost",
        "The connection to the bridge broke. Reads are repeated by themselves; a write is repeated only under its \
         request id, because nobody knows whether it arrived.";
    /// The bridge goes down.
    ShuttingDown = "E0803", Unavailable, 8, "bridge is shutting down",
        "The bridge drains and takes no new work. The request was not done.";
    /// The socket is taken.
    AddressInUse = "E0804", FailedPrecondition, 5, "address is in use",
        "Another bridge listens there. Use it, stop it, or give this one a `--name` of its own.";
    /// The transport was refused.
    InsecureListen = "E0805", InvalidArgument, 78, "refusing to listen without protection",
        "A TCP port can be reached by every user of the machine, and any other than a loopback address by the \
         network. Loopback TCP wants `--no-auth` said aloud; anything else is refused until the bridge can \
         authenticate clients.";
    /// An address that is none.
    BadAddress = "E0806", InvalidArgument, 2, "invalid address",
        "An address is unix:PATH, HOST:PORT, http://HOST:PORT or https://HOST:PORT. A socket's path has at most 107 bytes.";
    /// A version that does not fit.
    VersionSkew = "E0807", FailedPrecondition, 8, "versions do not fit",
        "The bridge does not know the request. One of the two programs is of another release.";
    /// A method of a later release.
    NotServed = "E0808", Unimplemented, 8, "not served by this release",
        "The contract names the method and this release does not serve it.";

    /// A limit of size or count.
    LimitExceeded = "E0901", ResourceExhausted, 9, "limit exceeded",
        "A documented limit was reached; the message names it and its size. Nothing was changed.";
    /// The message is too large.
    MessageTooLarge = "E0902", ResourceExhausted, 9, "message too large",
        "A message has at most 64 MiB and a chunk 1 MiB. Send large results as chunks.";
    /// No room.
    StorageFull = "E0903", ResourceExhausted, 9, "storage is full",
        "The disk is nearly full: writes are refused, reads go on, and it heals by itself when there is room.";

    /// Credentials are missing.
    Unauthenticated = "E1001", Unauthenticated, 4, "not authenticated",
        "The bridge wants a token or a certificate. Name one with `--token-file`.";
    /// Not allowed.
    PermissionDenied = "E1002", PermissionDenied, 4, "not allowed",
        "The principal may not do that. See the rules with `snakepit var access`.";

    /// The command line is wrong.
    Usage = "E1101", InvalidArgument, 2, "usage",
        "The command line could not be understood. `snakepit help` and `--help` after any verb tell more.";
    /// The configuration is wrong.
    Config = "E1102", InvalidArgument, 78, "invalid configuration",
        "A configuration file has an unknown key or a value of the wrong form. The message names file and key.";
    /// A file or pipe.
    Io = "E1103", Internal, 74, "input or output failed",
        "A file, pipe or socket of this machine could not be read or written. The message names it.";
    /// A request that makes no sense.
    BadRequest = "E1104", InvalidArgument, 2, "invalid request",
        "A field of the request is missing or contradicts another. The message names it.";
    /// A wait that ended without what it waited for.
    TimedOut = "E1105", DeadlineExceeded, 124, "timed out",
        "What was waited for did not happen in the time given.";
    /// Ctrl-C.
    Interrupted = "E1106", Cancelled, 130, "interrupted",
        "Ctrl-C was pressed.";

    /// A fault of ours.
    Internal = "E9901", Internal, 70, "internal error",
        "This is a fault of snakepit. The bridge's log has the details under the error id of the message.";
}

impl Kind {
    /// The stable code, `E` and four digits: what users search for.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// The gRPC status it travels as.
    pub fn status(self) -> Status {
        self.row().status
    }

    /// The exit code of the command line.
    pub fn exit(self) -> u8 {
        self.row().exit
    }

    /// A few words, lower case, without a period.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// What `snakepit explain CODE` prints.
    pub fn explain(self) -> &'static str {
        self.row().explain
    }

    /// Finds the kind of a code, in any case.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.code().eq_ignore_ascii_case(code))
    }
}

/// A failure that a user can see.
#[derive(Debug, Clone)]
pub struct Error(Box<Body>);

#[derive(Debug, Clone)]
struct Body {
    kind: Kind,
    message: String,
    details: Vec<String>,
    hints: Vec<String>,
    outcome: Option<Outcome>,
}

/// The result of everything that can fail with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of a kind: `message` says what, in lower case, with backticks around literals.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Body {
            kind,
            message: message.into(),
            details: Vec::new(),
            hints: Vec::new(),
            outcome: None,
        }))
    }

    /// Adds a line that says why.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.0.details.push(line.into());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, line: impl Into<String>) -> Self {
        self.0.hints.push(line.into());
        self
    }

    /// Says how far the call came.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = Some(outcome);
        self
    }

    /// The row of the table.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What happened, one line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Why, line by line.
    pub fn details(&self) -> &[String] {
        &self.0.details
    }

    /// What next, line by line.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// How far the call came, where that is known.
    pub fn known_outcome(&self) -> Option<Outcome> {
        self.0.outcome
    }

    /// An input or output failure, with what was being done to which path.
    pub fn io(doing: impl fmt::Display, cause: &std::io::Error) -> Self {
        Self::new(Kind::Io, format!("{doing}: {cause}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.message)?;
        for detail in &self.0.details {
            write!(out, ": {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_found_again() {
        let codes: HashSet<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(&kind.code().to_lowercase()), Some(*kind));
        }
    }

    #[test]
    fn not_found_is_said_in_words_for_old_clients() {
        for kind in Kind::ALL {
            if kind.status() == Status::NotFound {
                assert!(kind.title().contains("not found"), "{}", kind.code());
            }
        }
    }

    #[test]
    fn unavailable_means_never_started() {
        for kind in Kind::ALL {
            assert_eq!(
                kind.status() == Status::Unavailable,
                matches!(
                    kind,
                    Kind::NoWorker | Kind::NoBridge | Kind::ConnectionLost | Kind::ShuttingDown
                ),
                "{}",
                kind.code()
            );
        }
    }
}
