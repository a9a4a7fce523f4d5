"""`tt check`: what is wrong in a plan, without Redis; for people, editors and CI."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tt.bootstrap import count_tasks, shown
from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples
from tt.errors import ExitCode
from tt.record import as_dict

if TYPE_CHECKING:
    from tt.core.answers import Checked
    from tt.render.text import Look


@click.command(
    epilog=examples(
        "tt check                    the plan of this directory",
        "tt check a.toml b.toml      any files",
        "tt check --json             for editors and CI",
    )
)
@click.argument("files", nargs=-1, type=click.Path(), metavar="[FILE]…")
@click.option(
    "--plans-only", is_flag=True, help="Pass over files that are no plans; for hooks and CI."
)
@json_option
@click.pass_obj
def check(flags: Flags, files: tuple[str, ...], *, plans_only: bool, as_json: bool) -> int:
    """Say what is wrong in a plan, with line and column; needs no Redis.

    Exit code 5 when something is wrong. Wrong are: TOML errors, conflict markers, doubled ids,
    unknown states, parents and dependencies, circles, and values of the wrong type.

    With --plans-only, other tools' files of the same name are passed over; this project's own plan
    never is.
    """
    from tt.app.check import check as check_all

    paths, only = [Path(file) for file in files], None
    if plans_only or not files:  # files that are named need neither Git nor settings
        with flags.project() as project:
            own = project.config.plan_path
        paths, only = paths or [own], own if plans_only else None
    found = check_all([(path, shown(path)) for path in paths], count_tasks, only=only)
    answer(flags, _data(found), lambda look: _lines(found, look), as_json=as_json)
    return ExitCode.PLAN if any(file.problems for file in found) else ExitCode.DONE


def _data(found: Sequence[Checked]) -> dict[str, object]:
    problems = [{"file": one.file, **as_dict(problem)} for one in found for problem in one.problems]
    return {"files": [one.file for one in found], "problems": problems}


def _lines(found: Sequence[Checked], look: Look) -> list[str]:
    from tt.render.problems import check_summary, problem_lines

    lines: list[str] = []
    for one in found:
        lines += problem_lines(one.file, one.source, one.problems, look)
    problems = sum(len(one.problems) for one in found)
    broken = sum(bool(one.problems) for one in found)
    return [*lines, check_summary(problems, len(found), broken, sum(one.tasks for one in found))]
