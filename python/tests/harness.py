"""A worker process as a supervisor starts it, and a double of the bridge until a real one is named in SNAKEPIT_BIN."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from concurrent import futures
from pathlib import Path

import grpc

from snakepit import channel, errors, values
from snakepit.wire import admin_pb2, rpc
from snakepit.wire import bridge_pb2 as pb

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).resolve().parent / "data"


class Worker:
    """A worker process, its ready line, and a stub to it."""

    def __init__(self, spec, *, concurrent=16, listen=None, bridge="unix:/nonexistent/bridge.sock", cwd=None):
        self.folder = tempfile.TemporaryDirectory()
        ready_read, ready_write = os.pipe()
        life_read, self.lifeline = os.pipe()
        self.output = open(Path(self.folder.name) / "output", "w+")
        command = [sys.executable, "-u", str(ROOT / "snakepit_boot.py"), str(spec), "--worker-id", "w1"]
        command += ["--listen", listen or f"unix:{self.folder.name}/w.sock", "--max-concurrent", str(concurrent)]
        command += ["--ready-fd", str(ready_write), "--lifeline-fd", str(life_read)]
        self.process = subprocess.Popen(
            command,
            pass_fds=[ready_write, life_read],
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            env={**os.environ, "SNAKEPIT_ADDRESS": bridge, "SNAKEPIT_WORKER_ID": "w1"},
            cwd=cwd,
        )
        os.close(ready_write)
        os.close(life_read)
        with os.fdopen(ready_read) as ready:
            lines = ready.read().splitlines()
        assert len(lines) <= 1, lines
        self.line = json.loads(lines[0]) if lines else None
        self.address = self.line["ready"]["address"] if self.line and "ready" in self.line else None
        if self.address:
            self.channel = channel.open_channel(self.address)
            self.stub = rpc.BridgeServiceStub(self.channel)

    def printed(self):
        """What it wrote to stdout and stderr."""
        return Path(self.output.name).read_text()

    def close(self):
        """Ends it at once."""
        os.close(self.lifeline)
        try:
            self.process.wait(5)
        finally:
            self.process.kill()
            self.output.close()
            self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def request(tool, /, session="s1", call_id="", binary=None, depth=0, **arguments):
    """A call's request."""
    return pb.ExecuteToolRequest(
        session_id=session,
        tool_name=tool,
        call_id=call_id,
        depth=depth,
        parameters={name: values.encode(value) for name, value in arguments.items()},
        binary_parameters=binary or {},
    )


def abort(context, status, code, text, **metadata):
    """Ends an RPC as the bridge does: a status with our ErrorInfo."""
    info = errors._ErrorInfo(reason=code, domain="snakepit", metadata={"message": text, **metadata})
    detail = errors._Status(code=status.value[0], message=text)
    entry = detail.details.add(type_url="type.googleapis.com/google.rpc.ErrorInfo")
    entry.value = info.SerializeToString()
    context.set_trailing_metadata((("grpc-status-details-bin", detail.SerializeToString()),))
    context.abort(status, text)


