# Sourced by the shows: a stage of their own, away from the user's home, that is empty again when the show ends.
# It must never be needed by anything but the shows, and it never touches a process that it did not start.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ -z "${SNAKEPIT:-}" ]; then
    SNAKEPIT=${CARGO_TARGET_DIR:-$root/target}/debug/snakepit
    [ -x "$SNAKEPIT" ] || (cd "$root" && cargo build --locked >&2)
fi
SNAKEPIT=$(realpath "$SNAKEPIT")

# Short, because a socket's path is.
stage=$(mktemp -d /tmp/show.XXXXXX)
mkdir -m 700 "$stage/run"
export HOME=$stage XDG_RUNTIME_DIR=$stage/run XDG_CACHE_HOME=$stage/cache XDG_CONFIG_HOME=$stage/config
export XDG_STATE_HOME=$stage/state XDG_DATA_HOME=$stage/data
unset SNAKEPIT_ADDRESS SNAKEPIT_SESSION SNAKEPIT_NAME SNAKEPIT_OUTPUT
[ -n "${SNAKEPIT_PYTHON:-}" ] || unset SNAKEPIT_PYTHON

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "UNMET: $*"
    for log in "$stage"/*.err; do
        [ -s "$log" ] && say "--- $(basename "$log" .err)" && tail -n 20 "$log" >&2
    done
    exit 1
}

# Milliseconds on a clock.
now() { local time=${EPOCHREALTIME//[.,]/}; echo $((time / 1000)); }

# start NAME WORDS...: runs the binary in the background with a mark in its environment; its pid is in $pid, what it
# writes in $stage/NAME.out and NAME.err.
start() {
    local name=$1
    shift
    SNAKEPIT_SHOW=$stage "$SNAKEPIT" "$@" >"$stage/$name.out" 2>"$stage/$name.err" </dev/null &
    pid=$!
}

# Pids of everything alive that carries the mark. A dead process that nobody has waited for has no environment left.
ours() { grep -lzxF "SNAKEPIT_SHOW=$stage" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 || true; }

# await SECONDS WHAT COMMAND...: waits until the command succeeds, or fails the show.
await() {
    local limit=$(($(now) + $1 * 1000)) what=$2
    shift 2
    until "$@"; do
        [ "$(now)" -lt "$limit" ] || fail "$what did not come in time"
        sleep 0.02
    done
}

has() { grep -q -- "$2" "$stage/$1" 2>/dev/null; }

serve() {
    start serve serve "$@"
    bridge=$pid
    await 60 "the bridge" "$SNAKEPIT" -q session list -o none 2>/dev/null
}

# spawn FILE OPTIONS...: a worker that is ready; provisioning may take a while the first time.
spawn() {
    start spawn worker spawn "$@"
    supervisor=$pid
    await 300 "the worker" spawned
}

spawned() {
    kill -0 "$supervisor" 2>/dev/null || fail "worker spawn ended"
    has spawn.err ' is ready '
}

strike_stage() {
    local code=$? left
    trap - EXIT
    left=$(ours)
    # shellcheck disable=SC2086 # A list of pids.
    [ -z "$left" ] || kill -9 $left 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$stage"
    exit "$code"
}
trap strike_stage EXIT
trap 'exit 130' INT TERM
