"""The tasks of one town on their way: each change is decided on what was read, made in one step,
and decided anew where a race was lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tt.adapters.redis import jobends, jobmoves, jobnotes
from tt.adapters.redis.codec import PLAN_TAG
from tt.adapters.redis.commands import Command, Commands
from tt.adapters.redis.hashes import texts_of
from tt.adapters.redis.identifiers import new_uuid
from tt.adapters.redis.jobfields import uuid_in
from tt.adapters.redis.jobscene import NOTHING, Move, Scene
from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.steady import Steady
from tt.adapters.redis.workboard import BoardReader
from tt.core.ids import made_uuid
from tt.core.jobs import Job
from tt.core.model import STATUSES
from tt.ports import Clock
from tt.workports import Ended, Outcome, Terms


class JobWork:
    """The tasks of one town on their way."""

    __slots__ = ("_clock", "_connection", "_keys", "_reader", "_steady")

    def __init__(
        self,
        connection: Commands,
        keys: TownKeys,
        clock: Clock,
        reader: BoardReader,
        steady: Steady,
    ) -> None:
        self._connection, self._keys, self._clock = connection, keys, clock
        self._reader, self._steady = reader, steady

    def hand_out(self, job: Job, agent: str, terms: Terms, sender: str, token: str) -> Outcome:
        """Give a pending task to an agent; see `tt.workports.Workshop`.

        Whoever takes a task out of the backlog has it: then it is his to assign.
        """
        was_shelved = False

        def decide(scene: Scene) -> Move:
            nonlocal was_shelved
            move = jobmoves.hand_out(scene, job, agent, terms, sender)
            taken = was_shelved and not scene.shelved and move.step is not None
            was_shelved = scene.shelved
            return NOTHING if taken else move

        return self._move(job.uuid, decide, token, agent)

    def claim(self, uuid: str, agent: str, token: str) -> Outcome:
        """Begin to work on a task; see `tt.workports.Workshop`."""
        return self._move(uuid, lambda scene: jobmoves.claim(scene, agent), token, agent)

    def finish(self, uuid: str, state: Ended, result: str, claim: str, by: str) -> Outcome:
        """End a task; see `tt.workports.Workshop`."""
        return self._move(
            uuid, lambda scene: jobends.finish(scene, state, result, claim, by), likely=by
        )

    def give_back(
        self, uuid: str, why: str, claim: str, *, death: bool, holder: str = ""
    ) -> Outcome:
        """Make a task pending again, with a `holder` only where it is that agent's; see
        `tt.workports.Workshop`."""

        def decide(scene: Scene) -> Move:
            return jobends.give_back(scene, why, claim, holder, death=death)

        return self._move(uuid, decide)

    def take_from(self, agent: str, why: str) -> list[Job]:
        """Give back all that an agent holds; a death for what it was working on."""
        held = self._steady.ask(lambda: self._reader.held_by(agent))
        given = []
        for job in self._steady.ask(lambda: self._reader.jobs(held)).values():
            death = job.state == "running"
            outcome = self.give_back(job.uuid, why, job.claim, death=death, holder=agent)
            if outcome.done and outcome.job is not None:
                given.append(outcome.job)
        return given

    def make(self, description: str, tags: Sequence[str], agent: str, source: str) -> Job:
        """Make a task that is in no plan; see `tt.workports.Workshop`."""
        uuid = made_uuid(self._keys.town, source) if source else new_uuid()
        token = new_uuid()
        return self._steady.ask(
            lambda: self._make(self._scene(uuid, token, agent), description, tags, agent)
        )

    def shelve(self, uuid: str) -> bool:
        """Put a pending task into the backlog; see `tt.workports.Workshop`."""
        scene = self._scene(uuid, "", "")
        if scene.shelved or not scene.is_at("pending"):
            return False
        step = scene.resting()
        step.do("RPUSH", scene.backlog, uuid)
        return step.run(self._connection)

    def unshelve(self, uuid: str) -> bool:
        """Take a task out of the backlog; see `tt.workports.Workshop`."""
        return self._connection.execute("LREM", self._keys.own("backlog"), 0, uuid) != 0

    def note(self, uuid: str, text: str, by: str) -> Outcome:
        """Add a note to a task; see `tt.workports.Workshop`."""
        return self._move(uuid, lambda scene: jobnotes.note(scene, text, by))

    def remove(self, uuid: str) -> bool:
        """Take a task away that is in no plan; see `tt.workports.Workshop`."""
        return self._move(uuid, jobnotes.remove).done

    def _move(
        self,
        uuid: str,
        decide: Callable[[Scene], Move],
        token: str = "",
        agent: str = "",
        likely: str = "",
    ) -> Outcome:
        """Decide and do until no race is lost; each round means that somebody else did something.

        A step that was done before its answer was lost is known by its token. See `_scene`.
        """
        token = token or new_uuid()

        def attempt() -> Outcome | None:
            return self._try(self._scene(uuid, token, agent, likely), decide)

        while True:
            outcome = self._steady.ask(attempt)
            if outcome is not None:
                return outcome

    def _try(self, scene: Scene, decide: Callable[[Scene], Move]) -> Outcome | None:
        """Make one attempt; None where the race was lost. What cannot be read is left as it is."""
        if not scene.is_at(*STATUSES):
            return Outcome(done=False)
        move, uuid = decide(scene), scene.uuid
        left = {**scene.task, **move.new}
        after = {name: text for name, text in left.items() if text is not None}
        job = self._reader.jobs_of({uuid: after or scene.task}).get(uuid)
        if job is None:
            return Outcome(done=False)
        if move.step is None:
            return Outcome(move.done, job, move.requeued)
        if not move.step.run(self._connection):
            return None
        return Outcome(True, job if after else None, move.requeued)

    def _scene(self, uuid: str, token: str, agent: str, likely: str = "") -> Scene:
        """Read what a step on a task rests on; without an `agent`, of the one who holds it.

        That is `likely` somebody, who is read at once.
        """
        keys, backlog = self._keys, self._keys.own("backlog")
        asked: list[Command] = [("LPOS", backlog, uuid)] if UUID.fullmatch(uuid) else []
        first = agent or (likely if UUID.fullmatch(likely) else "")
        wanted = [keys.task(uuid), keys.agent(first)] if first else [keys.task(uuid)]
        found, others = self._reader.hashes_and(wanted, asked)
        task, holder = texts_of(found.get(keys.task(uuid), {})), ""
        if not agent and (holder := uuid_in(task, "assigned_to")) not in ("", first):
            found |= self._reader.hashes([keys.agent(holder)])
        known = texts_of(found.get(keys.agent(agent or holder), {}))
        shelved, now = others != [] and others[0] is not None, self._clock.now_ns()
        tagged = PLAN_TAG in (task.get("tags") or "")
        return Scene(keys, uuid, task, known, token, new_uuid(), now, shelved, tagged)

    def _make(self, scene: Scene, description: str, tags: Sequence[str], agent: str) -> Job:
        move = jobmoves.make(scene, description, tags, agent)
        if move.step is not None:
            move.step.run(self._connection)  # where it is not done, it was made before
        made = {name: text for name, text in move.new.items() if text is not None}
        return self._reader.jobs_of({scene.uuid: made})[scene.uuid]
