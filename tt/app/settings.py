"""Changing a setting: which file it goes into, and that secrets go into none that Git may track."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tt.config.address import is_secret
from tt.config.keys import KEYS, Key, SettingValue, near_key, parse_text, wanted
from tt.errors import UsageError
from tt.record import record


@record
class Files:
    """The two files that hold settings, and how one is written.

    `may_track` says whether Git tracks a file, or would with the next `git add`. `write` takes a
    file, a dotted name, a value, and whether the file is private.
    """

    project: Path
    user: Path
    may_track: Callable[[Path], bool]
    write: Callable[[Path, str, SettingValue, bool], None]


def change(files: Files, name: str, text: str, *, for_project: bool) -> Path:
    """Set one setting from what was typed, and return the file that has it now.

    Raises UsageError for an unknown setting, a value that does not fit, and a secret that would go
    where Git could track it.
    """
    key = _key(name)
    value = parse_text(key, text)
    if value is None:
        raise UsageError(f"`{name}` must be {wanted(key)}.")
    if key.project and not for_project:
        raise UsageError(f"`{name}` belongs to the project, not to you.", "Add --project.")
    if is_secret(name, value):
        _keep_secret(files, name, for_project=for_project)
    path = files.project if for_project else files.user
    files.write(path, name, value, not for_project)
    return path


def _key(name: str) -> Key:
    key = KEYS.get(name)
    if key is not None:
        return key
    near = near_key(name)
    hint = f"Did you mean `{near}`?" if near else "`tt config` lists those that there are."
    raise UsageError(f"There is no setting `{name}`.", hint)


def _keep_secret(files: Files, name: str, *, for_project: bool) -> None:
    if for_project:
        raise UsageError(
            f"`{name}` has a password in it, and {files.project.name} is for Git to track.",
            f"Without --project it goes into {files.user}, which only you can read.",
        )
    if files.may_track(files.user):
        raise UsageError(
            f"`{name}` has a password in it, and Git may track {files.user}.",
            "Let Git ignore that file first, or set TT_REDIS_URL in the environment.",
        )
