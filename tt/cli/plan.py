"""`tt plan`, `tt prime` and `tt schema`: the plan for people, for agents and for editors."""

from __future__ import annotations

import click

from tt.cli.complete import complete_filter
from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples, say, say_json


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog=examples(
        "tt plan --init                     begin a plan",
        "tt plan                            everything",
        "tt plan status:pending,running     either of the two",
        "tt plan tag:backend -agent:dev     with this tag, and not dev's",
        "tt plan login                      `login` in the id or the description",
    ),
)
@click.argument(
    "words", nargs=-1, type=click.UNPROCESSED, metavar="[FILTER]…", shell_complete=complete_filter
)
@click.option("--init", "begin", is_flag=True, help="Begin a plan: a commented tasks.toml.")
@json_option
@click.pass_obj
def plan(flags: Flags, words: tuple[str, ...], *, begin: bool, as_json: bool) -> None:
    """Show the plan as a tree, or begin one with --init.

    A filter is words: `key:value` for status, tag, agent, parent, id and text. Several words all
    have to fit; a comma means "or", a leading `-` (or `!`) "not". `agent:` alone finds tasks
    without an agent; * and ? stand for anything.
    """
    if begin:
        _begin(flags)
        return
    from tt.app.plan import view
    from tt.render.tree import plan_data, plan_lines

    with flags.project() as project:
        found = view(project.plan_file, words)
    if as_json:
        say_json(plan_data(found))
    else:
        say(plan_lines(found, flags.look))


def _begin(flags: Flags) -> None:
    from tt.adapters.configfile import replace_file
    from tt.app.setup import begin_plan
    from tt.render.steps import step_lines

    with flags.project() as project:
        steps = begin_plan(project.config.root, project.config.plan_path, replace_file)
    say(step_lines(steps, flags.look))
    say(["Write your tasks into it, then `tt sync`. Commit both files."])


@click.command(epilog=examples("tt prime", "tt prime >> AGENTS.md"))
@json_option
@click.pass_obj
def prime(flags: Flags, *, as_json: bool) -> None:
    """Tell an AI agent on one page how to work with this plan."""
    from tt.app.plan import brief
    from tt.render.prime import prime_lines

    with flags.project() as project:
        briefing = brief(project.plan_file)
    answer(flags, briefing, lambda look: prime_lines(briefing), as_json=as_json)


@click.command(epilog=examples("tt schema > tasks.schema.json"))
def schema() -> None:
    """Print the JSON Schema of tasks.toml, for editors.

    A first line `#:schema ./tasks.schema.json` in the plan gives completion and errors in editors
    that know Tombi or Taplo. `tt plan --init` writes both files.
    """
    import json

    from tt.core.schema import plan_schema

    say([json.dumps(plan_schema(), indent=2)])
