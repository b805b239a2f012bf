"""What can be done with the variables of a session: generators of RPCs, run by the drivers of `operations`.

Values are judged by the bridge alone; what is known here of a variable's type only chooses the form that its value
is sent in. This file must never open a channel, block, or know of an event loop.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from snakepit import arrays, errors, values
from snakepit.cache import ABSENT
from snakepit.operations import MISSING, Operation, Scope
from snakepit.wire import bridge_pb2 as pb

#: The codes of refusals that may mean: the value was sent in another type's form.
_OTHER_FORM = ("E0302", "E0305")


def value_of(scope: Scope, variable: pb.Variable) -> Any:
    """The Python value of a variable."""
    value = values.unpack(variable.value, variable.binary_value)
    if scope.lists and variable.type == "embedding" and hasattr(value, "tolist"):
        return value.tolist()
    return value


# --- reading ----------------------------------------------------------------------------------------------------


def get(scope: Scope, name: str, default: Any = MISSING, bypass_cache: bool = False) -> Operation[Any]:
    """Reads a variable by name or id; `default` where there is none."""
    cache = scope.cache
    if cache is not None and not bypass_cache:
        kept = cache.get(name)
        if kept is not ABSENT:
            return kept
    mark = cache.mark() if cache is not None else 0
    request = pb.GetVariableRequest(session_id=scope.session_id, variable_identifier=name, bypass_cache=bypass_cache)
    try:
        reply = yield "GetVariable", request
    except errors.VariableNotFoundError:
        if default is MISSING:
            raise
        return default
    return _read(scope, mark, name, reply.variable, reply)


def _read(scope: Scope, mark: int, asked: str, variable: pb.Variable, reply: Any) -> Any:
    value = value_of(scope, variable)
    if scope.cache is not None:
        scope.cache.put(mark, asked, variable, value, reply, lambda: value_of(scope, variable))
    return value


def get_many(
    scope: Scope, names: Iterable[str], default: Any = MISSING, bypass_cache: bool = False
) -> Operation[dict[str, Any]]:
    """Reads many variables, those that are not kept at one revision; keyed by what was asked for, in that order."""
    asked = [str(name) for name in names]
    cache = scope.cache
    found: dict[str, Any] = dict.fromkeys(asked, ABSENT)
    if cache is not None and not bypass_cache:
        found = {name: cache.get(name) for name in found}
    wanted = [name for name, value in found.items() if value is ABSENT]
    if wanted:
        mark = cache.mark() if cache is not None else 0
        reply = yield (
            "GetVariables",
            pb.BatchGetVariablesRequest(
                session_id=scope.session_id, variable_identifiers=wanted, bypass_cache=bypass_cache
            ),
        )
        if reply.missing_variables and default is MISSING:
            raise _missing(scope, list(reply.missing_variables))
        for name, variable in reply.variables.items():
            found[name] = _read(scope, mark, name, variable, reply)
    return {name: default if value is ABSENT else value for name, value in found.items()}


def _missing(scope: Scope, names: list[str]) -> errors.VariableNotFoundError:
    quoted = ", ".join(f"`{name}`" for name in names)
    return errors.VariableNotFoundError(
        f"variable not found: {quoted} in session `{scope.session_id}`",
        code="E0201",
        hint="list what there is with list_variables(), or give a default",
        status="NOT_FOUND",
    )


def contains(scope: Scope, name: str) -> Operation[bool]:
    """Whether a variable exists."""
    return (yield from get(scope, name, ABSENT)) is not ABSENT


def list_variables(scope: Scope, pattern: str = "") -> Operation[list[dict[str, Any]]]:
    """Every variable that matches a glob (all when empty), by name."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        mark = scope.cache.mark() if scope.cache is not None else 0
        reply = yield (
            "ListVariables",
            pb.ListVariablesRequest(session_id=scope.session_id, pattern=pattern, page_token=token),
        )
        for variable in reply.variables:
            value = _read(scope, mark, variable.name, variable, reply)
            found.append(_described(variable, value))
        token = reply.next_page_token
        if not token:
            return found


