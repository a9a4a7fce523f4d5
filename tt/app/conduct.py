"""Conducting one town: when it is looked at, decided and acted, and when that is over.

What is heard only says what may be worth a look. What is true is read; and what is done is done by
comparing and setting on the server, so that a conductor which is late, or killed, or not the only
one, does no harm. One at a time leads, by a lease: who has lost it acts no more until it has it
again, and has looked at everything anew.
"""

from __future__ import annotations

from collections.abc import Callable
from shlex import quote
from typing import Final

from tt.app.acting import Acting
from tt.app.errands import Errands
from tt.app.knowing import Knowing
from tt.app.leading import Leading
from tt.app.stage import Stage
from tt.core.conducted import Event, Told
from tt.core.conducting import HandOut, Orders, Seen, Spawn, Step, decide
from tt.core.ledger import Ledger, no_tasks
from tt.core.standstill import Verdict, has_left, judge
from tt.errors import StoreError
from tt.record import record

PING: Final = 15.0
"""Seconds between two proofs that Redis would tell."""
_AGAIN: Final = 1.0
"""Seconds until a step is tried again that did not come about."""
_ROUNDS: Final = 10
_FIRST_RETRY, _LAST_RETRY = 0.5, 5.0
_NEVER: Final = float("inf")


@record
class Terms:
    """How a conductor is run: its orders, the lease in seconds, and what it does besides."""

    orders: Orders
    lease: float = 30.0
    commits: bool = False
    once: bool = False


