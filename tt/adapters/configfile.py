"""Changing one setting in a configuration file: comments and the order of everything stay."""

from __future__ import annotations

import os
from pathlib import Path

from tt.config.files import parse
from tt.config.keys import SettingValue
from tt.errors import TTError, UsageError


def set_value(path: Path, dotted: str, value: SettingValue, private: bool) -> None:
    """Write one setting, by dotted name, into a file that need not exist yet.

    A `private` file is nobody else's to read (mode 0600, its directory 0700). Raises TTError where
    it cannot be written, UsageError where it is broken.
    """
    try:
        before = path.read_bytes() if path.exists() else b""
        parse(before, str(path))
        after = _changed(before.decode("utf-8-sig"), dotted, value)
        parse(after, str(path))
        if private:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(Path(os.path.realpath(path)), after, mode=0o600 if private else None)
    except OSError as error:
        raise TTError(f"{path} cannot be written: {error.strerror}.") from error


def _changed(text: str, dotted: str, value: SettingValue) -> bytes:
    import tomlkit
    from tomlkit.items import Table

    document = tomlkit.parse(text)
    plain = list(value) if isinstance(value, tuple) else value
    table, _, key = dotted.rpartition(".")
    if not table:
        document[key] = plain
    else:
        inner = document.setdefault(table, tomlkit.table())
        if not isinstance(inner, Table):
            raise UsageError(f"`{table}` is not written as a table `[{table}]`; edit it by hand.")
        inner[key] = plain
    return tomlkit.dumps(document).encode()


def replace_file(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write a whole file or nothing of it: beside it first, then in its place, synced to disk.

    It keeps the mode that it has; a new one gets `mode`, by default what the umask leaves of 0666.
    """
    beside = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    descriptor = os.open(
        beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            if mode is None and path.exists():
                os.fchmod(file.fileno(), path.stat().st_mode & 0o7777)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
