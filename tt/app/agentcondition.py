"""How an agent is just now: what its parts know of each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tt.app.agentattempt import Attempt
from tt.app.agentports import EVERYTHING
from tt.core.agents import Agent, AgentState

_LAST_WORDS: Final = 5.0
"""Seconds for which Redis is waited for to hear that the agent ends."""
_NEVER: Final = float("inf")


class Condition:
    """One agent that is enlisted, and starting."""

    def __init__(self, me: Agent, clock: Callable[[], float]) -> None:
        self.me = me
        """The agent as it was enlisted."""
        self.state = AgentState.STARTING
        """Its state in the town, as far as it knows."""
        self.attempt: Attempt | None = None
        """What is under way, until its end was told."""
        self.look: set[str] = set(EVERYTHING)
        """What may have changed, and was not looked at yet."""
        self.ending = ""
        """Why it works no further round; empty while it does."""
        self.has_successor = False
        """Whether another process is this agent by now."""
        self.is_over = False
        self.failed = False
        """Whether it ended because it could not go on."""
        self._clock, self._give_up_at = clock, _NEVER

    @property
    def takes_nothing(self) -> bool:
        """Whether it does not take messages: it pauses, or is about to stop."""
        return self.state in (AgentState.PAUSED, AgentState.DRAINING) or bool(self.ending)

    def end(self, why: str, *, now: bool) -> None:
        """Work no further round; with `now` stop the program, too, and give its task back."""
        self.ending = self.ending or why
        self._give_up_at = min(self._give_up_at, self._clock() + _LAST_WORDS)
        if now and self.attempt is not None:
            self.attempt.gives_back = True
            self.attempt.stop(why)

    def fail(self, why: str) -> None:
        """End at once, because it cannot go on."""
        self.failed = True
        self.end(why, now=True)

    def gives_up(self) -> bool:
        """Say whether it ends although Redis could not be told: that was waited for a while."""
        works = self.attempt is not None and not self.attempt.is_over
        return bool(self.ending) and not works and self._clock() >= self._give_up_at
