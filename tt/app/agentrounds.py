"""The rounds of an agent: a task is claimed, the program runs, and how it ended is told."""

from __future__ import annotations

from typing import Final

from tt.app.agentattempt import Attempt
from tt.app.agentbrief import brief_of, names_of
from tt.app.agentcondition import Condition
from tt.app.agentduty import Duty, Means
from tt.app.agentmail import Mail
from tt.app.agenttown import InTown
from tt.app.agentwords import ended, standing, told
from tt.core.agents import AgentState
from tt.core.endings import Ending, judged
from tt.core.messages import Message
from tt.core.prompts import errand_prompt, task_prompt
from tt.errors import TTError

_STAYS: Final = (AgentState.PAUSED, AgentState.DRAINING)


class Rounds:
    """One round after the other. Raises StoreError as the town does."""

    def __init__(self, now: Condition, town: InTown, mail: Mail, duty: Duty, means: Means) -> None:
        self._now, self._town, self._mail, self._duty, self._means = now, town, mail, duty, means
        self._shop, self._clock, self._say = means.shop, means.clock, means.journal
        self._tokens: dict[tuple[str, str], str] = {}
        self._before = self._number = now.me.rounds_completed
        self.count = 0
        """How many this process has ended."""
        self.ended_at = self._clock()
        """When the last one ended."""

    def take_up(self, message: Message) -> None:
        """Claim the task of a message, and begin with it where it is this agent's."""
        uuid = message.text("task_id")
        token = self._tokens.setdefault((message.id, uuid), self._means.new_id())
        outcome = self._shop.claim(uuid, self._now.me.uuid, token=token)
        del self._tokens[message.id, uuid]
        self._mail.begin(message)
        job = outcome.job
        if not outcome.done or job is None:
            self._say(f"The task {uuid} is not begun: {standing(job)}.")
            return
        if self._now.state not in _STAYS:
            self._now.state = AgentState.WORKING
        self._begin(Attempt(job, token, self._clock, job.timeout or self._duty.timeout))

    def run_errand(self) -> None:
        """Run the program for messages that want an answer."""
        attempt = Attempt(None, self._means.new_id(), self._clock, self._duty.timeout)
        self._now.attempt = attempt
        me = self._now.me.uuid
        if self._shop.set_state(me, AgentState.WORKING, since=AgentState.IDLE):
            self._now.state = AgentState.WORKING
        self._begin(attempt)

    def go_on(self, attempt: Attempt) -> None:
        """Do for an attempt what is due: start its program, tell what it printed, or its end."""
        if attempt.is_waiting:
            self._launch(attempt)
        if attempt.is_over:
            self._report(attempt)
        elif attempt.word:
            self._shop.log(self._now.me.uuid, attempt.word)
            attempt.word = ""

    def _begin(self, attempt: Attempt) -> None:
        self._now.attempt = attempt
        self._launch(attempt)

    def _launch(self, attempt: Attempt) -> None:
        prompt = self._prompt(attempt)
        if self._clock() >= self._town.fence:
            self._town.beat()  # it slept since the claim: is the task still its own?
        if attempt.is_over:
            return
        self._number += 1
        more = {"TT_TASK": attempt.uuid, "TT_CLAIM": attempt.claim, "TT_ROUND": str(self._number)}
        try:
            attempt.running = self._means.bench.begin(prompt, self._number, more)
        except TTError as error:
            attempt.cannot_begin(error.message)
            return
        self._mail.settle_news()
        self._say(f"Round {self._number}: {attempt.name}")

    def _prompt(self, attempt: Attempt) -> str:
        duty, news = self._duty, self._mail.next_news
        if attempt.job is None:
            return errand_prompt(duty.teller, news, names_of(self._shop, news))
        return task_prompt(duty.template, duty.teller, brief_of(self._shop, attempt.job, news))

    def _report(self, attempt: Attempt) -> None:
        """Say how an attempt ended; what was said already is left as it is."""
        if attempt.running is not None and attempt.running.survivors:
            pids = ", ".join(map(str, attempt.running.survivors))
            self._say(f"These processes could not be ended: {pids}.")
        said = self._tell_end(attempt)
        self._now.attempt = None
        self.count += 1
        self.ended_at = self._clock()
        line = self._say(f"Round {self._number}: {attempt.name} {said}")
        self._shop.end_round(self._now.me.uuid, self._before + self.count, line)

    def _tell_end(self, attempt: Attempt) -> str:
        code = attempt.code if attempt.code is not None else -1
        lines = attempt.running.last_lines() if attempt.running is not None else ""
        if attempt.job is None:
            return f"ended ({code})"
        if attempt.is_lost:
            return "was given to somebody else: what this attempt did does not count"
        if attempt.gives_back and not attempt.is_reported:
            given = self._shop.give_back(attempt.uuid, attempt.why, claim=attempt.claim)
            return f"was given back: {attempt.why}" if given.done else told(given.job)
        state, result = judged(self._duty.cli, Ending(code, lines, attempt.why))
        if attempt.is_reported:
            return told(self._shop.jobs([attempt.uuid]).get(attempt.uuid))
        outcome = self._shop.finish(
            attempt.uuid, state, result, claim=attempt.claim, by=self._now.me.uuid
        )
        return ended(outcome, state, result)
