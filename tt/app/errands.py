"""What a conductor has others do meanwhile: agents are started, the plan is committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from tt.app.stage import Errand, Stage
from tt.core.conducted import Event, Told
from tt.errors import TTError

EVERY: Final = 1.0
"""Seconds between the beginnings of two commits."""
_TRIES: Final = 3
"""Starts of an agent that completes nothing, after which it is started no more."""
_NEVER: Final = float("inf")
_MOVES: Final = frozenset({
    Event.ADDED, Event.REMOVED, Event.HANDED_OUT, Event.RUNNING, Event.COMPLETED, Event.FAILED,
    Event.CANCELLED, Event.GIVEN_BACK, Event.REOPENED, Event.RETRIED,
})  # fmt: skip
"""What changes a task, and so the file."""


class Errands:
    """The errands of one conductor; one commit at a time."""

    def __init__(
        self,
        stage: Stage,
        tell: Callable[[Told], None],
        clock: Callable[[], float],
        *,
        commits: bool,
    ) -> None:
        self._stage, self._tell, self._clock, self._commits = stage, tell, clock, commits
        self._spawning: set[str] = set()
        self._started: Counter[str] = Counter()
        self.barred: dict[str, str] = {}
        """Agents that cannot be started, and why."""
        self.problem = ""
        """Why the newest commit failed; empty where it did not."""
        self._is_committing = False
        self._wants_commit = False
        self._next_commit = clock()

    @property
    def spawning(self) -> frozenset[str]:
        """The names of agents that are being started."""
        return frozenset(self._spawning)

    @property
    def is_busy(self) -> bool:
        """Whether an errand is under way."""
        return self._is_committing or bool(self._spawning)

    @property
    def is_done(self) -> bool:
        """Whether nothing is under way, and nothing is to be committed."""
        return not self.is_busy and not self._wants_commit

    @property
    def due(self) -> float:
        """When to begin the next commit."""
        return self._next_commit if self._wants_commit and not self._is_committing else _NEVER

    def note(self, told: Told) -> None:
        """Take note of what happened."""
        if told.event in _MOVES:
            self._wants_commit = self._commits
        if told.event is Event.COMPLETED:
            self._started.pop(told.agent, None)

    def last(self) -> None:
        """Ask for one more commit, which has all that is in Redis now."""
        self._wants_commit = self._commits

    def spawn(self, name: str) -> None:
        """Begin to start an agent."""
        if self._started[name] >= _TRIES:
            self._bar(name, f"it was started {_TRIES} times, and ended before it did anything", "")
            return
        self._started[name] += 1
        try:
            self._stage.spawn(name)
        except TTError as error:
            self._bar(name, error.message, error.hint or "")
            return
        self._spawning.add(name)
        self._tell(Told(Event.SPAWNING, agent=name))

    def step(self, *, last: bool = False) -> bool:
        """See what is over, and begin a commit where one is due, or it is the last; say whether an
        agent was started."""
        is_news = False
        for errand in self._stage.errands():
            if errand.kind == "spawn":
                is_news = True
                self._spawned(errand)
            else:
                self._committed(errand)
        if self._wants_commit and not self._is_committing and (last or self._is_time):
            self._commit()
        return is_news

    @property
    def _is_time(self) -> bool:
        return self._clock() >= self._next_commit

    def _commit(self) -> None:
        self._wants_commit = False
        self._next_commit = self._clock() + EVERY
        try:
            self._stage.commit()
        except TTError as error:
            self._committed(Errand("commit", "", error.message, error.hint or ""))
            return
        self._is_committing = True

    def _committed(self, errand: Errand) -> None:
        self._is_committing = False
        if errand.problem and errand.problem != self.problem:
            self._tell(Told(Event.COMMIT_FAILED, message=errand.problem, hint=errand.hint))
        elif errand.said:
            self._tell(Told(Event.COMMITTED, message=errand.said))
        self.problem = errand.problem

    def _spawned(self, errand: Errand) -> None:
        self._spawning.discard(errand.name)
        if errand.problem:
            self._bar(errand.name, errand.problem, errand.hint)

    def _bar(self, name: str, why: str, hint: str) -> None:
        self.barred[name] = why
        self._tell(Told(Event.SPAWN_FAILED, agent=name, message=why, hint=hint))
