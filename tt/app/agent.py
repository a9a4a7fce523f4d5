"""An agent at work: it waits for messages, claims tasks, runs its program, and reports.

Everything happens in `step`, in one thread, by one clock; nothing is awaited but Redis. What is
asked of Redis can be asked again: a claim is made with the same token, a report with the same
claim, a message is settled when it is dealt with. So it is all the same where it breaks off.

Here is when something is done; what, is in `agentrounds` for tasks and their program, `agentmail`
for messages, and `agenttown` for signs of life and what others say of the agent.
"""

from __future__ import annotations

from typing import Final

from tt.app.agentcondition import Condition
from tt.app.agentduty import Duty, Means
from tt.app.agentmail import Mail
from tt.app.agentports import INBOX, SELF, STOP
from tt.app.agentrounds import Rounds
from tt.app.agenttown import InTown
from tt.core.agents import Agent, AgentState
from tt.core.clis import Reporting
from tt.errors import StoreError

_RETRY: Final = 1.0
LINGER: Final = 0.1
"""Seconds without a next task after which an agent that has worked is idle. To say so between any
two tasks would wake all who look on, each time, for nothing."""
_RESTLESS: Final = (AgentState.COLD, AgentState.STARTING, AgentState.WORKING)


class AgentLoop:
    """One agent that is enlisted, and starting."""

    def __init__(self, me: Agent, duty: Duty, means: Means) -> None:
        self._duty, self._means = duty, means
        self._shop, self._clock, self._say = means.shop, means.clock, means.journal
        self._now = Condition(me, means.clock)
        self._town = InTown(self._now, means)
        self._mail = Mail(me, means.shop, means.wall, means.new_id)
        self._rounds = Rounds(self._now, self._town, self._mail, duty, means)
        self._retry_at = 0.0
        self._is_away = False

    @property
    def filenos(self) -> tuple[int, ...]:
        """What the program may print on."""
        running = self._now.attempt.running if self._now.attempt is not None else None
        return (running.fileno,) if running is not None and running.fileno >= 0 else ()

    @property
    def due(self) -> float:
        """When to call `step` at the latest, if nothing happens before."""
        attempt = self._now.attempt
        if self._now.has_successor:
            return attempt.due if attempt is not None else self._clock()
        talk = 0.0 if self._now.look else min(self._town.next_beat, self._means.ears.due)
        if self._is_away:
            talk = self._retry_at
        if attempt is not None:
            return min(talk, attempt.due, self._town.freezes_at)
        lingers = self._now.state is AgentState.WORKING and not self._is_away
        return min(talk, self._idle_at) if lingers else talk

    @property
    def is_ready(self) -> bool:
        """Whether it has begun to wait for work."""
        return self._now.state not in (AgentState.STARTING, AgentState.COLD)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._now.is_over

    @property
    def failed(self) -> bool:
        """Whether it ended because it could not go on."""
        return self._now.failed

    def end(self, why: str, *, now: bool) -> None:
        """Work no further round; with `now` stop the program, too, and give its task back."""
        self._now.end(why, now=now)

    def step(self) -> None:
        """Do what is due. Raises no StoreError: it is told, and tried again."""
        if self._now.attempt is not None:
            self._now.attempt.mind()
            self._town.mind()
        if self._clock() < self._retry_at:
            return
        try:
            self._talk()
        except StoreError as error:
            self._lose_redis(error)
            return
        if self._is_away:
            self._is_away = False
            self._say("Redis is back.")

    def _lose_redis(self, error: StoreError) -> None:
        self._retry_at = self._clock() + _RETRY
        self._town.next_beat = self._retry_at  # first of all: whose task is it?
        self._means.ears.close()  # nobody listens to them meanwhile: they would only keep us awake
        if not self._is_away:
            self._is_away = True
            self._say(f"Redis is away: {error.message}")
        if self._now.gives_up():
            self._say(f"Stopped: {self._now.ending}. Redis could not be told.")
            self._now.is_over = self._now.failed = True

    def _talk(self) -> None:
        if self._town.gives_way():
            return
        if self._clock() >= self._town.next_beat:
            self._town.beat()
        if self._now.attempt is not None:
            self._rounds.go_on(self._now.attempt)
        self._listen()  # what was done here is heard, too: look at it once
        self._town.heed()
        if self._town.gives_way():
            return
        self._hear_mail()
        while self._now.attempt is None and not self.is_over:
            if not self._go_on():
                break
        self._mail.clear_away()  # only now: the program runs already

    def _listen(self) -> None:
        self._now.look |= self._means.ears.heard()

    def _hear_mail(self) -> None:
        is_news = INBOX in self._now.look
        if is_news:
            self._mail.may_be_more = True
            self._now.look.discard(INBOX)
        if self._now.takes_nothing:
            self._mail.clear_away()
            if not (is_news and self._mail.is_told_to_shut_down()):
                return
        self._mail.collect(self._now.attempt.uuid if self._now.attempt is not None else "")
        if self._mail.shutdown is not None:
            now = self._mail.shutdown.content.get("now") is True
            self.end("told to shut down", now=now)
            self._mail.shutdown = None

    def _go_on(self) -> bool:
        """Begin what comes next; False where there is nothing to do but wait."""
        now = self._now
        now.ending = now.ending or self._done_with()
        if now.ending:
            self._finish()
            return False
        self._listen()  # somebody may have asked to stop since
        if now.look & {STOP, SELF}:
            self._town.heed()
            return True
        if now.state is AgentState.PAUSED:
            return False
        if self._mail.work:
            self._rounds.take_up(self._mail.work[0])
            return True
        if self._mail.has_question and self._duty.cli.report is Reporting.SELF:
            self._rounds.run_errand()
            return False
        self._rest()
        return False

    def _done_with(self) -> str:
        """Say why it has done all that it is for; empty where it has not."""
        if self._duty.rounds and self._rounds.count >= self._duty.rounds:
            rounds = self._duty.rounds
            return "its one round is over" if rounds == 1 else f"its {rounds} rounds are over"
        return "closed" if self._now.state is AgentState.DRAINING and not self._mail.work else ""

    @property
    def _idle_at(self) -> float:
        return self._rounds.ended_at + LINGER

    def _rest(self) -> None:
        """Say that there is nothing to do; a pause that somebody has asked for stays."""
        state = self._now.state
        if state is AgentState.IDLE:
            return
        if state is AgentState.WORKING and self._clock() < self._idle_at:
            return
        since = state if state in _RESTLESS else AgentState.WORKING
        if self._shop.set_state(self._now.me.uuid, AgentState.IDLE, since=since):
            self._now.state = AgentState.IDLE
        else:
            self._now.look.add(SELF)

    def _finish(self) -> None:
        """Leave: what was not begun lies in the inbox for whoever comes."""
        self._mail.put_back()
        self._shop.set_state(self._now.me.uuid, AgentState.STOPPED, self._now.ending)
        self._say(f"Stopped: {self._now.ending}.", activity=True)
        self._now.is_over = True
