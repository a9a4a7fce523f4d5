"""How an agent stands in its town: its signs of life, and what others have said of it meanwhile.

A sign of life also tells whose the task under way is. For a lease after the last one that task is
surely this agent's, and the program goes on while Redis is away. Then it is frozen; whether it goes
on or is stopped is decided when Redis is back and says whose task it is.
"""

from __future__ import annotations

from typing import Final

from tt.app.agentattempt import Attempt
from tt.app.agentcondition import Condition
from tt.app.agentduty import Means
from tt.app.agentports import EVERYTHING, INBOX, SELF, STOP
from tt.app.agentwords import standing
from tt.core.agents import GONE, Agent, AgentState
from tt.errors import StoreError, TTError
from tt.record import replace

_BREATH: Final = 3.0
"""Signs of life in a lease."""
_NEVER: Final = float("inf")


class InTown:
    """One agent in its town. Raises StoreError as the town does; then the same is asked again."""

    def __init__(self, now: Condition, means: Means) -> None:
        self._now, self._shop = now, means.shop
        self._clock, self._say = means.clock, means.journal
        self._lived_at = self._clock()
        self.next_beat = self._lived_at + now.me.lease / _BREATH
        """When the next sign of life is due."""

    @property
    def fence(self) -> float:
        """Until when the task under way is surely this agent's, though Redis be away."""
        attempt = self._now.attempt
        if attempt is None or not attempt.claims or attempt.is_over or attempt.is_frozen:
            return _NEVER
        return self._lived_at + self._now.me.lease

    @property
    def freezes_at(self) -> float:
        """When the program has to stand still, if Redis is not heard of before."""
        attempt = self._now.attempt
        return self.fence if attempt is not None and attempt.running is not None else _NEVER

    def mind(self) -> None:
        """Let the program stand still where that is due."""
        if self._now.attempt is not None and self._clock() >= self.freezes_at:
            self._say("No sign of life could be given for a lease: the program stands still.")
            self._now.attempt.freeze()

    def beat(self) -> None:
        """Show a sign of life, and see whether the task under way is still its own."""
        attempt = self._now.attempt
        lost = self._shop.beat(self._now.me, attempt.claims if attempt is not None else {})
        self._lived_at = self._clock()
        self.next_beat = self._lived_at + self._now.me.lease / _BREATH
        if attempt is not None:
            if lost:
                self._now.look.add(SELF)
            if lost or attempt.is_reported:  # it may have been reopened since
                self._check_claim(attempt)
            attempt.thaw()

    def heed(self) -> None:
        """Look at what others have said of this agent, and whether they have written to it."""
        now = self._now
        if not now.look & {SELF, STOP}:
            return
        found = self._shop.standing(now.me.uuid)
        look, now.look = now.look, now.look & {INBOX} if found.has_mail else set()
        if SELF in look:
            self._see(found.agent)
        if STOP in look and found.must_stop:
            now.end("asked to stop", now=False)

    def gives_way(self) -> bool:
        """Say whether another process is this agent; it is over as soon as its program is."""
        now = self._now
        if now.has_successor:
            now.is_over = now.attempt is None or now.attempt.is_over
        return now.has_successor

    def _see(self, found: Agent | None) -> None:
        now = self._now
        if found is None:
            now.fail("it is not in the town any more")
            return
        if not found.is_run_by(now.me):
            self._give_way()
            return
        if found.state in GONE:
            self._come_back(found)
            return
        now.state, attempt = found.state, now.attempt
        if attempt is not None and attempt.claims and found.current_task != attempt.uuid:
            self._check_claim(attempt)

    def _give_way(self) -> None:
        """It was started anew while it slept: another process is this agent, and all of it is that
        one's: the state, the messages, the tasks."""
        self._say("Stopped: another process is this agent by now.")
        self._now.has_successor = self._now.failed = True
        if self._now.attempt is not None:
            self._now.attempt.lose("another process is this agent by now")

    def _come_back(self, found: Agent) -> None:
        """It was taken for dead while it slept: what it held is somebody else's now."""
        now, me = self._now, self._now.me
        if now.attempt is not None:
            self._check_claim(now.attempt)
        if now.ending:
            return
        own = {"pid": me.pid, "born": me.born, "host": me.host, "lease": me.lease}
        try:
            now.me = self._shop.enlist(replace(found, state=AgentState.STARTING, **own))
        except StoreError:
            raise
        except TTError as error:
            self._find_name_taken(error)
            return
        self._say(f"This agent was {found.state} by somebody else; it is back.")
        now.state = AgentState.STARTING
        now.look |= EVERYTHING

    def _find_name_taken(self, error: TTError) -> None:
        found = self._shop.agent(self._now.me.uuid)
        if found is not None and not found.is_run_by(self._now.me):
            self._give_way()
        else:
            self._now.fail(error.message)

    def _check_claim(self, attempt: Attempt) -> None:
        """See what became of the task under way, of which it is known that it moved."""
        job = self._shop.jobs([attempt.uuid]).get(attempt.uuid) if attempt.uuid else None
        if job is not None and job.state == "running" and job.claim == attempt.claim:
            return
        ended = job is not None and job.state in ("completed", "failed")
        if job is not None and ended and job.agent == self._now.me.uuid:
            attempt.reported()
            return
        self._say(f"The task {attempt.name} is not this agent's any more: {standing(job)}.")
        attempt.lose("the task was taken away")
