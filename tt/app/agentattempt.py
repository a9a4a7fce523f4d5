"""One run of an agent's program: with a task, or with messages that want an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tt.app.agentports import Running
from tt.core.jobs import Job

_AFTER_REPORT: Final = 120.0
"""Seconds in which a program has to end after its task was reported."""
_WORDS: Final = 1.0
"""Seconds between two lines of a program that the town hears of."""
_LONGEST: Final = 200
_NEVER: Final = float("inf")


class Attempt:
    """What is under way. `job` is None without a task; `running` None where it could not begin."""

    def __init__(
        self, job: Job | None, claim: str, clock: Callable[[], float], timeout: float
    ) -> None:
        self.job, self.claim = job, claim
        self.running: Running | None = None
        self.code: int | None = None
        """How the program ended, when it is over."""
        self.why = ""
        """Why it was stopped, or could not begin."""
        self.timeout = timeout
        self.is_reported = False
        self.is_lost = False
        self.gives_back = False
        """Whether somebody else is to do the task: that it was stopped is no fault of it."""
        self.word = ""
        """The last line that it printed, if the town has not heard of it yet."""
        self._has_printed, self._word_due = False, clock() + _WORDS
        self._clock = clock
        self._deadline = clock() + timeout if timeout else _NEVER
        self._frozen_at: float | None = None

    @property
    def uuid(self) -> str:
        """The task's uuid; empty without a task."""
        return self.job.uuid if self.job is not None else ""

    @property
    def name(self) -> str:
        """How the log calls it."""
        return self.job.task.id if self.job is not None else "messages"

    @property
    def is_waiting(self) -> bool:
        """Whether the program has to be started yet."""
        return self.running is None and self.code is None

    @property
    def is_over(self) -> bool:
        """Whether the program is over."""
        return self.code is not None

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen_at is not None

    @property
    def claims(self) -> dict[str, str]:
        """What the agent holds by it, while it does."""
        holds = self.job is not None and not self.is_reported and not self.is_lost
        return {self.uuid: self.claim} if holds else {}

    @property
    def due(self) -> float:
        """When to `mind` it at the latest. What stands still has no deadline."""
        if self.running is None or self.is_over:
            return _NEVER
        deadline = _NEVER if self.is_frozen else self._deadline
        word_due = self._word_due if self._has_printed else _NEVER
        soon = _NEVER if self.running.due is None else self.running.due
        return min(deadline, soon, word_due)

    def cannot_begin(self, why: str) -> None:
        """The program could not be started."""
        self.code, self.why = -1, why

    def mind(self) -> None:
        """Take in what the program prints, see whether it is over, and stop it after its time."""
        if self.running is None or self.code is not None:
            return
        self._has_printed |= self.running.pump()
        self.code = self.running.poll()
        self._take_word(self.running)
        if self.code is None and self._clock() >= self._deadline and not self.is_frozen:
            what = "it had reported, and did not end"
            if not self.is_reported:
                what = f"stopped after its timeout of {self.timeout:g} s"
            self.stop(what)

    def _take_word(self, running: Running) -> None:
        if self._has_printed and self._clock() >= self._word_due:
            self._has_printed, self._word_due = False, self._clock() + _WORDS
            line = running.last_lines().strip().rpartition("\n")[2]
            self.word = "".join(char if char.isprintable() else " " for char in line)[:_LONGEST]

    def stop(self, why: str) -> None:
        """Stop the program; the first reason counts."""
        self._deadline, self._frozen_at = _NEVER, None
        if self.code is None:
            self.why = self.why or why
        if self.running is None:
            self.code = -1
        elif self.code is None:
            self.running.stop()

    def lose(self, why: str) -> None:
        """The task is somebody else's: what this attempt does counts for nothing."""
        self.is_lost = True
        self.stop(why)

    def reported(self) -> None:
        """Somebody has said how the task ended: the program has a while to end, too."""
        self.is_reported = True
        if not self.why:
            self._deadline = min(self._deadline, self._clock() + _AFTER_REPORT)

    def freeze(self) -> None:
        """Let the program stand still: nobody knows whether the task is still its own."""
        if self.running is not None and self.code is None:
            self._frozen_at = self._clock()
            self.running.freeze()

    def thaw(self) -> None:
        """Let it go on; the time that it stood still does not count."""
        if self.running is not None and self._frozen_at is not None:
            self.running.thaw()
            self._deadline += self._clock() - self._frozen_at
            self._frozen_at = None