def _described(variable: pb.Variable, value: Any) -> dict[str, Any]:
    return {
        "id": variable.id,
        "name": variable.name,
        "type": variable.type,
        "value": value,
        "version": max(variable.version64, variable.version),
        "constraints": json.loads(variable.constraints_json) if variable.constraints_json else {},
        "metadata": dict(variable.metadata),
        "optimizing": variable.optimization_status.optimizing,
    }


# --- writing ----------------------------------------------------------------------------------------------------


def set_value(
    scope: Scope,
    name: str,
    value: Any,
    *,
    expected_version: int | None = None,
    metadata: Mapping[str, str] | None = None,
    register: bool = True,
) -> Operation[int]:
    """Writes a variable and gives its new version. One that does not exist is registered when `register` says so."""
    request = pb.SetVariableRequest(session_id=scope.session_id, variable_identifier=name, metadata=_metadata(metadata))
    if expected_version is not None:
        request.expected_version64 = expected_version
    with _forgetting(scope, name):
        try:
            return (yield from _set_in_form(scope, request, value))
        except errors.VariableNotFoundError:
            if not register or expected_version is not None:
                raise
        made = yield from register_variable(scope, name, None, value, metadata=metadata, if_exists="keep")
        if not made.existed:
            return int(made.version64)
        # Somebody registered it between the two: the write is still to be done.
        return (yield from _set_in_form(scope, request, value))


def _set_in_form(scope: Scope, request: pb.SetVariableRequest, value: Any) -> Operation[int]:
    """Sends a write; where the form was another type's, asks for the type and sends it again."""
    name = request.variable_identifier
    _fill(request, _packed(scope, name, value))
    try:
        reply = yield "SetVariable", request
    except errors.ValidationError as refusal:
        if refusal.code not in _OTHER_FORM or not _has_forms(value):
            raise
        again = yield from _other_forms(scope, {name: value})
        if name not in again:
            raise
        _fill(request, again[name])
        reply = yield "SetVariable", request
    _changed(scope, name, revision=reply.revision)
    return int(reply.version64)


def _fill(request: pb.SetVariableRequest, packed: tuple[Any, bytes]) -> None:
    request.value.CopyFrom(packed[0])
    request.binary_value = packed[1]


def _has_forms(value: Any) -> bool:
    """Whether embeddings, tensors, lists and maps are sent this value in different forms."""
    return hasattr(value, "__array__") or isinstance(value, (list, tuple, Mapping))


def _packed(scope: Scope, name: str, value: Any) -> tuple[Any, bytes]:
    known = scope.cache.known_type(name) if scope.cache is not None else None
    if known is not None and _has_forms(value):
        try:
            return values.pack(value, known)
        except errors.ValidationError:
            pass  # the type may have changed since: the bridge judges
    return values.pack(value)


def _other_forms(scope: Scope, updates: Mapping[str, Any]) -> Operation[dict[str, tuple[Any, bytes]]]:
    """The values in the form that the types of their variables want, where that is another one."""
    reply = yield (
        "GetVariables",
        pb.BatchGetVariablesRequest(session_id=scope.session_id, variable_identifiers=list(updates)),
    )
    forms = {}
    for name, variable in reply.variables.items():
        if scope.cache is not None:
            scope.cache.note_type(name, variable.type)
        wants_list = variable.type == "list" and arrays.is_array(updates[name])
        if variable.type in arrays.ARRAY_TYPES or wants_list:
            try:
                forms[name] = values.pack(updates[name], variable.type)
            except errors.ValidationError:
                continue  # the bridge's refusal says more
    return forms


