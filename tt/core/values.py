"""Values of fields: TOML's types made strict, so that equality means "the same in the file".

A `Value` is `str | int | list | dict | Literal`. Booleans, floats, dates and times are kept as
`Literal`, the text that TOML writes for them: Python says `True == 1 == 1.0` and `nan != nan`,
and a merge that believed it would lose an edit. The JSON form is what Redis and the base hold.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from enum import Enum
from typing import Final, TypeAlias

from tt.record import record

_TAG: Final = "$toml"
# Patterns stay text: `re` compiles and keeps them when the first odd value comes along.
_JSON_FLOAT: Final = r"-?(?:0|[1-9]\d*)(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)"
_INT: Final = r"[+-]?(?:0|[1-9](?:_?[0-9])*)"
_DIGITS: Final = r"[0-9](?:_?[0-9])*"
_FLOAT: Final = rf"{_INT}(?:\.{_DIGITS}(?:[eE][+-]?{_DIGITS})?|[eE][+-]?{_DIGITS})|[+-]?(?:inf|nan)"
_TIME: Final = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DATETIME: Final = rf"{_DATE}[Tt ]{_TIME}(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
_CONSTANTS: Final = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}


@record
class Literal:
    """A TOML boolean, float, date or time, as its text: `true`, `1.50`, `nan`, `2026-01-31`."""

    text: str


Value: TypeAlias = "str | int | Literal | list[Value] | dict[str, Value]"


class Absent(Enum):
    """The type of `ABSENT`: no value, which is different from an empty one."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT
MaybeValue: TypeAlias = "Value | Absent"


UNDECIDED: Final = Literal("-nan")
"""A base value that equals no value: it keeps a disagreement alive until somebody decides it.

It is a NaN with a sign because the base is stored as values of plans are: TOML has this one, and
nobody writes it. It stays in the base: no side, change or report ever holds it.
"""


def from_toml(value: object) -> Value:
    """Turn a value of a parsed TOML document into a `Value`; floats may arrive as `Literal`."""
    if isinstance(value, str | Literal):
        return value
    if isinstance(value, bool):
        return Literal("true" if value else "false")
    if isinstance(value, int):
        return value
    if isinstance(value, list):
        return [from_toml(item) for item in value]
    if isinstance(value, dict):
        return {key: from_toml(item) for key, item in value.items()}
    if isinstance(value, float):
        return Literal(repr(value))
    if isinstance(value, datetime | date | time):
        return Literal(value.isoformat())
    raise TypeError(f"no TOML value: {value!r}")


def literal(text: str) -> Literal:
    """Make a `Literal` of text that came from outside; raises `ValueError` where it is none.

    Dates and times come out as reading a file gives them, so that writing the value into one and
    reading it back is no change; and no other text can get into a file by this door.
    """
    if text in ("true", "false") or re.fullmatch(_FLOAT, text):
        return Literal(text)
    if re.fullmatch(_DATETIME, text):
        return Literal(datetime.fromisoformat(text.upper()).isoformat())
    if re.fullmatch(_DATE, text):
        return Literal(date.fromisoformat(text).isoformat())
    if re.fullmatch(_TIME, text):
        return Literal(time.fromisoformat(text).isoformat())
    raise ValueError(f"no TOML boolean, number, date or time: {text[:60]!r}")


def _jsonable(value: Value) -> object:
    if isinstance(value, Literal):
        return {_TAG: value.text} if value.text not in ("true", "false") else value.text == "true"
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if isinstance(value, dict):
        plain = {key: _jsonable(item) for key, item in value.items()}
        return {_TAG: list(plain.items())} if _TAG in plain else plain
    return value


def dump(value: Value) -> str:
    """Write a value as compact JSON text; `load(dump(v)) == v` for every value.

    Booleans and floats in JSON's own spelling are JSON's; what JSON has no type for is
    `{"$toml": "<its TOML text>"}`.
    """
    import json  # few plans hold a value that needs it

    if isinstance(value, Literal) and re.fullmatch(_JSON_FLOAT, value.text):
        return value.text
    return json.dumps(_jsonable(value), ensure_ascii=False, separators=(",", ":"))


def _tagged(pairs: list[tuple[str, object]]) -> object:
    made = dict(pairs)
    if len(made) == 1 and _TAG in made:
        return _untagged(made[_TAG])
    return made


def _untagged(inner: object) -> object:
    if isinstance(inner, str):
        return literal(inner)
    if isinstance(inner, list):
        return {str(key): value for key, value in inner}
    raise ValueError(f"`{_TAG}` must hold text or a list of pairs")


def load(text: str) -> Value:
    """Read what `dump` wrote; raises `ValueError` for anything that is no `Value`."""
    import json  # few plans hold a value that needs it

    try:
        made = json.loads(
            text,
            object_pairs_hook=_tagged,
            parse_float=Literal,
            parse_constant=lambda name: Literal(_CONSTANTS[name]),
        )
        value = from_toml(made)
        if "\\u" in text:
            dump(value).encode()  # half a surrogate pair is text in JSON, and in no file
    except (TypeError, RecursionError) as error:
        raise ValueError(f"not a value of a plan: {error}") from error
    return value


def plain(value: MaybeValue) -> object:
    """Turn a value into plain JSON-ready data for people and programs; ABSENT becomes None."""
    if value is ABSENT:
        return None
    if isinstance(value, Literal):
        return value.text == "true" if value.text in ("true", "false") else value.text
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
