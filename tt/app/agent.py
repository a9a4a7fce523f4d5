"""An agent at work: it waits for messages, claims tasks, runs its program, and reports.

Everything happens in `step`, in one thread, by one clock; nothing is awaited but Redis. What is
asked of Redis can be asked again: a claim is made with the same token, a report with the same
claim, a message is settled when it is dealt with. So it is all the same where it breaks off.

The program goes on while Redis is away, for as long as the task is surely its own: a lease. Then it
is frozen; whether it goes on or is stopped is decided when Redis is back and says whose task it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tt.app.agentattempt import Attempt
from tt.app.agentbrief import brief_of, names_of
from tt.app.agentmail import Mail
from tt.app.agentports import EVERYTHING, INBOX, SELF, STOP, Ears, Journal, Workbench
from tt.app.agentwords import ended, standing, told
from tt.core.agents import GONE, Agent, AgentState
from tt.core.clis import Cli, Reporting
from tt.core.endings import Ending, judged
from tt.core.messages import Message
from tt.core.prompts import Teller, errand_prompt, task_prompt
from tt.errors import StoreError, TTError
from tt.ports import Clock
from tt.record import record, replace
from tt.workports import Workshop

_RETRY: Final = 1.0
_NEVER: Final = float("inf")
_BREATH: Final = 3.0
"""Signs of life in a lease."""
_LAST_WORDS: Final = 5.0
"""Seconds for which Redis is waited for to hear that the agent ends."""
LINGER: Final = 0.1
"""Seconds without a next task after which an agent that has worked is idle. To say so between any
two tasks would wake all who look on, each time, for nothing."""
_RESTLESS: Final = (AgentState.COLD, AgentState.STARTING, AgentState.WORKING)


@record
class Duty:
    """What an agent is for. `rounds` is how many it works, 0 without end; `timeout` what a task may
    take that has none of its own, 0 for ever. `template` is the prompt's."""

    cli: Cli
    teller: Teller
    template: str
    rounds: int = 0
    timeout: float = 0.0


@record
class Means:
    """What an agent works with. `new_id` makes a random uuid."""

    shop: Workshop
    bench: Workbench
    ears: Ears
    journal: Journal
    clock: Callable[[], float]
    wall: Clock
    new_id: Callable[[], str]


