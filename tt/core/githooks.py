"""What `tt` writes into Git's configuration, and what there is to say about the hooks."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from tt.core.answers import Step
from tt.core.attributes import DRIVER
from tt.core.shim import EVENTS
from tt.record import record

CONFIG_HOOKS_SINCE: Final = (2, 54)
"""The version of Git from which on it runs hooks that are in its configuration."""

DRIVER_NAME: Final = "tt: a plan by task and field"

Scope = Literal["repository", "worktree", "tracked", "shared", "none"]
"""Whose the hooks' directory is: the repository's, a worktree's that Git ignores, one that Git
tracks, one that the user's other repositories share; `none` where Git's hooks are switched off."""

How = Literal["file", "config", "stale", "foreign", "not installed"]
"""How Git comes to our hook: `stale` is one that another version of `tt` wrote."""

_COMMAND: Final = (
    "d=${GIT_DIR:-.git} c=; "
    '[ ! -f "$d" ] || read -r _ d <"$d"; '
    '[ ! -f "$d/commondir" ] || read -r c <"$d/commondir"; '
    "case $c in /*) d=$c ;; ?*) d=$d/$c ;; esac; "
    'tt_by_config=1; [ ! -f "$d/tt/hooks/EVENT" ] || . "$d/tt/hooks/EVENT"'
)
_DRIVER: Final = (
    'for tt in PROGRAM "$(command -v tt)" "$HOME/.local/bin/tt" /usr/local/bin/tt'
    ' /opt/homebrew/bin/tt; do if [ -x "$tt" ]; then "$tt" merge-driver %O %A %B %P %L;'
    " c=$?; case $c in 0|129|13?|14?) exit $c ;; 1) grep -q '<<<' %A && exit 1 ;; esac; fi; done;"
    " git merge-file -L ours -L base -L theirs --marker-size=%L %A %O %B"
)


def hook_name(event: str) -> str:
    """Return what our hook for an event is called in Git's configuration."""
    return f"{DRIVER}-{event}"


def hook_command(event: str) -> str:
    """Return the command of a hook in the configuration: it reads the script in Git's directory.

    It has no path in it, so that it goes on working when the repository moves, and it is silent
    where the script is gone. Git appends the hook's arguments.
    """
    return _COMMAND.replace("EVENT", event)


def config_hooks() -> dict[str, str]:
    """Return every key that our hooks have in the configuration."""
    keys = {f"hook.{hook_name(event)}.event": event for event in EVENTS}
    return keys | {f"hook.{hook_name(event)}.command": hook_command(event) for event in EVENTS}


def driver_config(program: str) -> dict[str, str]:
    """Return the configuration of the merge driver, with `tt` at `program` if it is not empty.

    Where there is no `tt`, or none that knows how, Git's own merge serves: of a driver that cannot
    be started Git keeps our side without a word.
    """
    word = "'" + program.replace("'", "'\\''").replace("%", "%%") + "'"
    return {
        f"merge.{DRIVER}.name": DRIVER_NAME,
        f"merge.{DRIVER}.driver": _DRIVER.replace("PROGRAM ", f"{word} " if program else ""),
    }


def is_driver(value: str | None) -> bool:
    """Say whether the configured command is that of this version, wherever it has `tt`."""
    before, after = _DRIVER.split("PROGRAM ")
    return value is not None and value.startswith(before) and value.endswith(after)


@record
class HookState:
    """One event. `reached` is proven by a run; `note` says why it is not, or what is odd.

    `chained` names what runs before our part in the same file.
    """

    event: str
    how: How
    reached: bool
    chained: str = ""
    note: str = ""


@record
class DriverState:
    """The merge driver: whether it is configured, and the plan's `merge` attribute."""

    configured: bool
    attribute: str

    @property
    def ok(self) -> bool:
        """Say whether a merge of the plan comes to it."""
        return self.configured and self.attribute == DRIVER


@record
class HooksReport:
    """What Git does of ours in a worktree; `directory` is where it looks for hooks."""

    directory: Path
    scope: Scope
    hooks: tuple[HookState, ...]
    driver: DriverState

    @property
    def ok(self) -> bool:
        """Say whether everything is reached."""
        return self.driver.ok and all(hook.reached for hook in self.hooks)


@record
class Installation:
    """What an installation or its opposite did, or would do."""

    directory: Path
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    dry_run: bool
