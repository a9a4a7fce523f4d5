"""Running a sync, with click or without: it is what hooks, editors and people run all day."""

from __future__ import annotations

import os
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final

from tt.cli.patience import patience
from tt.cli.screen import TOWN_DIR, Flags, answer
from tt.errors import ExitCode

if TYPE_CHECKING:
    from tt.core.report import SyncReport

DIRECTIONS: Final = ("push", "pull", "merge")
_JSON: Final = "--json"
_OPTIONS: Final = {"--dry-run": "dry_run", "--reset": "reset", "--force": "force"}


def understood(words: Sequence[str]) -> tuple[Flags, str, set[str], bool] | None:
    """Read the words after `tt sync` where they are plain, the way click would; else None."""
    directions = [word for word in words if word in DIRECTIONS]
    if len(directions) > 1 or any(
        word != _JSON and word not in _OPTIONS and word not in DIRECTIONS for word in words
    ):
        return None
    wanted = {_OPTIONS[word] for word in words if word in _OPTIONS}
    town = os.environ.get(TOWN_DIR) or "."
    return Flags(town, command="tt sync"), (directions or ["push"])[0], wanted, _JSON in words


def run_sync(flags: Flags, what: str, wanted: AbstractSet[str], as_json: bool) -> int:
    """Sync in the direction `what`; `wanted` holds dry_run, reset and force as far as given."""
    from tt.app.sync import Request, sync
    from tt.core.report import Direction

    request = Request(Direction(what), "reset" in wanted, "force" in wanted, "dry_run" in wanted)
    with patience("syncing"), flags.project() as project:
        report = sync(project.site, request)
    return show_sync(flags, report, as_json=as_json)


def show_sync(flags: Flags, report: SyncReport, *, as_json: bool) -> int:
    """Show a sync's report, and return the exit code that it asks for."""
    from tt.render.syncreport import sync_lines

    answer(flags, report, lambda look: sync_lines(report, look), as_json=as_json)
    return ExitCode.CONFLICTS if report.conflicts else ExitCode.DONE
