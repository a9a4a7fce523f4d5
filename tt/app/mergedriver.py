"""The merge driver in Git's configuration, and the line that gives it the plan."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tt.app.acts import Act, Do, act
from tt.app.hookplace import HookPlace
from tt.core.attributes import DRIVER, attribute_line, has_line, with_line, without_line
from tt.core.githooks import DriverState, driver_config, is_driver
from tt.errors import TTError

_FILE: Final = ".gitattributes"
_MERGE: Final = "merge.tt"
_UNSET: Final = "unspecified"


def driver_state(place: HookPlace) -> DriverState:
    """Say whether a merge of the plan would come to our driver."""
    return DriverState(is_installed(place), place.git.merge_attribute(place.plan))


def is_installed(place: HookPlace) -> bool:
    """Say whether `tt hooks install` was here, as far as one look at the configuration tells."""
    return is_driver(place.git.ours().get(f"{_MERGE}.driver"))


def put_driver(place: HookPlace) -> Act:
    """Write the driver into the repository's configuration."""
    ours, wanted = place.git.ours(), driver_config(place.program)
    missing = {key: value for key, value in wanted.items() if ours.get(key) != value}
    if not missing:
        return act(_MERGE, "kept", "the merge driver is in Git's configuration")

    def write() -> None:
        for key, value in missing.items():
            place.git.put(key, value)

    what = "the merge driver, in Git's configuration"
    if ours.keys() & missing.keys():
        return act(_MERGE, "changed", what, write)
    return act(_MERGE, "made", what, write)


def take_driver(place: HookPlace) -> Act | None:
    """Take it out again."""
    keys = [key for key in place.git.ours() if key in driver_config("")]
    if not keys:
        return None

    def unset() -> None:
        for key in keys:
            place.git.unset(key)

    return act(_MERGE, "removed", "the merge driver, from Git's configuration", unset)


def put_attribute(place: HookPlace) -> Act:
    """Write the line that gives the plan to the driver, where every clone gets it."""
    found, line = place.git.merge_attribute(place.plan), attribute_line(place.plan)
    if found == DRIVER:
        return act(_FILE, "kept", f"gives {place.plan} to the merge driver")
    path, shared = _attributes(place)
    before = _read(path)
    note = "Commit .gitattributes: with it each clone that runs `tt hooks install` merges alike."
    if found != _UNSET:
        note = (
            f"{place.plan} was merged by `{found}` until now; the last line decides, and is tt's."
        )
    return act(
        _FILE if shared else "info/attributes",
        "changed" if before is not None else "made",
        line,
        lambda: place.replace(path, with_line(before or b"", line)),
        note if shared or found != _UNSET else "",
    )


def _attributes(place: HookPlace) -> tuple[Path, bool]:
    """Return the file for the line, and whether clones get it: Git reads no symlink there."""
    path = place.top / _FILE
    if not path.is_symlink():
        return path, True
    return _private(place), False


def _private(place: HookPlace) -> Path:
    return place.git.default_directory.parent / "info" / "attributes"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TTError(f"{path} cannot be read: {error.strerror}.") from error


def take_attribute(place: HookPlace) -> list[Act]:
    """Take the line out where it is ours alone; what Git has of it belongs to the team."""
    line = attribute_line(place.plan)
    acts = []
    for name, path in ((_FILE, place.top / _FILE), ("info/attributes", _private(place))):
        data = _read(path)
        if data is None or path.is_symlink() or not has_line(data, line):
            continue
        versions = place.git.versions(path) if name == _FILE else []
        if any(has_line(version, line) for version in versions):
            acts.append(act(name, "kept", f"`{line}` stays: Git has it, and others may use it"))
            continue
        left = without_line(data, line)
        if left or versions:
            acts.append(act(name, "changed", f"no longer has `{line}`", _write(place, path, left)))
        else:
            acts.append(act(name, "removed", "had nothing but tt's line", path.unlink))
    return acts


def _write(place: HookPlace, path: Path, data: bytes) -> Do:
    return lambda: place.replace(path, data)
