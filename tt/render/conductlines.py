"""What a conductor says: one line for each thing that happened, and at its end how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from shlex import quote
from typing import Final, cast

from tt.core.conducted import Event, Told
from tt.core.conducting import Bury, Complete, Fail, HandOut, Spawn
from tt.core.endings import gist
from tt.core.ledger import Ledger
from tt.core.model import Task
from tt.core.rehearsal import Rehearsal
from tt.core.standstill import Block, Verdict, Wait, roots_of
from tt.render.jsonout import line as json_line
from tt.render.text import Look, clip, columns, count, pad, safe

_WORDS: Final[Mapping[Event, str]] = {
    Event.ADDED: "· {task} is new",
    Event.REMOVED: "· {task} is gone",
    Event.HANDED_OUT: "→ {task} is for {agent}",
    Event.RUNNING: "▶ {task} is under way: {agent}",
    Event.COMPLETED: "✓ {task} is completed{by}{said}",
    Event.FAILED: "✗ {task} failed{by}{said}",
    Event.CANCELLED: "⊘ {task} is cancelled",
    Event.GIVEN_BACK: "↺ {task} is pending again{said}",
    Event.REOPENED: "↺ {task} is pending again",
    Event.RETRIED: "↺ {task} failed and is tried again ({count} of {of}){said}",
    Event.JOINED: "+ {agent} is there{said}",
    Event.LEFT: "- {agent} has left{said}",
    Event.PAUSED: "- {agent} takes no new work{said}",
    Event.RESUMED: "+ {agent} takes work again",
    Event.BURIED: "✗ {agent} is dead{said}; {given}",
    Event.NOBODY: "! Tasks are ready for {agent}, who is not there",
    Event.SPAWNING: "+ {agent} is being started",
    Event.SPAWN_FAILED: "! {agent} cannot be started{said}",
    Event.COMMITTED: "✓ committed{said}",
    Event.COMMIT_FAILED: "! nothing is committed{said}",
    Event.LEADS: "· The conductor before is gone; this one leads now",
    Event.STANDS_BY: "… Another conductor leads this town; this one stands by",
    Event.LOST_LEAD: "! Another conductor leads now; this one stands by",
    Event.OFFLINE: "✗ {message}",
    Event.ONLINE: "✓ Redis is back",
    Event.DEAF: "! {message}",
    Event.FAULT: "! {message}",
    Event.INTERRUPTED: "· {message}",
}
_COLORS: Final = {"✗": "red", "!": "yellow", "✓": "green", "▶": "blue", "→": "cyan", "↺": "yellow"}
_LONGEST: Final = 200
_LONGEST_ID: Final = 36
_EMPTY_HANDED: Final = "it held nothing"
_SHOWN: Final = 20


def told_lines(told: Told, look: Look, used: int = 0) -> list[str]:
    """Say one thing that happened, where `used` columns of the first line are taken."""
    message = safe(gist(told.message))
    said = f": {clip(message, _LONGEST)}" if message else ""
    task = clip(safe(told.task), _LONGEST_ID) if look.width else safe(told.task)
    text = _WORDS[told.event].format(
        task=task, agent=safe(told.agent) or "somebody", message=message, said=said,
        by=f" by {safe(told.agent)}" if told.agent else "", count=told.count, of=told.of,
        given=f"{count(told.count, 'task')} given back" if told.count else _EMPTY_HANDED,
    )  # fmt: skip
    first = look.paint(look.fit(text, used), _COLORS.get(text[0], "dim"))
    return [
        first,
        *(look.paint(f"    {safe(part)}", "dim") for part in told.hint.split("\n") if part),
    ]


def told_json(told: Told, now: str) -> str:
    """Say one thing that happened to a program, in a line; `now` is RFC 3339."""
    words = {"task": told.task, "agent": told.agent, "message": told.message, "hint": told.hint}
    said = {name: text for name, text in words.items() if text}
    return json_line({"time": now, "event": told.event, **said})


def verdict_data(verdict: Verdict) -> dict[str, object]:
    """Return how it ended for programs."""
    return {
        "is_completed": verdict.is_completed, "total": verdict.total,
        "completed": verdict.completed, "cancelled": verdict.cancelled, "waits": verdict.waits,
        "aside": verdict.aside,
    }  # fmt: skip


def verdict_lines(verdict: Verdict, look: Look) -> list[str]:
    """Say how it ended; where not all is completed: what is in the way, and what to do."""
    if verdict.is_completed:
        cancelled = f", {verdict.cancelled:,} cancelled" if verdict.cancelled else ""
        what = count(verdict.completed, "task")
        return [look.paint(f"✓ All is done: {what} completed{cancelled}.", "green", "bold")]
    share = f"{verdict.completed:,} of {count(verdict.total, 'task')} completed"
    lines = [look.paint(f"✗ Nothing can move: {share}.", "red", "bold")]
    obstacles = [*_obstacles(verdict.waits, verdict.aside), *_unreadable(verdict.aside)]
    return [*lines, *(f"    {line}" for line in _limited(obstacles, look))]


def uncommitted_lines(problem: str, look: Look) -> list[str]:
    """Say that the end is not committed, and why; nothing where there was no problem."""
    return [look.paint(f"! It is not committed: {safe(problem)}", "yellow")] if problem else []


def _limited(lines: Iterable[str], look: Look) -> list[str]:
    found = list(lines)
    if look.all or len(found) <= _SHOWN:
        return found
    return [*found[:_SHOWN], f"… and {len(found) - _SHOWN:,} more lines; `tt -v` shows all."]


def _obstacles(waits: Sequence[Wait], aside: Sequence[str]) -> Iterator[str]:
    """Yield what is at the root, with how much waits for it, and what waits in a circle."""
    behind = roots_of(waits)
    known = {*aside, *(wait.id for wait in waits)}
    for wait in waits:
        if wait.block is Block.CIRCLE:
            yield f"{safe(wait.id)} waits for itself, by {_names(wait.waits_for)}"
        elif wait.block is not Block.WAITS:
            yield from _obstacle(wait, behind.get(wait.id, 0))
    for root, number in behind.items():
        if root not in known:
            yield f"{safe(root)}: {_waiting(number)} for it, and it will not be done"
            yield "    Add it to the plan, or correct what names it; then `tt sync push`."


def _unreadable(aside: Sequence[str]) -> Iterator[str]:
    if aside:
        what = "it cannot" if len(aside) == 1 else "they cannot"
        yield clip(f"{_names(aside)}: {what} be read in Redis, and nobody knows how far", _LONGEST)
        yield "    `tt doctor` says what is wrong there."


def _obstacle(wait: Wait, behind: int) -> Iterator[str]:
    waiting = f"; {_waiting(behind)} for it" if behind else ""
    yield clip(f"{reason(wait)}{waiting}", _LONGEST)
    if hint := next_step(wait):
        yield f"    {hint}"


def _waiting(number: int) -> str:
    return f"{count(number, 'task')} {'waits' if number == 1 else 'wait'}"


def reason(wait: Wait) -> str:
    """Say in a line why one task waits."""
    name, agent = safe(wait.id), safe(wait.agent)
    why = safe(gist(wait.why)).removesuffix(".")  # more may follow
    said = f": {why}" if why else ""
    return {
        Block.FAILED: f"{name} failed{said}",
        Block.WAITS: f"{name} waits for {_names(wait.waits_for)}{_because(wait)}",
        Block.CIRCLE: f"{name} waits for {_names(wait.waits_for)}, which waits for it",
        Block.NOBODY: f"{name} is for {agent}, who is not there{said}",
        Block.STOPPED: f"{name} is for {agent}, who has stopped",
        Block.STARTING: f"{name} waits for {agent}, who is started",
        Block.UNNAMED: f"{name} names no agent, and the plan has no default_agent",
        Block.BUSY: f"{name} waits until {agent} has less to do",
        Block.PAUSED: f"{name} is for {agent}, who takes no work now{said}",
        Block.LIMIT: f"{name} waits for room: as many tasks are under way as may be",
        Block.ELSEWHERE: f"{name} is held elsewhere: no agent of this town has it",
    }[wait.block]


def next_step(wait: Wait) -> str:
    """Return what to do about it; empty where waiting is all there is to do."""
    name, agent = quote(safe(wait.id)), quote(safe(wait.agent))  # it will be pasted
    return {
        Block.FAILED: f"`tt reopen {name}` lets it be tried again.",
        Block.NOBODY: f"`tt spawn {agent} --cli …` starts one.",
        Block.STOPPED: f"`tt restart {agent}` starts it again.",
        Block.UNNAMED: "Give it an `agent` in tasks.toml; then `tt sync push`.",
        Block.PAUSED: f"`tt resume {agent}` lets it go on.",
        Block.ELSEWHERE: f"If nobody does it any more, `tt reopen {name}` gives it back.",
    }.get(wait.block, "")


def _because(wait: Wait) -> str:
    roots = [root for root in wait.roots if root not in wait.waits_for]
    return f", because of {_names(roots)}" if roots else ""


def _names(identifiers: Sequence[str]) -> str:
    shown = [safe(identifier) for identifier in identifiers[:3]]
    more = len(identifiers) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def action_data(rehearsed: Rehearsal) -> list[dict[str, object]]:
    """Return what a step would do for programs."""
    found: list[dict[str, object]] = []
    for action in rehearsed.step.actions:
        match action:
            case HandOut(job, agent, retries, timeout):
                found.append({
                    "action": "hand_out", "task": job.task.id, "agent": agent.name,
                    "retries": retries, "timeout": timeout,
                })  # fmt: skip
            case Complete(job):
                found.append({"action": "complete", "task": job.task.id})
            case Fail(job, why):
                found.append({"action": "fail", "task": job.task.id, "why": why})
            case Bury(agent, why):
                back = rehearsed.returned.get(agent.uuid, ())
                found.append({"action": "bury", "agent": agent.name, "why": why, "returned": back})
            case Spawn(name):
                found.append({"action": "spawn", "agent": name})
    return found


def rehearsal_data(found: Rehearsal) -> dict[str, object]:
    """Return what a conductor would do for programs, and why everything else waits."""
    return {
        "actions": action_data(found), "goes_on": found.step.goes_on,
        "under_way": found.under_way, **verdict_data(found.verdict),
    }  # fmt: skip


def rehearsal_lines(found: Rehearsal, look: Look) -> list[str]:
    """Say what a conductor would do, what is under way, and why each other task waits."""
    actions = [_intent(action) for action in action_data(found)]
    under_way = [f"{safe(name)}: {safe(agent)}" for name, agent in found.under_way.items()]
    waits = [reason(wait) for wait in found.verdict.waits]
    if not (actions or under_way or waits):
        return verdict_lines(found.verdict, look)
    parts = {"Now:": actions or ["nothing"], "Under way:": under_way, "Not yet:": waits}
    lines = []
    for title, said in parts.items():
        if said:
            lines.append(look.paint(title, "bold"))
            lines += [f"    {look.fit(line, 4)}" for line in _limited(said, look)]
    return lines


def ready_lines(found: Sequence[Task], ledger: Ledger, look: Look) -> list[str]:
    """List tasks that can be begun, each with whom it is for."""
    width = max((columns(safe(task.id)) for task in found), default=0)
    lines = []
    for task in found:
        name = safe(ledger.wanted(task))
        agent = f"  @{name}" if name else ""
        text = look.fit(safe(task.description), width + columns(agent) + 2)
        lines.append(f"{pad(safe(task.id), width)}  {text}{look.paint(agent, 'dim')}")
    return lines or ["Nothing can be begun now; `tt conductor --dry-run` says why."]


def _intent(action: Mapping[str, object]) -> str:
    task, agent = safe(str(action.get("task", ""))), safe(str(action.get("agent", "")))
    why = safe(str(action.get("why", "")))
    return {
        "hand_out": f"→ {task} is for {agent}",
        "complete": f"✓ {task}: all of its tasks are done",
        "fail": f"✗ {task} {why}",
        "bury": f"✗ {agent} is dead: {why}; {_back(action)}",
        "spawn": f"+ {agent} is started",
    }[str(action["action"])]


def _back(action: Mapping[str, object]) -> str:
    names = cast("Sequence[str]", action.get("returned", ()))
    return f"{_names(names)} {'goes' if len(names) == 1 else 'go'} back" if names else _EMPTY_HANDED
