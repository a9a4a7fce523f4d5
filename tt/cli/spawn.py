"""`tt spawn` and `tt restart`: agents begin to work."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from tt.cli.agentorders import Orders, logs_of, words_for
from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples, warn
from tt.errors import ExitCode, TTError, UsageError

if TYPE_CHECKING:
    from tt.bootstrap import Project
    from tt.core.agents import Agent

_LONGEST_NAME: Final = 64

_rounds_option = click.option(
    "--rounds", "--max-rounds", "rounds", type=click.IntRange(min=1), metavar="N",
    help="Stop after so many rounds; by default there is no end.",
)  # fmt: skip
_foreground_option = click.option(
    "--foreground", is_flag=True, help="Work in this terminal, and show what the CLI prints."
)
_timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
    help="How long a task may take that has no timeout of its own.",
)  # fmt: skip


_worktree_option = click.option(
    "--worktree/--no-worktree", default=None,
    help="Work in a Git worktree of its own; by default where it has one.",
)  # fmt: skip


@click.command(
    epilog=examples(
        "tt spawn architect --cli claude",
        "tt spawn tester --cli codex-mini --role tester",
        "tt spawn dev --rounds 5 --foreground",
    )
)
@click.argument("name")
@click.option("-c", "--cli", default="", metavar="CLI", help="The AI command line that it runs.")
@_rounds_option
@_foreground_option
@click.option("--role", default="", help="What it is for; tasks may ask for a role.")
@click.option("--nickname", default="", help="Another name for it.")
@click.option("--parent", default="", metavar="AGENT", help="The agent that it belongs to.")
@_timeout_option
@_worktree_option
@json_option
@click.pass_obj
def spawn(flags: Flags, /, name: str, *, foreground: bool, as_json: bool, **given: Any) -> int:
    """Start an agent: it waits for tasks, and runs an AI command line for each.

    It goes on in the background, without the terminal, until it is told to stop (`tt kill`). Its
    log is .tt/logs/NAME.log, and what the command line prints is beside it, round by round.
    """
    check_name(name)
    with flags.project() as project:
        if given["parent"]:
            from tt.app.naming import the_agent

            given["parent"] = the_agent(project.workshop, given["parent"]).uuid
        given["cli"] = _checked(project, given["cli"])
        orders = Orders(name=name, **_said(given, project, name))
        return _start(flags, project, orders, foreground=foreground, as_json=as_json)


@click.command(epilog=examples("tt restart dev", "tt restart dev --rounds 5"))
@click.argument("agent")
@_rounds_option
@_foreground_option
@_timeout_option
@_worktree_option
@json_option
@click.pass_obj
def restart(flags: Flags, /, agent: str, *, foreground: bool, as_json: bool, **given: Any) -> int:
    """Start an agent again that has stopped: the same one, with what lies in its inbox.

    An agent whose process is gone is buried first: what it held is pending again.
    """
    with flags.project() as project:
        found = _stopped(project, agent)
        check_name(found.name)
        cli = _checked(project, found.cli)
        orders = Orders(found.name, cli, found.uuid, **_said(given, project, found.name))
        return _start(flags, project, orders, foreground=foreground, as_json=as_json)


def _stopped(project: Project, name: str) -> Agent:
    """Return an agent that has stopped, or has just been found dead. Raises TTError."""
    from tt.adapters.lives import Vigil
    from tt.app.naming import the_agent
    from tt.core.agents import GONE

    shop = project.workshop
    found = the_agent(shop, name)
    if found.state in GONE:
        return found
    vigil = Vigil()
    try:
        why = vigil.dead([found]).get(found.uuid)
    finally:
        vigil.close()
    if why is None and found.is_ours and not found.alive and shop.may_judge(found.lease):
        why = f"it has shown no sign of life for {found.lease:g} seconds"
    if why is None:
        raise TTError(
            f"The agent {found.name} is {found.state}: only one that has stopped is started again.",
            f"`tt kill {found.name}` asks it to stop, `tt wait {found.name}` waits until it has.",
        )
    shop.bury(found.uuid, why)
    return found


def _said(given: dict[str, Any], project: Project, name: str) -> dict[str, Any]:
    """Return what was said of an agent, and its worktree where it works in one."""
    wanted = given.pop("worktree")
    said = {key: value for key, value in given.items() if value is not None}
    if wanted is False or (wanted is None and project.repository is None):
        return said
    from tt.app.isolating import provide

    trees = project.agent_trees
    tree = provide(trees, name).tree if wanted else trees.find(name)
    if tree is not None and not tree.missing:
        said |= {"worktree": tree.path, "branch": tree.branch}
    return said


def check_name(name: str) -> None:
    """Raise UsageError for a name that could not be a file's, or would be taken for an option."""
    fits = name[:1].isalnum() and all(char.isalnum() or char in "._-" for char in name)
    if not fits or len(name) > _LONGEST_NAME:
        raise UsageError(
            f"`{name}` cannot be an agent's name.",
            f"Use up to {_LONGEST_NAME} letters, digits and . _ - in it.",
        )


