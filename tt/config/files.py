"""Reading `tinytown.toml` and the user's `config.toml`: flat settings, and what looks mistyped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tt.config.keys import KEYS, OUR_TABLES, TINYTOWN_KEYS, SettingValue, fits, near_key, wanted
from tt.errors import UsageError


class Layer(NamedTuple):
    """The settings of one file by dotted name, and a warning for each key nobody reads."""

    values: Mapping[str, SettingValue]
    warnings: tuple[str, ...] = ()


def read_file(path: Path, *, project: bool) -> Layer | None:
    """Read one configuration file; None where there is none. Raises UsageError where it is broken.

    What only a project may set is passed over, with a warning, in a file that is the user's.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    return read_layer(data, str(path), project=project)


def read_layer(data: bytes, name: str, *, project: bool) -> Layer:
    """Read the settings of a configuration file's content."""
    values: dict[str, SettingValue] = {}
    warnings: list[str] = []
    for dotted, value in _flat(parse(data, name), name):
        key = KEYS.get(dotted)
        if key is None:
            warnings += _unknown(dotted, name)
        elif key.project and not project:
            warnings.append(
                f"{name}: `{dotted}` belongs in a project's tinytown.toml; it is not used here."
            )
        else:
            fitting = fits(key, value)
            if fitting is None:
                raise UsageError(f"{name}{_line(data, dotted)}: `{dotted}` must be {wanted(key)}.")
            values[dotted] = fitting
    return Layer(values, tuple(warnings))


def parse(data: bytes, name: str) -> dict[str, object]:
    """Parse TOML; raises UsageError that names file, line and column."""
    import tomli

    try:
        return tomli.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}:{line}: this is not UTF-8 text.") from error
    except tomli.TOMLDecodeError as error:
        # tomli's message may quote the broken line, and with it a password: only the place is said.
        place = f"{error.lineno}:{error.colno}"
        raise UsageError(
            f"{name}:{place}: this is not valid TOML.", "Correct the line, then try again."
        ) from error


def _flat(document: Mapping[str, object], name: str) -> Iterator[tuple[str, object]]:
    tables = OUR_TABLES | {"redis"}
    for key, value in document.items():
        if key not in tables:
            yield key, value
        elif isinstance(value, dict):
            yield from ((f"{key}.{inner}", item) for inner, item in value.items())
        else:
            raise UsageError(f"{name}: `{key}` must be a table: `[{key}]`.")


def _unknown(dotted: str, name: str) -> list[str]:
    """Warn of a key nobody reads; of what may be tinytown's only where a known key is near."""
    if dotted in TINYTOWN_KEYS:
        return []
    near = near_key(dotted)
    if near is not None:
        return [f"{name}: unknown setting `{dotted}`; did you mean `{near}`?"]
    return (
        [f"{name}: unknown setting `{dotted}`."] if dotted.partition(".")[0] in OUR_TABLES else []
    )


def _line(data: bytes, dotted: str) -> str:
    """Return `:LINE` of the setting where its last word is set on exactly one line."""
    word = re.escape(dotted.rpartition(".")[2].encode())
    found = list(re.finditer(rb"^[ \t]*(?:[\w-]+\.)?" + word + rb"[ \t]*=", data, re.MULTILINE))
    if len(found) != 1:
        return ""
    line = data.count(b"\n", 0, found[0].start()) + 1
    return f":{line}"
