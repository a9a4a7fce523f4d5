"""`tt save`, `restore`, `reset` and `start`: a town kept, put back, made empty, made ready."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples, say
from tt.errors import ExitCode

if TYPE_CHECKING:
    from tt.app.keeping import Shelf
    from tt.bootstrap import Project

_FOLDER: Final = Path(".tt") / "saves"


def shelf_of(project: Project) -> Shelf:
    """Return where saves of this directory's towns are kept: in `.tt/saves`, out of Git."""
    from tt.adapters.clock import SystemClock
    from tt.adapters.configfile import replace_file
    from tt.app.keeping import Shelf

    def write(path: Path, data: bytes) -> None:
        replace_file(path, data, mode=0o600)

    return Shelf(project.config.root / _FOLDER, write, SystemClock())


@click.command(epilog=examples("tt save", "tt save before-the-release.json"))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def save(flags: Flags, /, file: Path | None, *, as_json: bool) -> None:
    """Write the whole town into a file: tasks, agents, messages, events.

    Without FILE a new one in `.tt/saves`. It is JSON that nobody else may read.
    """
    from tt.app.keeping import save as write
    from tt.render.kept import saved_lines

    with flags.project() as project:
        found = write(project.workshop, shelf_of(project), file)
    answer(flags, found, lambda look: saved_lines(found, look), as_json=as_json)


@click.command(epilog=examples("tt restore", "tt restore before-the-release.json"))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Put it in the place of what is there, unasked.")
@json_option
@click.pass_obj
def restore(flags: Flags, /, file: Path | None, *, force: bool, as_json: bool) -> int:
    """Put a saved town back, by default the last one that was saved here.

    All of it or nothing. Where something is in the town it asks, and saves that first.
    """
    from tt.app.keeping import read
    from tt.app.keeping import restore as put_back
    from tt.render.kept import restored_lines
    from tt.render.text import safe

    with flags.project() as project:
        shelf = shelf_of(project)
        found = read(shelf, project.town, file)
        there = bool(project.workshop.dump())
        what = f"Replace what is in {safe(project.town)} by {safe(str(found[0]))}?"
        if there and not force and not confirmed(what):
            return _nothing(flags, "Nothing was restored.", as_json=as_json)
        done = put_back(project.workshop, shelf, found, replace=there)
        town = project.town
    answer(flags, done, lambda look: restored_lines(done, town, look), as_json=as_json)
    return ExitCode.DONE


@click.command(epilog=examples("tt reset", "tt reset --agents-only"))
@click.option("--force", is_flag=True, help="Do it without asking.")
@click.option("--agents-only", is_flag=True, help="Remove agents and inboxes; tasks stay.")
@json_option
@click.pass_obj
def reset(flags: Flags, /, *, force: bool, agents_only: bool, as_json: bool) -> int:
    """Empty this town in Redis, after it was saved in `.tt/saves`; it asks first.

    tasks.toml is not touched: the next `tt sync` brings the plan back, with the states that the
    file has. With --agents-only what agents held is pending again. Agents that are at work notice,
    and end.
    """
    from tt.app.keeping import reset as empty
    from tt.render.kept import cleared_lines
    from tt.render.text import count, safe

    with flags.project() as project:
        board, town = project.workshop.board(), project.town
        if not (board.agents if agents_only else project.workshop.dump()):
            what = "has no agents" if agents_only else "is empty"
            lines = [f"The town {safe(town)} {what}: there is nothing to remove."]
            answer(flags, {"done": False}, lambda look: lines, as_json=as_json)
            return ExitCode.DONE
        if not as_json:
            parts = [count(len(board.agents), "agent")]
            parts += [] if agents_only else [count(len(board.jobs), "task")]
            say([f"Resetting {safe(town)} in {safe(project.connection.address)}:",
                 f"    {' and '.join(parts)} would be removed"])  # fmt: skip
        if not force and not confirmed("Remove them from Redis?"):
            return _nothing(flags, "Nothing was removed.", as_json=as_json)
        done = empty(project.workshop, shelf_of(project), agents_only=agents_only)
    answer(flags, done, lambda look: cleared_lines(done, town, look), as_json=as_json)
    return ExitCode.DONE


@click.command(epilog=examples("tt start"))
@json_option
@click.pass_obj
def start(flags: Flags, /, *, as_json: bool) -> None:
    """See that Redis is there, the built-in one started if need be, and what is in the town.

    Commands do that by themselves; it goes on running when they end.
    """
    from tt.render.text import count, safe

    with flags.project() as project:
        board = project.workshop.board()
        town, address = project.town, project.connection.address
    agents, tasks = len(board.agents), len(board.jobs)
    lines = [
        f"🚀 {safe(town)} is at {safe(address)}: {count(agents, 'agent')}, {count(tasks, 'task')}"
    ]
    data = {"town": town, "address": address, "agents": agents, "tasks": tasks}
    answer(flags, data, lambda look: lines, as_json=as_json)


def confirmed(question: str) -> bool:
    """Ask, where there is somebody to ask."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    return click.confirm(question, err=True)


def _nothing(flags: Flags, what: str, *, as_json: bool) -> int:
    """Say that nothing was done, since nobody said that it is meant."""
    lines = [unmeant(what)]
    answer(flags, {"done": False}, lambda look: lines, as_json=as_json)
    return ExitCode.FAILED


def unmeant(what: str) -> str:
    """Return what was not done, and where nobody could be asked what says that it is meant."""
    asked = sys.stdin is not None and sys.stdin.isatty()
    return what if asked else f"{what} --force says that it is meant."
