"""What a conductor knows of its town: read wholly at first and after a loss, then as it is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from tt.app.stage import Stage
from tt.core.agents import Agent
from tt.core.conducted import Event, Told, told_of_agent, told_of_task
from tt.core.conducting import may_be_late
from tt.core.jobs import Board, Job
from tt.core.ledger import Ledger, Turn
from tt.core.times import since_1970

DEAF: Final = 1.0
"""Seconds between two looks at a town whose server cannot tell what changes."""
_SPARING: Final = 20.0
"""Looks at everything that are only worth while take at most one part in so many of the time."""
_NEVER: Final = float("inf")


class Knowing:
    """The ledger of one town, and since when what is running runs."""

    def __init__(
        self,
        stage: Stage,
        lease: float,
        tell: Callable[[Told], None],
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._stage, self._lease, self._tell = stage, lease, tell
        self._clock, self._wall = clock, wall
        self._ledger: Ledger | None = None
        self._is_lost = True
        self._wants_board = self._doubts_agents = False
        self._next_board = self._next_agents = self._next_deaf = _NEVER
        self._begun: dict[str, tuple[str, float]] = {}
        self._said: set[str] = set()
        self.has_news = True
        """Whether something changed that a decision may depend on, since that was set to False."""

    @property
    def ledger(self) -> Ledger | None:
        """What is known; None before the first look."""
        return self._ledger

    @property
    def needed(self) -> Ledger:
        """What is known, after a look."""
        assert self._ledger is not None  # noqa: S101  every step begins with `catch_up`
        return self._ledger

    @property
    def due(self) -> float:
        """When there is something to look at even if nobody tells."""
        board = self._next_board if self._wants_board else _NEVER
        return min(board, self._next_agents, self._next_deaf)

    def forget(self) -> None:
        """Look at everything next."""
        self._is_lost = True

    def doubt_agents(self) -> None:
        """Look at all agents next, whether or not somebody told of them."""
        self._doubts_agents = True

    def catch_up(self, now: float) -> None:
        """Take in what was told since; look at everything where that is not enough."""
        heard = None if self._is_lost else self._stage.heard()
        if heard is None or heard.lost or now >= self._next_deaf:
            self._look(now)
            return
        self._wants_board |= heard.town
        if self._wants_board and now >= self._next_board:
            self._look(now)
            return
        if heard.tasks:
            self.take_in(heard.tasks, self._stage.workshop.jobs(heard.tasks))
        self._look_at_agents(heard.agents, now)
        if self.needed.is_stale:
            self._look(now)

    def take_in(self, uuids: Collection[str], found: Mapping[str, Job]) -> None:
        """Take in how some tasks are now, and tell what became of them."""
        now = self._clock()
        for turn in self.needed.update(uuids, found):
            if turn.after is not None and turn.after.state == "running":
                self._begun[turn.after.uuid] = (_attempt(turn.after), now)
            self.has_news |= _matters(turn)
            self._tell_of(turn)

    def _look_at_agents(self, heard: Collection[str], now: float) -> None:
        """Look at those who were told of; from time to time at all that are known. Only where
        somebody new may have been missed every key of the server is looked at."""
        is_time = self._doubts_agents or now >= self._next_agents
        if not is_time and not heard:
            return
        before = self.needed.agents
        asked = None if self._doubts_agents else {*before, *heard} if is_time else heard
        found = self._stage.workshop.agents(asked)
        rest = set() if asked is None else before.keys() - asked
        kept = {uuid: before[uuid] for uuid in before if uuid in found or uuid in rest}
        self._meet({**kept, **found})
        if is_time:
            self._next_agents, self._doubts_agents = now + self._lease / 3, False

    def look_at_agent(self, uuid: str, *, quietly: bool = False) -> Agent | None:
        """Read one agent anew."""
        agent, others = self._stage.workshop.agent(uuid), dict(self.needed.agents)
        if agent is None:
            others.pop(uuid, None)
        else:
            others[uuid] = agent
        self._meet(others, quietly=quietly)
        return agent

    def busy(self) -> dict[str, float]:
        """Return for how many seconds the attempts have run that other tools do not end.

        What was seen to begin is measured by the clock here; else its own word has to do.
        """
        ledger, now = self.needed, self._clock()
        late = {uuid: job for uuid, job in ledger.held.items() if may_be_late(ledger, job)}
        for uuid, job in late.items():
            attempt, _ = self._begun.get(uuid, ("", now))
            if attempt != _attempt(job):
                self._begun[uuid] = (_attempt(job), now - self._ran(job))
        self._begun = {uuid: known for uuid, known in self._begun.items() if uuid in ledger.held}
        return {uuid: now - self._begun[uuid][1] for uuid in late}

    def _ran(self, job: Job) -> float:
        began = since_1970(job.started_at)
        return 0.0 if began is None else max(self._wall() - began, 0.0)

    def _look(self, now: float) -> None:
        """Look at everything. What is told from before it was asked for is not news after it."""
        why = self._stage.listen()
        if why is not None:
            self._once(Event.DEAF, why)
        self._stage.heard()
        started = self._clock()
        board, order = self._stage.workshop.board(), self._stage.order()
        self._next_board = now + _SPARING * (self._clock() - started)
        self._next_deaf = max(now + DEAF, self._next_board) if why is not None else _NEVER
        self._next_agents = now + self._lease / 3
        self._is_lost = self._wants_board = self._doubts_agents = False
        self._stage.workshop.may_judge(self._lease)  # a restart from here on is known for one
        self._replace(board, Ledger(board, order))

    def _replace(self, board: Board, ledger: Ledger) -> None:
        before = self._ledger
        self.has_news = True
        for fault in board.faults:
            self._once(Event.FAULT, f"{fault.key} is set aside: {fault.why}")
        if before is not None:
            self._meet(board.agents)
            for turn in before.update({*before.jobs, *board.jobs}, board.jobs):
                self._tell_of(turn)
        self._ledger = ledger

    def _meet(self, agents: Mapping[str, Agent], *, quietly: bool = False) -> None:
        before = self.needed.agents
        self.needed.agents = agents
        for uuid in dict.fromkeys((*before, *agents)):
            was, now = before.get(uuid), agents.get(uuid)
            if was is now:
                continue
            self.has_news |= _standing(was) != _standing(now)
            told = None if quietly else told_of_agent(was, now)
            if told is not None:
                self._tell(told)

    def _tell_of(self, turn: Turn) -> None:
        told = told_of_task(turn, self.needed.agents)
        if told is not None:
            self._tell(told)

    def _once(self, event: Event, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._tell(Told(event, message=message))


def _matters(turn: Turn) -> bool:
    """Say whether a decision may depend on it: that an agent begins with what it has does not."""
    before, after = turn.before, turn.after
    if before is None or after is None or before.state != "assigned" or after.state != "running":
        return True
    return before.agent != after.agent


def _standing(agent: Agent | None) -> object:
    """Return what of an agent a decision may depend on."""
    if agent is None:
        return None
    return agent.state, agent.name, agent.role, agent.nickname, agent.alive, agent.is_ours


def _attempt(job: Job) -> str:
    return f"{job.claim} {job.started_at}"
