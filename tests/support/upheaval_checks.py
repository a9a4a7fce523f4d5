"""What was promised to a town in upheaval, checked when there is peace and all is done."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import Final, NamedTuple, cast

from tests.support.redis_server import wait_until
from tests.support.upheaval import TAIL, Upheaval
from tests.support.upheaval_moves import everything_needed
from tests.support.upheaval_plans import TOWN
from tests.support.workshops import check_history
from tt.core.agents import SUPERVISOR
from tt.core.jobs import Board

_OVER: Final = ("task_completed", "task_failed", "task_requeued", "task_cancelled")
_UUID: Final = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_SLACK: Final = 0.005
"""Seconds by which a shell's stamp may be before that of what it followed: the server's has ms."""
_START: Final = 1.0
"""Seconds that a shell may take until it notes that it begins."""


class Attempt(NamedTuple):
    """An attempt at a task, by an agent, and when it began and was over."""

    task: str
    agent: str
    began: float
    over: float


class Noted(NamedTuple):
    """A line of what programs noted."""

    at: float
    what: str
    task: str
    claim: str


def check(storm: Upheaval) -> None:
    """Check that no task was lost or done twice at once, and no message vanished."""
    board = storm.board()
    check_history(storm.events)
    _check_attempts(storm, board)
    _check_order(storm, board)
    _check_notes(storm)
    _check_counts(storm, board)
    _check_mail(storm, board)
    _check_work(storm, board)
    _check_word(storm)
    _check_keys(storm, board)


def check_end(storm: Upheaval) -> None:
    """Check that nothing of it is left when all are asked to stop."""
    storm.tt("stop")
    wait_until(lambda: not storm.living(), "agents to stop", TAIL)

    try:
        wait_until(lambda: not storm.processes(), "processes to end", TAIL)
    except AssertionError:
        left = {pid: its.get("TT_CLAIM", "") for pid, its in storm.processes().items()}
        raise AssertionError(f"left behind, by claim: {left}") from None


def _of(storm: Upheaval, *kinds: str) -> list[dict[str, str]]:
    return [cast("dict[str, str]", one.data) for one in storm.events if one.kind in kinds]


def _check_attempts(storm: Upheaval, board: Board) -> None:
    """Each attempt that began has ended, and ended once; each task as often as it was to be."""
    begun = Counter(data["claim"] for data in _there(storm, board, "task_started"))
    over = [data for data in _there(storm, board, *_OVER) if data["old_state"] == "running"]
    assert begun == Counter(data["claim"] for data in over)
    assert set(begun.values()) <= {1}
    completed = Counter(data["task_id"] for data in _of(storm, "task_completed"))
    for job in board.jobs.values():
        assert 1 <= completed[job.uuid] <= 1 + storm.reopened[job.uuid], job


def _there(storm: Upheaval, board: Board, *kinds: str) -> list[dict[str, str]]:
    """Return events of tasks that are still in the plan: who takes one out ends it silently."""
    return [data for data in _of(storm, *kinds) if data["task_id"] in board.jobs]


def _check_order(storm: Upheaval, board: Board) -> None:
    """Nothing was begun before all that it waits for had been completed."""
    ids = {job.uuid: job.task.id for job in board.jobs.values()}
    waits = everything_needed(board)
    done: set[str] = set()
    for event in storm.events:
        task = str(event.data.get("task_id", ""))
        if event.kind == "task_started" and task in waits:
            assert waits[task] <= done, f"{ids[task]} was begun before {waits[task] - done}"
        if event.kind == "task_completed" and task in ids:
            done.add(ids[task])


def _noted(storm: Upheaval) -> list[Noted]:
    lines = (line.split() for line in storm.notes.read_text().splitlines())
    return [Noted(float(at), what, *rest) for at, what, *rest in lines]


def _check_notes(storm: Upheaval) -> None:
    """What programs did was theirs to do, and what is completed a program has done.

    A program begins and ends while its attempt lasts; no two attempts at a task do at once. Only
    that of an agent which slept just then may begin later.
    """
    lasted = _attempts(storm)
    for task in {one.task for one in lasted.values()}:
        inside = sorted((one.began, one.over) for one in lasted.values() if one.task == task)
        for (_, over), (began, _) in pairwise(inside):
            assert over <= began, f"two at once at {task}: {inside}"
    ended: dict[str, float] = {}
    for line in _noted(storm):
        if line.what == "begin" and line.task != "-":
            attempt = lasted[line.claim]
            assert line.at >= attempt.began - _SLACK, f"{line} began before {attempt}"
            late = line.at > attempt.over + _START
            assert not late or _slept(storm, attempt.agent, line.at), (
                f"{line} began after {attempt}"
            )
        elif line.what in ("end", "fail"):
            ended.setdefault(line.claim, line.at)
    for data in _of(storm, "task_completed"):
        if data.get("claim") and data.get("result") != "by hand":
            assert data["claim"] in ended, data
            assert ended[data["claim"]] <= lasted[data["claim"]].over + _SLACK


def _attempts(storm: Upheaval) -> dict[str, Attempt]:
    """Return how long each attempt lasted by the server's clock, by claim."""
    found: dict[str, Attempt] = {}
    for event in storm.events:
        at, claim = int(event.id.partition("-")[0]) / 1000, str(event.data.get("claim"))
        if event.kind == "task_started":
            task, agent = str(event.data["task_id"]), str(event.data["agent_id"])
            found[claim] = Attempt(task, agent, at, float("inf"))
        elif event.kind in _OVER and claim in found:
            found[claim] = found[claim]._replace(over=at)
    return found