class AgentLoop:
    """One agent that is enlisted, and starting."""

    def __init__(self, me: Agent, duty: Duty, means: Means) -> None:
        self._me, self._duty, self._means = me, duty, means
        self._shop, self._clock, self._say = means.shop, means.clock, means.journal
        self._mail = Mail(me, means.shop, means.wall, means.new_id)
        self._attempt: Attempt | None = None
        self._state = AgentState.STARTING
        self._look: set[str] = set(EVERYTHING)
        self._tokens: dict[str, str] = {}
        self._rounds, self._rounds_before = 0, me.rounds_completed
        self._number = me.rounds_completed
        self._retry_at = 0.0
        self._is_away = False
        now = self._clock()
        self._lived_at, self._next_beat = now, now + me.lease / _BREATH
        self._ending, self._give_up_at = "", _NEVER
        self._idle_at = now
        self._has_successor = False
        self.is_over = False
        self.failed = False
        """Whether it ended because it could not go on."""

    @property
    def filenos(self) -> tuple[int, ...]:
        """What the program may print on."""
        running = self._attempt.running if self._attempt is not None else None
        return (running.fileno,) if running is not None and running.fileno >= 0 else ()

    @property
    def due(self) -> float:
        """When to call `step` at the latest, if nothing happens before."""
        if self._has_successor:
            return self._attempt.due if self._attempt is not None else self._clock()
        talk = 0.0 if self._look else min(self._next_beat, self._means.ears.due)
        if self._is_away:
            talk = self._retry_at
        if self._attempt is not None:
            return min(talk, self._attempt.due, self._freezes_at)
        lingers = self._state is AgentState.WORKING and not self._is_away
        return min(talk, self._idle_at) if lingers else talk

    @property
    def is_ready(self) -> bool:
        """Whether it has begun to wait for work."""
        return self._state not in (AgentState.STARTING, AgentState.COLD)

    def end(self, why: str, *, now: bool) -> None:
        """Work no further round; with `now` stop the program, too, and give its task back."""
        self._ending = self._ending or why
        self._give_up_at = min(self._give_up_at, self._clock() + _LAST_WORDS)
        if now and self._attempt is not None:
            self._attempt.gives_back = True
            self._attempt.stop(why)

    def step(self) -> None:
        """Do what is due. Raises no StoreError: it is told, and tried again."""
        self._mind()
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

    def _mind(self) -> None:
        attempt = self._attempt
        if attempt is None:
            return
        attempt.mind()
        if self._clock() >= self._freezes_at:
            self._say("No sign of life could be given for a lease: the program stands still.")
            attempt.freeze()

    @property
    def _fence(self) -> float:
        """Until when the task under way is surely this agent's, though Redis be away."""
        attempt = self._attempt
        if attempt is None or not attempt.claims or attempt.is_over or attempt.is_frozen:
            return _NEVER
        return self._lived_at + self._me.lease

    @property
    def _freezes_at(self) -> float:
        """When the program has to stand still, if Redis is not heard of before."""
        is_there = self._attempt is not None and self._attempt.running is not None
        return self._fence if is_there else _NEVER

    def _lose_redis(self, error: StoreError) -> None:
        self._retry_at = self._next_beat = self._clock() + _RETRY  # first of all: whose task is it?
        self._look = set(EVERYTHING)
        self._means.ears.close()  # nobody listens to them meanwhile: they would only keep us awake
        if not self._is_away:
            self._is_away = True
            self._say(f"Redis is away: {error.message}")
        works = self._attempt is not None and not self._attempt.is_over
        if self._ending and not works and self._clock() >= self._give_up_at:
            self._say(f"Stopped: {self._ending}. Redis could not be told.")
            self.is_over = self.failed = True

    def _talk(self) -> None:
        if self._gives_way():
            return
        if self._clock() >= self._next_beat:
            self._beat()
        attempt = self._attempt
        if attempt is not None and attempt.is_waiting:
            self._launch(attempt)
        if attempt is not None and attempt.is_over:
            self._report(attempt)
        elif attempt is not None and attempt.word:
            self._shop.log(self._me.uuid, attempt.word)
            attempt.word = ""
        self._look |= self._means.ears.heard()  # what was done here is heard, too: look at it once
        self._heed()
        if self._gives_way():
            return
        self._hear_mail()
        while self._attempt is None and not self.is_over:
            if not self._go_on():
                break
        self._mail.clear_away()  # only now: the program runs already

    def _beat(self) -> None:
        claims = self._attempt.claims if self._attempt is not None else {}
        lost = self._shop.beat(self._me, claims)
        now = self._clock()
        self._lived_at, self._next_beat = now, now + self._me.lease / _BREATH
        if self._attempt is not None:
            if lost:
                self._look.add(SELF)
            if lost or self._attempt.is_reported:  # it may have been reopened since
                self._check_claim(self._attempt)
            self._attempt.thaw()

    def _heed(self) -> None:
        """Look at what others have said of this agent, and whether they have written to it."""
        if not self._look & {SELF, STOP}:
            return
        found = self._shop.standing(self._me.uuid)
        look, self._look = self._look, self._look & {INBOX} if found.has_mail else set()
        if SELF in look:
            self._see(found.agent)
        if STOP in look and found.must_stop:
            self.end("asked to stop", now=False)

    def _see(self, found: Agent | None) -> None:
        if found is None:
            self.failed = True
            self.end("it is not in the town any more", now=True)
            return
        if not found.is_run_by(self._me):
            self._give_way()
            return
        if found.state in GONE:
            self._come_back(found)
            return
        self._state = found.state
        attempt = self._attempt
        if attempt is not None and attempt.claims and found.current_task != attempt.uuid:
            self._check_claim(attempt)

    def _give_way(self) -> None:
        """It was started anew while it slept: another process is this agent, and all of it is that
        one's: the state, the messages, the tasks."""
        self._say("Stopped: another process is this agent by now.")
        self._has_successor = self.failed = True
        if self._attempt is not None:
            self._attempt.is_lost = True
            self._attempt.stop("another process is this agent by now")

    def _gives_way(self) -> bool:
        """Say whether another process is this agent; it is over as soon as its program is."""
        if self._has_successor:
            self.is_over = self._attempt is None or self._attempt.is_over
        return self._has_successor

    def _come_back(self, found: Agent) -> None:
        """It was taken for dead while it slept: what it held is somebody else's now."""
        if self._attempt is not None:
            self._check_claim(self._attempt)
        if self._ending:
            return
        try:
            self._me = self._shop.enlist(
                replace(found, state=AgentState.STARTING, pid=self._me.pid, born=self._me.born,
                        host=self._me.host, lease=self._me.lease)
            )  # fmt: skip
        except StoreError:
            raise
        except TTError as error:
            self._find_name_taken(error)
            return
        self._say(f"This agent was {found.state} by somebody else; it is back.")
        self._state = AgentState.STARTING
        self._look |= EVERYTHING

    def _find_name_taken(self, error: TTError) -> None:
        now = self._shop.agent(self._me.uuid)
        if now is not None and not now.is_run_by(self._me):
            self._give_way()
            return
        self.failed = True
        self.end(error.message, now=True)

    def _check_claim(self, attempt: Attempt) -> None:
        """See what became of the task under way, of which it is known that it moved."""
        job = self._shop.jobs([attempt.uuid]).get(attempt.uuid) if attempt.uuid else None
        if job is not None and job.state == "running" and job.claim == attempt.claim:
            return
        ended = job is not None and job.state in ("completed", "failed")
        if job is not None and ended and job.agent == self._me.uuid:
            attempt.reported()
            return
        self._say(f"The task {attempt.name} is not this agent's any more: {standing(job)}.")
        attempt.is_lost = True
        attempt.stop("the task was taken away")

    def _hear_mail(self) -> None:
        is_news = INBOX in self._look
        if is_news:
            self._mail.may_be_more = True
            self._look.discard(INBOX)
        if self._state in (AgentState.PAUSED, AgentState.DRAINING) or self._ending:
            self._mail.clear_away()
            if not (is_news and self._mail.is_told_to_shut_down()):
                return
        self._mail.collect(self._attempt.uuid if self._attempt is not None else "")
        if self._mail.shutdown is not None:
            now = self._mail.shutdown.content.get("now") is True
            self.end("told to shut down", now=now)
            self._mail.shutdown = None

    def _go_on(self) -> bool:
        """Begin what comes next; False where there is nothing to do but wait."""
        if not self._ending and self._duty.rounds and self._rounds >= self._duty.rounds:
            self._ending = f"its {self._duty.rounds} rounds are over"
        if not self._ending and self._state is AgentState.DRAINING and not self._mail.work:
            self._ending = "closed"
        if self._ending:
            self._finish()
            return False
        self._look |= self._means.ears.heard()  # somebody may have asked to stop since
        if self._look & {STOP, SELF}:
            self._heed()
            return True
        if self._state is AgentState.PAUSED:
            return False
        if self._mail.work:
            self._take_up(self._mail.work[0])
            return True
        if self._mail.has_question and self._duty.cli.report is Reporting.SELF:
            self._run_errand()
            return False
        self._rest()
        return False

    def _rest(self) -> None:
        """Say that there is nothing to do; a pause that somebody has asked for stays."""
        if self._state is AgentState.IDLE:
            return
        if self._state is AgentState.WORKING and self._clock() < self._idle_at:
            return
        since = self._state if self._state in _RESTLESS else AgentState.WORKING
        if self._shop.set_state(self._me.uuid, AgentState.IDLE, since=since):
            self._state = AgentState.IDLE
        else:
            self._look.add(SELF)

    def _take_up(self, message: Message) -> None:
        """Claim the task of a message, and begin with it where it is this agent's."""
        uuid = message.text("task_id")
        token = self._tokens.setdefault(uuid, self._means.new_id())
        outcome = self._shop.claim(uuid, self._me.uuid, token=token)
        del self._tokens[uuid]
        self._mail.work.popleft()
        self._mail.settle(message)
        if not outcome.done or outcome.job is None:
            self._say(f"The task {uuid} is not begun: {standing(outcome.job)}.")
            return
        if self._state not in (AgentState.PAUSED, AgentState.DRAINING):
            self._state = AgentState.WORKING
        job = outcome.job
        self._attempt = Attempt(job, token, self._clock, job.timeout or self._duty.timeout)
        self._launch(self._attempt)

    def _launch(self, attempt: Attempt) -> None:
        job, duty = attempt.job, self._duty
        if job is None:
            news = self._mail.next_news
            prompt = errand_prompt(duty.teller, news, names_of(self._shop, news))
        else:
            brief = brief_of(self._shop, job, self._mail.next_news)
            prompt = task_prompt(duty.template, duty.teller, brief)
        if self._clock() >= self._fence:
            self._beat()  # it slept since the claim: is the task still its own?
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

    def _report(self, attempt: Attempt) -> None:
        """Say how an attempt ended; what was said already is left as it is."""
        if attempt.running is not None and attempt.running.survivors:
            pids = ", ".join(map(str, attempt.running.survivors))
            self._say(f"These processes could not be ended: {pids}.")
        said = self._tell_end(attempt)
        self._attempt = None
        self._rounds += 1
        self._idle_at = self._clock() + LINGER
        line = self._say(f"Round {self._number}: {attempt.name} {said}")
        self._shop.end_round(self._me.uuid, self._rounds_before + self._rounds, line)

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
            attempt.uuid, state, result, claim=attempt.claim, by=self._me.uuid
        )
        return ended(outcome, state, result)

    def _run_errand(self) -> None:
        self._attempt = Attempt(None, self._means.new_id(), self._clock, self._duty.timeout)
        if self._shop.set_state(self._me.uuid, AgentState.WORKING, since=AgentState.IDLE):
            self._state = AgentState.WORKING
        self._launch(self._attempt)

    def _finish(self) -> None:
        """Leave: what was not begun lies in the inbox for whoever comes."""
        self._mail.put_back()
        self._shop.set_state(self._me.uuid, AgentState.STOPPED, self._ending)
        self._say(f"Stopped: {self._ending}.", activity=True)
        self.is_over = True
