"""What one says to agents that work: kill, close, interrupt, resume, wait, stop."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING, Final

import click

from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples
from tt.core.agents import GONE, AgentState
from tt.errors import ExitCode, TTError

if TYPE_CHECKING:
    from tt.bootstrap import Project
    from tt.core.agents import Agent
    from tt.workports import Workshop

_TERMINAL: Final = GONE | {AgentState.COLD}
_LONGEST: Final = 3600.0
_WORDS: Final = {
    AgentState.STOPPED: "🛑 Stopped",
    AgentState.COLD: "❄️  Cold",
    AgentState.ERROR: "❌ Error",
}


@click.command(epilog=examples("tt kill dev", "tt kill dev --now"))
@click.argument("agent")
@click.option("--now", is_flag=True, help="Stop the CLI that it runs, too; its task is pending.")
@json_option
@click.pass_obj
def kill(flags: Flags, /, agent: str, *, now: bool, as_json: bool) -> None:
    """Ask an agent to stop at the start of its next round.

    The CLI that it runs just now ends by itself before. What lies in its inbox stays there.
    """
    with flags.project() as project:
        found = _there(project, agent)
        _ask_to_stop(project.workshop, found, now=now)
    name = _name(found)
    when = "Its CLI is stopped." if now else "Agent will stop at the start of its next round."
    lines = [f"🛑 Requested stop for agent '{name}'", f"   {when}"]
    answer(flags, {"agent": found, "now": now}, lambda look: lines, as_json=as_json)


@click.command(epilog=examples("tt stop", "tt stop --now"))
@click.option("--now", is_flag=True, help="Stop the CLIs that they run, too.")
@json_option
@click.pass_obj
def stop(flags: Flags, /, *, now: bool, as_json: bool) -> None:
    """Ask all agents of this town to stop. Redis goes on, and so do other towns."""
    with flags.project() as project:
        shop, town = project.workshop, project.town
        found = [agent for agent in shop.agents().values() if agent.state not in GONE]
        for agent in found:
            _ask_to_stop(shop, agent, now=now)
    from tt.render.text import safe

    lines = [
        f"🛑 Requested graceful stop for {len(found)} agent(s) in town '{safe(town)}'",
        "   Agents will stop at the start of their next round.",
    ]
    if not found:
        lines = [f"No agent is at work in town '{safe(town)}'."]
    answer(flags, {"town": town, "agents": found, "now": now}, lambda look: lines, as_json=as_json)


@click.command(epilog=examples("tt close dev && tt wait dev"))
@click.argument("agent")
@json_option
@click.pass_obj
def close(flags: Flags, /, agent: str, *, as_json: bool) -> None:
    """Let an agent finish what it has begun, and stop: it takes nothing new."""
    with flags.project() as project:
        found = _there(project, agent)
        _set(project.workshop, found, AgentState.DRAINING, "closed")
    lines = [f"🔻 Closing agent '{_name(found)}' (draining current work, then stopping)"]
    answer(flags, {"agent": found}, lambda look: lines, as_json=as_json)


@click.command(epilog=examples("tt interrupt dev", 'tt send dev --urgent "…"', "tt resume dev"))
@click.argument("agent")
@json_option
@click.pass_obj
def interrupt(flags: Flags, /, agent: str, *, as_json: bool) -> None:
    """Let an agent pause: it ends the round that it is in, and takes nothing until `tt resume`."""
    with flags.project() as project:
        found = _there(project, agent)
        _set(project.workshop, found, AgentState.PAUSED, "interrupted")
    name = _name(found)
    lines = [
        f"⏸️  Interrupted agent '{name}'",
        f"   Agent is now paused. Use 'tt resume {name}' to continue.",
    ]
    answer(flags, {"agent": found}, lambda look: lines, as_json=as_json)


@click.command(epilog=examples("tt resume dev"))
@click.argument("agent")
@json_option
@click.pass_obj
def resume(flags: Flags, /, agent: str, *, as_json: bool) -> None:
    """Let an agent go on that was interrupted."""
    with flags.project() as project:
        found = _there(project, agent)
        if found.state is not AgentState.PAUSED:
            raise TTError(
                f"The agent {found.name} is {found.state}: only one that is paused is resumed.",
                f"`tt interrupt {found.name}` lets it pause.",
            )
        works = AgentState.WORKING if found.current_task else AgentState.IDLE
        project.workshop.set_state(found.uuid, works, "resumed", since=AgentState.PAUSED)
    lines = [f"▶️  Resumed agent '{_name(found)}'"]
    answer(flags, {"agent": found}, lambda look: lines, as_json=as_json)


@click.command(epilog=examples("tt wait dev", "tt wait dev --timeout 600"))
@click.argument("agent")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS",
              help="Wait no longer; by default there is no end.")  # fmt: skip
@json_option
@click.pass_obj
def wait(flags: Flags, /, agent: str, timeout: float | None, *, as_json: bool) -> int:
    """Wait until an agent has stopped. Ends with 1 where it has not in time, or is in error."""
    with flags.project() as project:
        from tt.app.naming import the_agent

        found = the_agent(project.workshop, agent)
        if not as_json:
            from tt.cli.screen import warn

            warn([f"⏳ Waiting for agent '{_name(found)}' to finish..."])
        ended = _wait(project, found, timeout)
    if ended is None:
        raise TTError(
            f"The agent {found.name} has not stopped within {timeout:g} seconds.",
            f"`tt kill {found.name}` asks it to stop.",
        )
    lines = [f"   Agent '{_name(found)}' reached state: {_WORDS[ended]}"]
    answer(flags, {"agent": found.uuid, "state": str(ended)}, lambda look: lines, as_json=as_json)
    return ExitCode.FAILED if ended is AgentState.ERROR else ExitCode.DONE


def _wait(project: Project, agent: Agent, timeout: float | None) -> AgentState | None:
    """Return the state that an agent ends in; None where it does not in time."""
    from tt.adapters.redis.earshot import Earshot

    deadline = time.monotonic() + timeout if timeout is not None else float("inf")
    ears = Earshot(
        agent.uuid,
        lambda: project.reach.listen(project.town, [f"agent:{agent.uuid}"]),
        lambda _: None,
    )
    try:
        while True:
            if ears.heard() and (state := _terminal(project.workshop, agent.uuid)) is not None:
                return state
            now = time.monotonic()
            if now >= deadline:
                return None
            until = min(ears.due, deadline, now + _LONGEST)
            select.select(ears.filenos, [], [], max(until - now, 0))
    finally:
        ears.close()


def _terminal(shop: Workshop, uuid: str) -> AgentState | None:
    """Return the state of an agent that is over; None where it is not."""
    found = shop.agent(uuid)
    if found is None:
        return AgentState.STOPPED  # somebody has removed it
    return found.state if found.state in _TERMINAL else None


def _there(project: Project, name: str) -> Agent:
    """Return an agent that is not gone. Raises TTError."""
    from tt.app.naming import the_agent

    found = the_agent(project.workshop, name)
    if found.state in GONE:
        raise TTError(
            f"The agent {found.name} is {found.state} already.",
            f"`tt restart {found.name}` lets it work again.",
        )
    return found


def _set(shop: Workshop, agent: Agent, state: AgentState, why: str) -> None:
    if not shop.set_state(agent.uuid, state, why):
        raise TTError(f"The agent {agent.name} has just stopped.")


def _ask_to_stop(shop: Workshop, agent: Agent, *, now: bool) -> None:
    """Raise the flag; with `now` also send word, which is read while its CLI runs."""
    shop.ask_to_stop(agent.uuid)
    if not now:
        return
    from tt.adapters.clock import SystemClock
    from tt.adapters.redis.identifiers import new_uuid
    from tt.core.agents import SUPERVISOR
    from tt.core.messages import Kind, Message, Priority
    from tt.core.times import zulu

    shop.send(
        Message(
            id=new_uuid(), sender=SUPERVISOR, to=agent.uuid, kind=Kind.SHUTDOWN,
            content={"now": True}, priority=Priority.URGENT,
            created_at=zulu(SystemClock().now_ns()),
        )
    )  # fmt: skip


def _name(agent: Agent) -> str:
    from tt.render.text import safe

    return safe(agent.name)