def _slept(storm: Upheaval, agent: str, at: float) -> bool:
    return any(who == agent and begin <= at <= end for who, begin, end in storm.asleep)


def _check_counts(storm: Upheaval, board: Board) -> None:
    """Agents have done what the history says that they have, and nobody is at anything."""
    done = Counter(data.get("agent_id") for data in _of(storm, "task_completed"))
    for agent in board.agents.values():
        assert agent.tasks_completed == done[agent.uuid], agent
        assert agent.current_task == "", agent


def _check_mail(storm: Upheaval, board: Board) -> None:
    """What was sent was told, or lies where its reader will find it."""
    storm.look_at_prompts()
    told = storm.told | {line.task for line in _noted(storm) if line.what == "mail"}
    lists = [
        raw.decode()
        for agent in board.agents
        for kind in ("inbox", "urgent", "taken")
        for raw in storm.raw(f"{kind}:{agent}")
    ]
    lie = set(re.findall(r"MAIL-\d+", " ".join(lists)))
    sent = {text for text, surely in storm.mail.items() if surely}
    assert sent <= told | lie, f"vanished: {sent - told - lie}"
    assert told | lie <= storm.mail.keys()
    for uuid, news in storm.lost.items():
        assert not news or news in {
            one.id
            for one in storm.ask(lambda shop, to=uuid: shop.inbox(to))  # type: ignore[misc]
        }
        assert storm.raw(f"taken:{uuid}") == []
    for agent in board.agents:
        taken = [raw for raw in storm.raw(f"taken:{agent}") if b'"type":"task' in raw]
        assert taken == [], "taken, and not dealt with"


def _check_work(storm: Upheaval, board: Board) -> None:
    """What was asked for outside of the plan was done, once."""
    texts = Counter(job.task.description for job in board.jobs.values())
    for text, surely in storm.asked.items():
        assert texts[text] == 1 or (not surely and texts[text] == 0), (text, texts[text])


def _check_word(storm: Upheaval) -> None:
    """Who handed a task out by hand was told of its end, and nobody was told twice of one."""
    inbox = storm.ask(lambda shop: shop.inbox(SUPERVISOR))
    told = Counter(one.text("task_id") for one in inbox if one.kind == "task_done")
    ends = Counter(data["task_id"] for data in _of(storm, "task_completed") if data.get("claim"))
    assert told <= ends
    assert {uuid for uuid in ends if _wants_word(storm, uuid)} <= told.keys()


def _wants_word(storm: Upheaval, uuid: str) -> bool:
    """Say whether who handed a task out last has no other way to see how it ended."""
    with storm.server.connect() as connection:
        key = f"tt:{TOWN}:task:{uuid}"
        raw = connection.execute("HMGET", key, "state", "run:by", "run:unsaid")
    return raw == [b"completed", SUPERVISOR.encode(), None]


def _check_keys(storm: Upheaval, board: Board) -> None:
    """Each key of the town is its own, or belongs to an agent or a task that is there."""
    with storm.server.connect() as connection:
        keys = cast("list[bytes]", connection.execute("KEYS", "*"))
    for key in (raw.decode() for raw in keys):
        assert key.startswith(f"tt:{TOWN}:"), key
        ending = key.removeprefix(f"tt:{TOWN}:")
        owned = re.fullmatch(rf"([a-z:]+):({_UUID})", ending)
        if owned is None:
            known = "plan tombstones backlog names server conductor events"
            assert ending in known.split(), key
        elif owned[1] == "task":
            assert owned[2] in board.jobs, key
        else:
            assert owned[2] in board.agents or owned[2] == SUPERVISOR, key
    backlog = storm.ask(lambda shop: shop.backlog())
    assert backlog == (), "in the backlog, and nothing is left to do"