class Conduct:
    """The conductor of one town. Everything happens in `step`, in one thread, by one `clock`."""

    def __init__(
        self,
        stage: Stage,
        terms: Terms,
        tell: Callable[[Told], None],
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        """Begin with taking the lead. `clock` and `wall` give seconds; `wall` since 1970."""
        self._stage, self._terms, self._tell, self._clock = stage, terms, tell, clock
        self._leading = Leading(stage, terms.lease, tell, clock)
        self._next_ping = clock()
        self._errands = Errands(stage, tell, clock, commits=terms.commits)
        self._knowing = Knowing(stage, terms.lease, self._hear, clock, wall)
        self._acting = Acting(stage, self._knowing, self._errands, tell, clock)
        self._again = _NEVER
        self._offline: str = ""
        self._retry = _FIRST_RETRY
        self._is_sure = False
        self._is_settled = not terms.commits or terms.once
        """Whether the last commit, which may bring tasks into the plan, was looked at as well."""
        self._sight: object = None
        """What a decision was made on last, beside the town."""
        self._missed: frozenset[str] = frozenset()
        self._asked_to_end = False
        self._expected = clock()
        self.verdict: Verdict | None = None
        """How it ended, once it has."""
        self.goes_on = False
        """Whether there was more to wait for at the end of a single step."""

    @property
    def ledger(self) -> Ledger | None:
        """What is known of the town; None where it was not looked at yet."""
        return self._knowing.ledger

    @property
    def seen(self) -> Seen:
        """What was seen besides when a step was decided last."""
        return self._acting.seen

    @property
    def is_leading(self) -> bool:
        """Whether it may act now."""
        return self._leading.holds

    @property
    def listens(self) -> bool:
        """Whether the next step takes in what the town tells. Else it must wake nobody: it would,
        again and again."""
        return not self._offline and self.verdict is None and not self._asked_to_end

    @property
    def commit_problem(self) -> str:
        """Why the newest commit failed; empty where it did not."""
        return self._errands.problem

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and every errand, too."""
        ends = (self.verdict is not None and self._is_settled) or self._asked_to_end
        return ends and self._errands.is_done

    @property
    def due(self) -> float:
        """When to call `step` next, at the latest."""
        if self._offline:
            return self._again
        if self.verdict is not None or self._asked_to_end:
            return self._errands.due
        mine = (self._next_ping, self._knowing.due, self._again) if self.is_leading else ()
        return min(self._leading.due, self._errands.due, *mine)

    def end(self) -> None:
        """Begin nothing any more, whatever there is to do; a last commit is still made."""
        self._asked_to_end = True

    def resign(self) -> None:
        """Let another one lead at once."""
        self._leading.resign()

    def step(self) -> None:
        """Do what is due. Raises TTError where the town has no tasks at all."""
        now = self._clock()
        if self._offline or now > self._expected + self._terms.lease / 3:
            self._acting.was_away()  # Redis was, or this machine slept
        try:
            self._do_what_is_due(now)
        finally:
            self._expected = max(self.due, self._clock())

    def _do_what_is_due(self, now: float) -> None:
        if self._errands.step(last=self.verdict is not None or self._asked_to_end):
            self._knowing.doubt_agents()
        self._look_behind_the_last_commit()
        if self.verdict is not None or self._asked_to_end:
            return
        if self._offline and now < self._again:
            return
        try:
            self._conduct(now)
        except StoreError as error:
            self._lose(error)

    def _look_behind_the_last_commit(self) -> None:
        """Judge once more where the plan was committed since: tasks that were made by hand may have
        come into it, and be under way."""
        if self.verdict is not None and not self._is_settled and self._errands.is_done:
            self.verdict, self._is_settled = None, True
            self._knowing.forget()

    def _conduct(self, now: float) -> None:
        leads = self._leading.take(now)
        self._online()
        if not leads:
            self._asked_to_end |= self._terms.once
            return
        if self._leading.is_new:
            self._knowing.forget()
        if now >= self._next_ping:
            self._next_ping = now + PING
            self._stage.check()
        self._knowing.catch_up(now)
        self._again = _NEVER
        self._act()

    def _act(self) -> None:
        """Do step after step until nothing is left to do, or the lead is lost."""
        for _ in range(_ROUNDS):
            seen = self._acting.look()
            late = self._acting.next_late(self._terms.orders)
            self._again = self._clock() + late
            sight = (seen.dead, seen.spawning, seen.barred, late <= 0)
            if not self._knowing.has_news and sight == self._sight:
                return
            self._knowing.has_news, self._sight = False, sight
            step = self._decide(seen)
            self._miss(step)
            if not step.actions:
                self._consider(step)
                return
            self._is_sure = False
            self._unsettle()
            if self._do(step):
                return
        self._again = self._clock() + _AGAIN
        self._knowing.forget()

    def _miss(self, step: Step) -> None:
        """Say once whom tasks are for that is not there, while there is something else to do."""
        for name in step.nobody if step.goes_on else ():
            if name not in self._missed:
                hint = f"`tt spawn {quote(name)} --cli …` starts one."
                if has_left(self._knowing.needed, name):
                    hint = f"`tt restart {quote(name)}` starts it again."
                self._tell(Told(Event.NOBODY, agent=name, hint=hint))
        self._missed = frozenset(step.nobody)

    def _do(self, step: Step) -> bool:
        """Do what a step says, as long as we lead; say whether there is nothing more to decide:
        somebody has something to do now, and all came as it was decided."""
        expected = True
        for action in step.actions:
            if not self.is_leading:
                self._again = self._clock()
                return True
            expected &= self._acting.do(action)
        begun = any(isinstance(action, HandOut | Spawn) for action in step.actions)
        if not (expected and begun) or self._terms.once:
            return False
        self._knowing.has_news = False
        return True

    def _decide(self, seen: Seen) -> Step:
        ledger = self._knowing.needed
        if not ledger.tasks:
            raise no_tasks(self._stage.workshop.town)
        return decide(ledger, self._terms.orders, seen)

    def _consider(self, step: Step) -> None:
        """End where nothing is left to wait for; that is certain after a look at everything."""
        if step.goes_on and not self._terms.once:
            self._unsettle()
            return
        if not self._is_sure and not self._terms.once:
            self._is_sure = True
            self._knowing.forget()
            self._again = self._clock()
            return
        self.goes_on = step.goes_on
        self.verdict = judge(self._knowing.needed, self._terms.orders, self.seen, step)
        if self._terms.once or not self._is_settled:
            self._errands.last()

    def _unsettle(self) -> None:
        self._is_settled = not self._terms.commits or self._terms.once

    def _hear(self, told: Told) -> None:
        self._errands.note(told)
        self._tell(told)

    def _lose(self, error: StoreError) -> None:
        """Try again, less and less often; agents go on meanwhile. A single step waits for nothing:
        it raises the error."""
        if self._terms.once:
            raise error
        if not self._offline:
            hint = f"{error.hint or ''}\nThe conductor waits for it."
            self._tell(Told(Event.OFFLINE, message=error.message, hint=hint))
        self._offline = error.message
        self._knowing.forget()
        self._again = self._leading.due = self._clock() + self._retry
        self._retry = min(self._retry * 2, _LAST_RETRY)

    def _online(self) -> None:
        if self._offline:
            self._tell(Told(Event.ONLINE))
        self._offline, self._retry = "", _FIRST_RETRY
