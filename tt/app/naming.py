"""Tasks and agents by whatever people call them: the one place that finds out which are meant.

A task is called by its plan id, its uuid, or the beginning of a uuid; an agent by its name, its
nickname, its uuid or the beginning of that. What is the whole name of one is never taken for the
beginning of another's, and the beginning of a plan id is no name: `test` must not mean `test-2`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NoReturn, TypeVar

from tt.core.agents import GONE, SUPERVISOR, Agent
from tt.core.ids import task_uuid
from tt.core.jobs import Board, Job
from tt.core.myself import Myself
from tt.errors import TTError, UsageError
from tt.workports import Workshop

_PLAN_ID: Final = re.compile(r"[\w./-]+")
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_START: Final = re.compile(r"[0-9a-f]{4}[0-9a-f-]{0,32}")
"""The least of a uuid that can stand for it."""
_SUPERVISORS: Final = ("supervisor", "conductor")
_FEW: Final = 5
_T = TypeVar("_T", Agent, Job)


def is_uuid(text: str) -> bool:
    """Say whether a text has the form of a uuid as a town's keys have it."""
    return _UUID.fullmatch(text) is not None


def the_task(workshop: Workshop, name: str) -> Job:
    """Return the task of a town that is called so. Raises TTError where there is none."""
    return quick_task(workshop, name) or pick_task(workshop.board(), name, workshop.town)


def my_task(workshop: Workshop, me: Myself, name: str) -> Job:
    """Return the task that is called so; without a name the one that this agent works on."""
    if not name and not me.task:
        raise UsageError("Which task?", "`tt task list` shows what there is.")
    return the_task(workshop, name or me.task)


def quick_task(workshop: Workshop, name: str) -> Job | None:
    """Return a task by its whole name, where that takes no look at the whole town; else None."""
    if is_uuid(name):
        return workshop.jobs([name]).get(name)
    if not _PLAN_ID.fullmatch(name):
        return None
    found = workshop.jobs([task_uuid(workshop.town, name)])
    return next((job for job in found.values() if job.tagged and job.task.id == name), None)


def pick_task(board: Board, name: str, town: str) -> Job:
    """Return the task of a board that is called so. Raises TTError where there is none."""
    found = find_task(board, name)
    if found is None:
        _unknown("task", name, town, [job.task.id for job in board.jobs.values()], "tt task list")
    return found


def find_task(board: Board, name: str) -> Job | None:
    """Return the task of a board that is called so; None where there is none.

    Raises UsageError where a beginning is that of several.
    """
    jobs = board.jobs.values()
    exact = [job for job in jobs if name in (job.task.id, job.uuid)]
    exact.sort(key=lambda job: not job.tagged)
    return exact[0] if exact else _by_start(jobs, name, "task", lambda job: job.task.id)


def the_agent(workshop: Workshop, name: str) -> Agent:
    """Return the agent of a town that is called so. Raises TTError where there is none."""
    return pick_agent(workshop.agents(), name, workshop.town)


def pick_agent(agents: Mapping[str, Agent], name: str, town: str) -> Agent:
    """Return the agent among `agents` that is called so. Raises TTError where there is none."""
    found = find_agent(agents, name)
    if found is None:
        known = [text for agent in agents.values() for text in (agent.name, agent.nickname) if text]
        _unknown("agent", name, town, known, "tt list")
    return found


def find_agent(agents: Mapping[str, Agent], name: str) -> Agent | None:
    """Return the agent among `agents` that is called so; None where there is none.

    Of several with one name, whoever is not gone, else the last one. Raises UsageError where a
    nickname or a beginning is that of several.
    """
    if not name:
        return None
    named = [agent for agent in agents.values() if agent.name == name]
    if named:
        return max(named, key=lambda agent: (agent.state not in GONE, agent.created_at))
    if name in agents:
        return agents[name]
    nicknamed = [agent for agent in agents.values() if agent.nickname == name]
    there = [agent for agent in nicknamed if agent.state not in GONE] or nicknamed
    if len(there) > 1:
        _ambiguous("nickname", name, "agent", [agent.name for agent in there])
    return there[0] if there else _by_start(agents.values(), name, "agent", lambda one: one.name)


def the_mailbox(agents: Mapping[str, Agent], name: str, town: str) -> tuple[str, str]:
    """Return the uuid and the name of who gets messages under a name: an agent, or whoever
    supervises (`supervisor`, `conductor`). Raises TTError where there is none."""
    found = find_agent(agents, name)
    if found is None and (name in _SUPERVISORS or name == SUPERVISOR):
        return SUPERVISOR, "supervisor"
    found = found or pick_agent(agents, name, town)
    return found.uuid, found.name


def _by_start(among: Iterable[_T], name: str, what: str, called: Callable[[_T], str]) -> _T | None:
    if not _START.fullmatch(name):
        return None
    found = [one for one in among if one.uuid.startswith(name)]
    if len(found) > 1:
        _ambiguous("uuid", name, what, [f"{one.uuid} ({called(one)})" for one in found])
    return found[0] if found else None


def _ambiguous(kind: str, name: str, what: str, those: list[str]) -> NoReturn:
    more = f", and {len(those) - _FEW} more" if len(those) > _FEW else ""
    if kind == "uuid":
        message = f"`{name}` is the beginning of the uuids of {len(those)} {what}s."
    else:
        message = f"`{name}` is the nickname of {len(those)} {what}s."
    raise UsageError(message, f"They are {', '.join(those[:_FEW])}{more}.")


def _unknown(what: str, name: str, town: str, known: Iterable[str], listing: str) -> NoReturn:
    from tt.core.document import did_you_mean

    near = did_you_mean(name, known)
    hint = f"{near[0].upper()}{near[1:]} " if near else ""
    there = "who is there" if what == "agent" else "what there is"
    raise TTError(f"The town {town} has no {what} `{name}`.", f"{hint}`{listing}` shows {there}.")