class BridgeDouble:
    """The few state RPCs that tools need, over dicts, and tool calls passed on to one worker.

    A stand-in for tests of the Python side only: no revisions, no watches, no checks beyond min and max.
    """

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.address = f"unix:{self.folder.name}/bridge.sock"
        self.worker = None
        self.variables = {}
        self.seen = []
        self.lock = threading.Lock()
        self.server = grpc.server(futures.ThreadPoolExecutor(64))
        names = [name for name in dir(self) if name[0].isupper()]
        handler = rpc.generic_handler("snakepit.bridge.BridgeService", {name: getattr(self, name) for name in names})
        self.server.add_generic_rpc_handlers((handler,))
        self.server.add_insecure_port(self.address)
        self.server.start()

    def close(self):
        self.server.stop(0)
        self.folder.cleanup()

    def note(self, method, request, context):
        header = dict(context.invocation_metadata())
        self.seen.append((method, request, header.get("snakepit-worker-id")))

    def find(self, request, context):
        variable = self.variables.get((request.session_id, request.variable_identifier))
        if variable is None:
            text = f"variable not found: `{request.variable_identifier}`"
            abort(context, grpc.StatusCode.NOT_FOUND, "E0201", text)
        return variable

    def InitializeSession(self, request, context):
        self.note("InitializeSession", request, context)
        return pb.InitializeSessionResponse(success=True, created=True)

    def GetVariable(self, request, context):
        self.note("GetVariable", request, context)
        return pb.GetVariableResponse(variable=self.find(request, context))

    def SetVariable(self, request, context):
        self.note("SetVariable", request, context)
        variable = self.find(request, context)
        limits = json.loads(variable.constraints_json or "{}")
        value = values.decode(request.value)
        if "max" in limits and value > limits["max"]:
            text = f"value out of range for `{variable.name}`"
            why = f"{value} is above maximum {limits['max']}"
            abort(context, grpc.StatusCode.INVALID_ARGUMENT, "E0301", text, details=why, hints="choose less")
        if request.HasField("expected_version64") and request.expected_version64 != variable.version64:
            abort(context, grpc.StatusCode.ABORTED, "E0401", "version_mismatch")
        variable.value.CopyFrom(request.value)
        variable.version64 += 1
        return pb.SetVariableResponse(success=True, version64=variable.version64)

    def RegisterVariable(self, request, context):
        self.note("RegisterVariable", request, context)
        key = (request.session_id, request.name)
        with self.lock:
            old = self.variables.get(key)
            if old is not None and request.if_exists == pb.IF_EXISTS_FAIL:
                abort(context, grpc.StatusCode.ALREADY_EXISTS, "E0202", "variable already exists")
            if old is None:
                old = self.variables[key] = pb.Variable(
                    id=f"var_{request.name}_1",
                    name=request.name,
                    type=request.type,
                    value=request.initial_value,
                    constraints_json=request.constraints_json,
                )
                return pb.RegisterVariableResponse(success=True, variable_id=old.id)
        return pb.RegisterVariableResponse(success=True, variable_id=old.id, existed=True)

    def ListVariables(self, request, context):
        # Two to a page, so that paging is exercised.
        own = [v for (session, _), v in sorted(self.variables.items()) if session == request.session_id]
        start = int(request.page_token or 0)
        token = str(start + 2) if start + 2 < len(own) else ""
        return pb.ListVariablesResponse(variables=own[start : start + 2], next_page_token=token)

    def DeleteVariable(self, request, context):
        self.find(request, context)
        del self.variables[request.session_id, request.variable_identifier]
        return pb.DeleteVariableResponse(success=True)

    def GetExposedElixirTools(self, request, context):
        return pb.GetExposedElixirToolsResponse(tools=[pb.ToolSpec(name="shout", kind="host")])

    def ExecuteElixirTool(self, request, context):
        self.note("ExecuteElixirTool", request, context)
        text = values.decode(request.parameters["text"])
        return pb.ExecuteElixirToolResponse(success=True, result=values.encode(text.upper()))

    def ExecuteTool(self, request, context):
        self.note("ExecuteTool", request, context)
        if request.tool_name in ("count", "mixed_values"):
            abort(context, grpc.StatusCode.FAILED_PRECONDITION, "E0605", "tool streams")
        forwarded = self.worker.stub.ExecuteTool.future(request)
        context.add_callback(forwarded.cancel)
        try:
            return forwarded.result()
        except grpc.FutureCancelledError:
            context.abort(grpc.StatusCode.CANCELLED, "the caller went away")
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())

    def ExecuteStreamingTool(self, request, context):
        self.note("ExecuteStreamingTool", request, context)
        yield from self.worker.stub.ExecuteStreamingTool(request)


class Bridge:
    """A bridge of the binary that SNAKEPIT_BIN names, with nothing attached."""

    def __init__(self, address=None):
        self.folder = tempfile.TemporaryDirectory()
        self.address = address or f"unix:{self.folder.name}/bridge.sock"
        read, write = os.pipe()
        command = [os.environ["SNAKEPIT_BIN"], "serve", "--socket", self.address[5:], "--ready-fd", str(write)]
        self.output = open(Path(self.folder.name) / "output", "w+")
        self.process = subprocess.Popen(
            command, pass_fds=[write], stdout=self.output, stderr=self.output, cwd=self.folder.name
        )
        os.close(write)
        with os.fdopen(read) as ready:
            assert ready.readline(), Path(self.output.name).read_text()

    def close(self):
        self.process.terminate()
        self.process.wait(15)
        self.output.close()
        self.folder.cleanup()


class RealBridge(Bridge):
    """A bridge, and a worker that is registered there as a supervisor does."""

    def __init__(self, spec, concurrent=16):
        super().__init__()
        self.worker = Worker(spec, bridge=self.address, concurrent=concurrent)
        stub = rpc.AdminServiceStub(channel.open_channel(self.address))
        self.lease = stub.RegisterWorker(
            admin_pb2.RegisterWorkerRequest(
                worker_id="w1", incarnation=1, address=self.worker.address, pid=self.worker.process.pid
            )
        )
        assert next(self.lease).accepted.worker_id == "w1"

    def close(self):
        self.lease.cancel()
        self.worker.close()
        super().close()
