"""Starts a worker: `python -u snakepit_boot.py SPEC --listen ... --ready-fd FD`.

The folder of this file holds the package. It goes to the end of the path, and the folders of SNAKEPIT_OVERLAY_PATH
(its dependencies, where they had to be brought along) after it, so that what the user installed wins.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def main() -> None:
    """Moves the package's folders to the end of the path and runs the worker."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.getcwd()) != _HERE or entry == ""]
    overlay = [entry for entry in os.environ.get("SNAKEPIT_OVERLAY_PATH", "").split(os.pathsep) if entry]
    sys.path += [_HERE, *overlay]
    # Both have to be in force before grpc is imported.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    from snakepit.worker import main as run

    run()


if __name__ == "__main__":
    main()
