"""A conductor on a real town, in which time passes as the test says; and agents that pretend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tests.support.workshops import Yard, done
from tt.app.conduct import Conduct, Terms
from tt.app.stage import Errand, Overheard
from tt.core.agents import Agent
from tt.core.conducted import Event, Told
from tt.core.conducting import Orders
from tt.core.jobs import Board, Job
from tt.errors import StoreError, TTError
from tt.workports import Leader, Workshop

LEASE = 30.0


class PretendLease:
    """A workshop whose leader and whose server's clock are the test's."""

    def __init__(self, workshop: Workshop, clock: Callable[[], float]) -> None:
        self._workshop, self._clock = workshop, clock
        self.lease: tuple[str, float] | None = None
        self.judges = True
        self.error: StoreError | None = None
        self.calls: list[str] = []
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.before: dict[str, Callable[[], object]] = {}

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **named: Any) -> Any:
            self.calls.append(name)
            self.asked.append((name, args))
            if self.error is not None:
                raise self.error
            self.before.pop(name, lambda: None)()
            return getattr(self._workshop, name)(*args, **named)

        return getattr(self._workshop, name) if name == "town" else call

    def lead(self, token: str, seconds: float) -> bool:
        if self.error is not None:
            raise self.error
        if self.lease is not None and self.lease[0] != token and self.lease[1] > self._clock():
            return False
        self.lease = (token, self._clock() + seconds)
        return True

    def leader(self) -> Leader | None:
        if self.lease is None or self.lease[1] <= self._clock():
            return None
        return Leader(self.lease[0], self.lease[1] - self._clock())

    def resign(self, token: str) -> bool:
        was = self.lease is not None and self.lease[0] == token
        self.lease = None if was else self.lease
        return was

    def may_judge(self, lease: float) -> bool:
        return self.judges


class PretendStage:
    """A `Stage`: the town is real, and everything beside it is an attribute."""

    def __init__(self, yard: Yard, clock: Callable[[], float]) -> None:
        self.workshop: Any = PretendLease(yard.workshop, clock)
        self._yard = yard
        self.deaf: str | None = None
        self.tells = True
        self.leader = False
        self.lost = False
        self.plan: Sequence[str] = ()
        self.gone: dict[str, str] = {}
        self.barred: dict[str, str] = {}
        self.spawned: list[str] = []
        self.commits = 0
        self.commit_error: TTError | None = None
        self.over: list[Errand] = []
        self.checks = 0
        self._known = Board()

    def listen(self) -> str | None:
        return self.deaf

    def heard(self) -> Overheard:
        """Say what has changed since it was asked last, as a server would."""
        now, before = self._yard.workshop.board(), self._known
        self._known = now
        heard = Overheard(
            _changed(before.jobs, now.jobs), _changed(before.agents, now.agents),
            before.meta != now.meta, self.leader, self.lost,
        )  # fmt: skip
        self.leader = self.lost = False
        return heard if self.tells and self.deaf is None else Overheard()

    def check(self) -> None:
        self.checks += 1

    def order(self) -> Sequence[str]:
        return self.plan

    def dead(self, agents: Iterable[Agent]) -> Mapping[str, str]:
        return {a.uuid: self.gone[a.name] for a in agents if a.name in self.gone}

    def spawn(self, name: str) -> None:
        if name in self.barred:
            raise TTError(self.barred[name], "Install it.")
        self.spawned.append(name)

    def commit(self) -> None:
        if self.commit_error is not None:
            raise self.commit_error
        self.commits += 1

    def errands(self) -> Sequence[Errand]:
        over, self.over = self.over, []
        return over


def _changed(before: Mapping[str, object], now: Mapping[str, object]) -> frozenset[str]:
    return frozenset(key for key in {*before, *now} if before.get(key) != now.get(key))


class Conducted:
    """A conductor, its stage, and its time."""

    def __init__(self, yard: Yard, orders: Orders | None = None, **terms: Any) -> None:
        self.now = 1000.0
        self.yard = yard
        self.stage = PretendStage(yard, lambda: self.now)
        self.told: list[Told] = []
        self.terms = Terms(orders or Orders(), LEASE, **terms)
        self.conduct = self.another()

    def another(self) -> Conduct:
        """Make a conductor of the same town."""
        return Conduct(self.stage, self.terms, self.told.append, lambda: self.now, lambda: self.now)

    @property
    def lease(self) -> PretendLease:
        found: PretendLease = self.stage.workshop
        return found

    def step(self) -> list[str]:
        """Take a step, and return what was told in short."""
        self.told.clear()
        self.conduct.step()
        return self.said

    def wait(self, seconds: float) -> list[str]:
        """Let time pass, with a step whenever one is due."""
        self.told.clear()
        until = self.now + seconds
        for _ in range(1000):
            self.conduct.step()
            if self.conduct.is_over or self.conduct.due > until:
                break
            self.now = max(self.now, self.conduct.due)
        self.now = until
        return self.said

    @property
    def said(self) -> list[str]:
        return [" ".join(filter(None, (told.event, told.task, told.agent))) for told in self.told]

    def events(self, *wanted: Event) -> list[Told]:
        return [told for told in self.told if told.event in wanted]

    def job(self, name: str) -> Job:
        """Return a task of the plan as it is in Redis."""
        jobs = self.yard.workshop.board().jobs.values()
        return next(job for job in jobs if job.task.id == name)

    def work(self, name: str) -> Job:
        """Have the agent that a task was given to begin it."""
        job = self.job(name)
        return done(self.yard.workshop.claim(job.uuid, job.agent))

    def finish(self, name: str, state: Any = "completed", result: str = "") -> None:
        """Have the agent that has a task end it."""
        job = self.job(name)
        job = self.work(name) if job.state == "assigned" else job
        ended = self.yard.workshop.finish(job.uuid, state, result, claim=job.claim, by=job.agent)
        assert ended.done