def set_many(
    scope: Scope,
    updates: Mapping[str, Any],
    *,
    atomic: bool = False,
    metadata: Mapping[str, str] | None = None,
    expected_versions: Mapping[str, int] | None = None,
) -> Operation[pb.BatchSetVariablesResponse]:
    """Writes many variables and gives the whole reply; refusals are in it."""
    items = {str(name): value for name, value in updates.items()}
    request = pb.BatchSetVariablesRequest(
        session_id=scope.session_id,
        atomic=atomic,
        metadata=_metadata(metadata),
        expected_versions=dict(expected_versions or {}),
    )
    with _forgetting(scope, *items):
        _fill_many(request, {name: _packed(scope, name, value) for name, value in items.items()})
        reply: pb.BatchSetVariablesResponse = yield "SetVariables", request
        wrong = [n for n, code in reply.error_codes.items() if code in _OTHER_FORM and _has_forms(items.get(n))]
        again = (yield from _other_forms(scope, {name: items[name] for name in wrong})) if wrong else {}
        if again:
            if not atomic:
                request.ClearField("updates")
                request.ClearField("binary_updates")
            _fill_many(request, again)
            second = yield "SetVariables", request
            reply = second if atomic else _merged(reply, second, again)
        _changed(scope, *items, revision=reply.revision)
    return reply


def _fill_many(request: pb.BatchSetVariablesRequest, packed: Mapping[str, tuple[Any, bytes]]) -> None:
    for name, (message, payload) in packed.items():
        request.updates[name].CopyFrom(message)
        request.binary_updates.pop(name, None)
        if payload:
            request.binary_updates[name] = payload


def _merged(first: Any, second: Any, retried: Iterable[str]) -> Any:
    """The reply of a batch whose refused items were sent again."""
    for name in retried:
        first.errors.pop(name, None)
        first.error_codes.pop(name, None)
    first.MergeFrom(second)
    return first


def type_name(var_type: Any) -> str | None:
    """The wire's word for a type that is given by name or as a `VariableType`; None stays None."""
    return None if var_type is None else str(getattr(var_type, "value", var_type)).lower()


def register_variable(
    scope: Scope,
    name: str,
    type_name: str | None,
    value: Any,
    *,
    constraints: Mapping[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
    if_exists: str = "fail",
) -> Operation[Any]:
    """Declares a variable and gives the whole reply. Without a type name the value's own type is taken."""
    chosen = type_name or _inferred(name, value)
    message, payload = values.pack(value, chosen)
    request = pb.RegisterVariableRequest(
        session_id=scope.session_id,
        name=name,
        type=chosen,
        initial_value=message,
        initial_binary_value=payload,
        constraints_json=values.to_json(dict(constraints)) if constraints else "",
        metadata=_metadata(metadata),
        if_exists=_if_exists(if_exists),
        type_inferred=type_name is None,
    )
    with _forgetting(scope, name):
        reply = yield "RegisterVariable", request
    if not reply.success:
        raise errors.ValidationError(reply.error_message)
    if scope.cache is not None:
        scope.cache.changed(name, reply.variable_id, revision=reply.revision)
        scope.cache.note_type(name, chosen)
    return reply


def _inferred(name: str, value: Any) -> str:
    kind = values.variable_type(value)
    if kind in ("null", "bytes"):
        raise errors.ValidationError(
            f"no type can be inferred for `{name}` from {value!r}", code="E0303", hint="name the type"
        )
    return kind


def _if_exists(word: str) -> Any:
    try:
        return pb.IfExists.Value(f"IF_EXISTS_{word.upper()}")
    except ValueError:
        raise errors.ValidationError(f"if_exists={word!r}: fail, keep, update or reset", code="E1104") from None


def delete(scope: Scope, name: str, force: bool = False) -> Operation[None]:
    """Deletes a variable."""
    request = pb.DeleteVariableRequest(session_id=scope.session_id, variable_identifier=name, force=force)
    with _forgetting(scope, name):
        reply = yield "DeleteVariable", request
    if scope.cache is not None:
        scope.cache.changed(name, revision=reply.revision, forget_type=True)


def _metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    return {"source": "python", **(metadata or {})}


def _changed(scope: Scope, *names: str, revision: int) -> None:
    if scope.cache is not None:
        scope.cache.changed(*names, revision=revision)


@contextmanager
def _forgetting(scope: Scope, *names: str) -> Iterator[None]:
    """Drops what is kept of variables whose write failed; all of it where the write may have been done."""
    try:
        yield
    except (errors.ValidationError, errors.ConflictError, errors.NotFoundError):
        _changed(scope, *names, revision=0)
        raise
    except BaseException:
        if scope.cache is not None:
            scope.cache.clear()
        raise
