"""`tt graph`: what waits for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from tt.cli.complete import complete_filter
from tt.cli.options import json_option
from tt.cli.screen import Flags, examples, say, say_json, warn
from tt.errors import ExitCode, TTError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tt.bootstrap import Project
    from tt.core.model import Plan
    from tt.core.network import Network
    from tt.render.text import Look

_SHORT: Final = ("-o", "-h", "-")
_FORMATS: Final = ("text", "mermaid", "dot", "svg")

live_option = click.option(
    "--live", is_flag=True, help="Ask Redis how far everything is, instead of the file."
)


class _Filtered(click.Command):
    """A command with short options and a filter: `-status:failed` is no heap of short options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Say "not" by `!` before click looks at a word."""
        return super().parse_args(ctx, [_as_filter(word) for word in args])


def _as_filter(word: str) -> str:
    is_option = word in _SHORT or word.startswith("--") or not word.startswith("-")
    return word if is_option else f"!{word[1:]}"


@click.command(
    cls=_Filtered,
    context_settings={"ignore_unknown_options": True},
    epilog=examples(
        "tt graph                              each task below what it waits for",
        "tt graph --live -status:completed     what is left, as Redis has it",
        "tt graph --format mermaid             for Markdown",
        "tt graph --format svg -o plan.svg     a picture",
    ),
)
@click.argument(
    "words", nargs=-1, type=click.UNPROCESSED, metavar="[FILTER]…", shell_complete=complete_filter
)
@click.option(
    "--format", "kind", type=click.Choice(_FORMATS), default="text", show_default=True,
    help="How to draw it.",
)  # fmt: skip
@live_option
@click.option(
    "-o", "--output", metavar="FILE", default="", help="Write it there; `-` is standard output."
)
@json_option
@click.pass_obj
def graph(flags: Flags, /, words: tuple[str, ...], *, as_json: bool, **given: Any) -> int:
    """Draw what waits for what: dependencies, the stages before, and groups as boxes.

    The words are a filter, as in `tt plan`. Without --live it reads the plan's file alone.
    """
    from tt.core.network import network
    from tt.core.query import parse_query, select

    kind, output = given["kind"], given["output"]
    if as_json and (kind != "text" or output):
        raise UsageError("--json is a format of its own: give it alone.")
    query = parse_query(words)
    with flags.project() as project:
        plan, holders = plan_of(project, live=given["live"])
    found = network(plan, select(plan, query) if query else None, holders)
    if as_json:
        from tt.render.graphs import graph_data

        say_json(graph_data(found))
        return ExitCode.DONE
    to_file = output not in ("", "-")
    lines = _lines(found, kind, flags, to_file=to_file)
    if to_file:
        _write(output, lines)
    else:
        say(lines)
    return ExitCode.DONE


def plan_of(project: Project, *, live: bool) -> tuple[Plan, Mapping[str, str]]:
    """Return the plan, as the file has it or as Redis does, and who has which of its tasks.

    Raises TTError where there is none.
    """
    if not live:
        from tt.app.plan import read_plan

        return read_plan(project.plan_file), {}
    from tt.core.ledger import Ledger, no_tasks
    from tt.core.model import Plan
    from tt.podium import plan_order

    ledger = Ledger(project.workshop.board(), plan_order(project))
    if not ledger.tasks:
        raise no_tasks(project.town)
    holders = {
        job.task.id: holder.name
        for job in ledger.held.values()
        if job.tagged and (holder := ledger.holder(job)) is not None
    }
    return Plan(ledger.meta, ledger.tasks), holders


def _lines(found: Network, kind: str, flags: Flags, *, to_file: bool) -> Sequence[str]:
    if kind == "mermaid":
        from tt.render.graphs_mermaid import MOST_ARROWS, mermaid_lines

        if (arrows := len(found.arrows())) > MOST_ARROWS:
            most = f"Mermaid draws no more than {MOST_ARROWS} arrows by default"
            hint = "A filter makes them fewer; --format svg has no limit."
            warn([f"tt: {most}, and these are {arrows:,}.", f"    {hint}"])
        return mermaid_lines(found)
    if kind == "dot":
        from tt.render.graphs_dot import dot_lines

        return dot_lines(found)
    if kind == "svg":
        from tt.render.graphs_svg import svg_lines

        return svg_lines(found)
    from tt.render.graphs import graph_lines

    return graph_lines(found, _in_file(flags.look) if to_file else flags.look)


def _in_file(look: Look) -> Look:
    """Return how a text looks in a file: drawn, in no colours, as wide as it is."""
    return look._replace(color=False, symbols=True, width=0)


def _write(output: str, lines: Sequence[str]) -> None:
    from pathlib import Path

    from tt.adapters.configfile import replace_file

    path = Path(output)
    try:
        replace_file(path.resolve(), "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise TTError(f"{path} cannot be written: {error.strerror}.") from error
