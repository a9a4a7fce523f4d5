"""Making a directory a town: `tinytown.toml`, and a rule that keeps `.tt/` out of Git."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from tt.app.plan import TEMPLATE
from tt.config.keys import PROJECT_FILE
from tt.core.answers import Step
from tt.core.schema import SCHEMA_NAME, SCHEMA_TITLE, plan_schema
from tt.core.splice import additions
from tt.errors import TTError, UsageError
from tt.record import record

Replace: TypeAlias = Callable[[Path, bytes], None]
"""Writes a whole file at once or not at all."""

Parse: TypeAlias = Callable[[bytes, str], dict[str, object]]
"""Parses TOML; raises UsageError that names the file, line and column."""

_HEADER: Final = """\
# The town of this project: `tt config` shows every setting and where it comes from.
# Git tracks this file, so passwords do not belong here: they go into ~/.tt/config.toml.

"""
_ABOUT: Final = {
    "project": "Towns are named <project>-<branch>, the same in every clone.",
    "repo": "Whose plan this is: a town in Redis that another repository owns is refused.",
}
_IGNORED: Final = frozenset({b".tt", b".tt/", b"/.tt", b"/.tt/"})


@record
class Ground:
    """Where a town is to be, and with what it is made.

    `common_dir` is Git's common directory and `project` the repository's name, None without Git.
    `identity` returns what clones of this repository know it by.
    """

    root: Path
    common_dir: Path | None
    project: str | None
    identity: Callable[[], str]
    parse: Parse
    replace: Replace


def init(ground: Ground, name: str | None) -> tuple[Step, ...]:
    """Make `ground` a town that other clones recognise; done twice it is done once.

    Raises UsageError where `tinytown.toml` is broken or has another name already.
    """
    with _saying_what_failed(ground.root):
        return (_project_file(ground, name), _ignore(ground))


def begin_plan(root: Path, path: Path, replace: Replace) -> tuple[Step, ...]:
    """Write the template as the plan, and its schema beside it, where editors in any clone find it.

    Raises TTError where there is something already; a file without a word in it is nothing. A
    schema file that is not ours is left alone.
    """
    with _saying_what_failed(root):
        if path.is_symlink() or (path.exists() and path.read_bytes().strip()):
            raise TTError(
                f"There is a {path.name} already.", "`tt plan` shows it; nothing was written."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        schema = _schema(root, path.with_name(SCHEMA_NAME), replace)
        replace(path, TEMPLATE.encode())
        return (Step(str(path.relative_to(root)), "made", "a commented template"), schema)


def _schema(root: Path, path: Path, replace: Replace) -> Step:
    data = (json.dumps(plan_schema(), indent=2) + "\n").encode()
    name = str(path.relative_to(root))
    before = path.read_bytes() if path.exists() else None
    if before == data:
        return Step(name, "kept", "what editors know of the plan")
    if before is not None and SCHEMA_TITLE.encode() not in before:
        return Step(name, "kept", "it is not tt's; completion in editors will follow it")
    replace(path, data)
    return Step(name, "made" if before is None else "changed", "what editors know of the plan")


@contextmanager
def _saying_what_failed(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TTError(
            f"{error.filename or root} cannot be written: {error.strerror}.",
            "Nothing is half-written; run the command again when that is repaired.",
        ) from error


def _project_file(ground: Ground, name: str | None) -> Step:
    path = ground.root / PROJECT_FILE
    before = path.read_bytes() if path.exists() else None
    data = b"" if before is None else before
    wanted = _missing(ground, ground.parse(data, str(path)), path, name)
    if before is None:
        data = _new_file(wanted).encode()
    else:
        for setting in wanted:
            data = _with_setting(ground.parse, data, setting, str(path))
    if data == before:
        return Step(path.name, "kept", "is set up already")
    ground.replace(path.resolve(), data)
    keys = " and ".join(f"{table}.{key}".lstrip(".") for table, key, _ in wanted)
    return Step(path.name, "made" if before is None else "changed", f"sets {keys}")


def _missing(
    ground: Ground, document: dict[str, object], path: Path, name: str | None
) -> list[tuple[str, str, str]]:
    """List what the file lacks, as table, key and value."""
    taken = document.get("name")
    if name and taken not in (None, name):
        raise UsageError(
            f"{path} has the name `{taken}` already.", "To rename the town, edit it there."
        )
    wanted = [("", "name", name)] if name and taken is None else []
    sync = document.get("sync")
    known = sync if isinstance(sync, dict) else {}
    if ground.project is not None and not (name or taken or known.get("project")):
        wanted.append(("sync", "project", ground.project))
    if not known.get("repo"):
        wanted.append(("sync", "repo", ground.identity()))
    return wanted


def _new_file(settings: list[tuple[str, str, str]]) -> str:
    top = [f"{key} = {quoted(value)}\n" for table, key, value in settings if not table]
    sync = [
        f"# {_ABOUT[key]}\n{key} = {quoted(value)}\n" for table, key, value in settings if table
    ]
    return _HEADER + "".join(top) + ("\n" if top else "") + "[sync]\n" + "".join(sync)


def _with_setting(parse: Parse, data: bytes, setting: tuple[str, str, str], file: str) -> bytes:
    """Add one setting to a TOML file's content, no other byte touched, and prove it by parsing."""
    table, key, value = setting
    wanted = parse(data, file)
    inner = wanted.setdefault(table, {}) if table else wanted
    if isinstance(inner, dict) and not inner.get(key):
        inner[key] = value
        for text in additions(data.decode("utf-8"), table, key, quoted(value), _ABOUT.get(key, "")):
            if _means(parse, text.encode("utf-8"), wanted, file):
                return text.encode("utf-8")
    below = f" below `[{table}]`" if table else " at its top"
    raise UsageError(
        f"{file} is written in a way that `{key}` cannot be added to.",
        f"Add it by hand: `{key} = {quoted(value)}`{below}.",
    )


def _means(parse: Parse, data: bytes, wanted: dict[str, object], file: str) -> bool:
    try:
        return parse(data, file) == wanted
    except UsageError:
        return False


def quoted(text: str) -> str:
    """Return `text` as a TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def _ignore(ground: Ground) -> Step:
    """Keep `.tt/` out of Git; privately where `.gitignore` is a symlink: Git follows none."""
    if ground.common_dir is None:
        return _rule(ground, ".tt/.gitignore", b"*")
    if (ground.root / ".gitignore").is_symlink():
        return _rule(ground, str(ground.common_dir / "info" / "exclude"), b".tt/")
    return _rule(ground, ".gitignore", b".tt/")


def _rule(ground: Ground, name: str, rule: bytes) -> Step:
    path = ground.root / name
    before = path.read_bytes() if path.exists() else b""
    lines = {line.strip() for line in before.splitlines()}
    if rule in lines or (rule == b".tt/" and lines & _IGNORED):
        return Step(name, "kept", "ignores .tt/ already")
    end = b"\r\n" if b"\r\n" in before else b"\n"
    gap = b"" if not before or before.endswith(b"\n") else end
    path.parent.mkdir(parents=True, exist_ok=True)
    ground.replace(path, before + gap + rule + end)
    return Step(name, "changed" if before else "made", "ignores .tt/")