def _checked(project: Project, name: str) -> str:
    """Return a CLI's name once all that an agent needs is there. Raises TTError where it is not:
    before anything is made for it."""
    from tt.adapters.agentcli import find_program, prepare_logs
    from tt.config.clis import find_cli, prompt_template

    cli = find_cli(project.config, name)
    find_program(cli, {**os.environ, **cli.env}, project.config.root)
    prompt_template(project.config)
    prepare_logs(logs_of(project))
    return cli.name


def _start(
    flags: Flags, project: Project, orders: Orders, *, foreground: bool, as_json: bool
) -> int:
    """Start the agent, in the background or right here."""
    if foreground:
        from tt.record import replace

        return _work_here(flags, project, replace(orders, how="foreground"))
    return _work_behind(flags, project, orders, as_json=as_json)


def _work_here(flags: Flags, project: Project, orders: Orders) -> int:
    """Be the agent: this process becomes it, so that signals and exit code are its own."""
    from tt.adapters.background import own_command

    environment = {**os.environ, **_settings(flags, project)}
    root = project.config.root
    warn([f"Agent {orders.name} works here until Ctrl-C."])
    sys.stdout.flush()
    os.chdir(root)
    words = own_command(words_for(orders))
    os.execve(words[0], words, environment)  # noqa: S606  no shell is the point


def _work_behind(flags: Flags, project: Project, orders: Orders, *, as_json: bool) -> int:
    from tt.adapters.background import start
    from tt.app.naming import the_agent
    from tt.render.text import safe

    log = logs_of(project) / f"{orders.name}.log"
    begun = start(
        words_for(orders), _settings(flags, project), project.config.root, log,
        what=f"The agent {orders.name}",
    )  # fmt: skip
    agent = the_agent(project.workshop, orders.name)
    rounds = f"max {orders.rounds} rounds" if orders.rounds else "no limit of rounds"
    how = "Restarted" if orders.uuid else "Spawned"
    lines = [
        f"🤖 {how} agent '{safe(agent.name)}' using CLI '{safe(agent.cli)}'",
        f"   ID: {agent.uuid}",
        f"🔄 Working in the background: pid {agent.pid}, {rounds}",
        f"   Log: {safe(begun.log)}",
    ]
    lines += [f"   Worktree: {safe(orders.worktree)}"] if orders.worktree else []
    lines += [f"   Not at work yet: {safe(begun.problem)}"] if begun.problem else []
    data = {
        "agent": agent,
        "log": begun.log,
        "problem": begun.problem,
        "worktree": orders.worktree or None,
    }
    answer(flags, data, lambda look: lines, as_json=as_json)
    return ExitCode.DONE


def _settings(flags: Flags, project: Project) -> dict[str, str]:
    """Return what the agent must know and files do not say: it stays in this town, whatever branch
    is checked out later. It goes by the environment: `ps` shows others a command line."""
    from tt.config.keys import KEYS

    said = {KEYS[name].env[0]: text for name, text in flags.settings.items() if text}
    return {**said, "TT_NAME": project.town}
