"""How a task ends, or goes back to be done again, decided on what was read of it; pure."""

from __future__ import annotations

from typing import Final

from tt.adapters.redis import jobfields as names
from tt.adapters.redis.codec import Hash
from tt.adapters.redis.encoding import Writes
from tt.adapters.redis.jobfields import count_in, uuid_in
from tt.adapters.redis.jobscene import NOTHING, Move, Scene, Told
from tt.adapters.redis.steps import Step
from tt.core.agents import SUPERVISOR
from tt.core.jobs import NOT_BEFORE
from tt.core.messages import Kind
from tt.core.model import FINISHED
from tt.core.times import rfc3339
from tt.record import field, record
from tt.workports import Ended

_HELD: Final = ("assigned", "running")
_GIVEN: Final = "given"
_LONGEST_WHY: Final = 2_000
"""Characters of how an attempt ended that are kept for the next one."""


@record
class _End:
    """How an attempt ends: `said` (a state, or that it was given back) by whom, in whose words."""

    token: str
    said: str
    words: str
    by: str = ""
    counted: Writes = field(default_factory=dict)

    def mark(self, became: str) -> str:
        """Return what is kept, so that the same end is known when it is said again."""
        return f"{self.token} {self.said} {became}"


def finish(scene: Scene, state: Ended, result: str, claimed: str, by: str) -> Move:
    """End a task, or an attempt at it that is forgiven."""
    task, end = scene.task, _End(claimed or scene.token, state, result, by)
    known = _known_end(task, end)
    if known is not None:
        return known
    if scene.is_at(*FINISHED) or (claimed and not _is_under_way(scene, claimed, by)):
        return NOTHING
    if state != "failed" or not scene.is_at(*_HELD):
        return _end(scene, state, end)
    failures = count_in(task, names.FAILURES)
    end = _End(end.token, state, result, by, {names.FAILURES: str(failures + 1)})
    if failures < count_in(task, names.RETRIES):
        return _requeue(scene, end)
    return _end(scene, state, end)


def give_back(scene: Scene, why: str, claimed: str, holder: str, *, death: bool) -> Move:
    """Make a task pending again; with a `holder` only where it is that agent's."""
    end = _End(claimed or scene.token, _GIVEN, why)
    known = _known_end(scene.task, end)
    if known is not None:
        return known
    if not scene.is_at(*_HELD) or (holder and scene.held_by != holder):
        return NOTHING
    if claimed and not _is_under_way(scene, claimed, ""):
        return NOTHING
    if not death:
        return _requeue(scene, end)
    deaths = count_in(scene.task, names.DEATHS) + 1
    end = _End(end.token, _GIVEN, why, "", {names.DEATHS: str(deaths)})
    return _requeue(scene, end) if deaths < NOT_BEFORE else _end(scene, "failed", end)


def _is_under_way(scene: Scene, claimed: str, by: str) -> bool:
    """Say whether a claim is that of the attempt which is under way, and this agent's."""
    holds = not by or scene.task.get("assigned_to") == by
    return holds and scene.is_at(*_HELD) and scene.task.get(names.CLAIM) == claimed


def _known_end(task: Hash, end: _End) -> Move | None:
    """Return what came of an end that was made before; None where it was not."""
    mark = task.get(names.ENDED) or ""
    became = mark.rpartition(" ")[2]
    if not mark or mark != end.mark(became) or task.get(names.CLAIM) == end.token:
        return None  # an attempt that is under way has not ended, whatever bore its name before
    return Move(done=True, requeued=became == "pending")


def _end(scene: Scene, state: str, end: _End) -> Move:
    stamp = rfc3339(scene.now)
    new: Writes = {
        "state": state, "completed_at": stamp, "updated_at": stamp, "result": end.words or None,
        names.CLAIM: None, names.WHY: None, names.ENDED: end.mark(state), **end.counted,
    }  # fmt: skip
    step = _ending(scene)
    agent = end.by or scene.held_by
    said = {"result": end.words, "claim": scene.task.get(names.CLAIM) or ""}
    scene.tell(step, Told(f"task_{state}", f"Task {state}", agent, state, said))
    _report(step, scene, state, end.words, agent)
    step.do("LREM", scene.backlog, 0, scene.uuid)
    step.change(scene.task_key, scene.task, new)
    _let_go(step, scene, counts=state == "completed")
    return Move(True, step, new)


def _requeue(scene: Scene, end: _End) -> Move:
    why = end.words[:_LONGEST_WHY] or None
    new: Writes = {
        "state": "pending", "updated_at": rfc3339(scene.now), "assigned_to": None,
        "agent_for": None, "started_at": None, "completed_at": None, "result": None,
        names.CLAIM: None, names.WHY: why, names.ENDED: end.mark("pending"), **end.counted,
    }  # fmt: skip
    step = _ending(scene)
    agent = end.by or scene.held_by
    said = {"reason": end.words, "claim": scene.task.get(names.CLAIM) or ""}
    scene.tell(step, Told("task_requeued", "Task pending again", agent, "pending", said))
    if not scene.tagged:
        step.do("LREM", scene.backlog, 0, scene.uuid)
        step.do("RPUSH", scene.backlog, scene.uuid)
    step.change(scene.task_key, scene.task, new)
    _let_go(step, scene, counts=False)
    return Move(True, step, new, requeued=True)


def _ending(scene: Scene) -> Step:
    return scene.resting(
        names.CLAIM, names.FAILURES, names.DEATHS, names.RETRIES, names.BY, names.UNSAID
    )


def _let_go(step: Step, scene: Scene, *, counts: bool) -> None:
    """Take note of it in the hash of the agent that held the task."""
    agent, new = scene.agent, Writes()
    if counts:
        new["tasks_completed"] = str(count_in(agent, "tasks_completed") + 1)
    if agent.get("current_task") == scene.uuid:
        new["current_task"] = None
    if agent and new:
        key = scene.keys.agent(scene.held_by)
        step.expect(key, agent, "id", *new)
        step.change(key, agent, new)


def _report(step: Step, scene: Scene, state: str, words: str, agent: str) -> None:
    """Send word to whoever handed the task out, and wants it."""
    to = uuid_in(scene.task, names.BY)
    if not to or to == agent or state == "cancelled" or names.UNSAID in scene.task:
        return
    done = state == "completed"
    kind, told = (Kind.TASK_DONE, "result") if done else (Kind.TASK_FAILED, "error")
    content = {"task_id": scene.uuid, told: words}
    scene.word_to(step, to, kind, agent or SUPERVISOR, content)
