"""Agents and tasks as earlier tinytowns wrote them, one JSON text each, read as fields of a hash.

What comes out of Redis is untrusted: what cannot be kept to the last field is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NoReturn

_STATES: Final = {"in_flight": "running"}
"""Names of a task's state that tinytown reads and does not write."""


class BadTextError(ValueError):
    """A text that cannot be made a hash; the message says why."""


class _Number(str):
    """A number of JSON as its own digits: a large or an odd one stays what it was."""

    __slots__ = ()


def hash_fields(text: bytes, uuid: str, kind: str) -> dict[str, str]:
    """Return the fields of the hash that says what a text of this `kind` says.

    Texts are themselves, all else is JSON; what is null is absent. Raises BadTextError where that
    would not be all of it, or where it is not what the uuid of its key says.
    """
    fields = {name: _text(value) for name, value in _object(text).items() if value is not None}
    if fields.get("id") != uuid:
        raise BadTextError("its `id` is not the uuid of its key")
    if kind == "task" and fields.get("state") in _STATES:
        fields["state"] = _STATES[fields["state"]]
    return fields


def _object(text: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(
            text.decode(), object_pairs_hook=_unique, parse_constant=_refuse,
            parse_int=_Number, parse_float=_Number,
        )  # fmt: skip
        _json(found).encode()  # half a surrogate pair is text in JSON, and in no hash of ours
    except BadTextError:
        raise
    except (ValueError, RecursionError) as error:
        raise BadTextError("it is no JSON object") from error
    if not isinstance(found, dict):
        raise BadTextError("it is no JSON object")
    return found


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise BadTextError("it has a field twice")
    return made


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _text(value: object) -> str:
    return str(value) if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, list):
        return f"[{','.join(map(_json, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_json(name)}:{_json(item)}' for name, item in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)
