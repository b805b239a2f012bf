"""A worker for tests: speaks the start protocol of snakepit_boot.py with the standard library only.

SPEC says how it behaves: `ready`, and words joined by `+`: import, no_tools, exit, hang, flood, stubborn, fork, print,
tail, crash.
"""

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time


def say(fd, message):
    with os.fdopen(fd, "w") as pipe:
        pipe.write(json.dumps(message) + "\n")


def watch_lifeline(fd):
    os.read(fd, 1)
    os._exit(7)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spec")
    parser.add_argument("--worker-id", required=True)
    parser.add_argument("--max-concurrent", type=int, default=16)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--ready-fd", type=int, required=True)
    parser.add_argument("--lifeline-fd", type=int, required=True)
    parser.add_argument("--session")
    args = parser.parse_args()
    does = args.spec.split("+")

    if "note" in os.environ.get("STAND_IN", ""):
        print("env", json.dumps({k: v for k, v in os.environ.items() if k in ("INDEX", "OMP_NUM_THREADS")}), flush=True)
    if "import" in does:
        say(args.ready_fd, {"error": {"kind": "import", "message": "No module named 'nowhere'",
            "traceback": "  File \"tools.py\", line 1\n    import nowhere\nModuleNotFoundError: No module named 'nowhere'"}})
        return 1
    if "no_tools" in does:
        say(args.ready_fd, {"error": {"kind": "no_tools", "message": "declares no tool"}})
        return 1
    if "tail" in does:
        print("about to end", file=sys.stderr, flush=True)
    if "exit" in does:
        return 3
    if "garbage" in does:
        os.write(args.ready_fd, b"hello\n")
        time.sleep(60)
    if "hang" in does:
        time.sleep(60)
    if "fork" in does:
        # A grandchild that leaves the family: double fork and a session of its own, no mark in its environment.
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execve("/bin/sleep", ["sleep", "61"], {"PATH": "/bin"} if "bare" in does else os.environ)
            os._exit(0)
    if "stubborn" in does:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if "print" in does:
        print("hello from", args.worker_id, flush=True)
    if "flood" in does:
        for number in range(20000):
            print("x" * 1000, number)
        sys.stdout.flush()
    if "deaf" not in does:
        threading.Thread(target=watch_lifeline, args=(args.lifeline_fd,), daemon=True).start()

    path = args.listen.removeprefix("unix:")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    say(args.ready_fd, {"ready": {"address": "unix:" + path, "pid": os.getpid()}})
    if "crash" in does:
        os.kill(os.getpid(), signal.SIGSEGV)
    while True:
        time.sleep(1)


sys.exit(main())
