"""A town at work while everything around it breaks: agents, conductors, the server.

The agents' program is a shell script that notes when it begins and ends, with its claim. Each thing
that happens is kept in `story`, to be printed where a promise was broken. What breaks is in
`upheaval_moves`, what was promised in `upheaval_checks`.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep, time
from typing import Final, TypeVar, cast

from tests.support.agents import TT
from tests.support.commands import Place, run_inside
from tests.support.git_repos import git
from tests.support.redis_server import RedisServer, wait_until
from tests.support.upheaval_plans import LEASE, LONG, PROGRAM, ROLES, SETTINGS, TOWN, random_plan
from tests.support.workshops import message
from tt.adapters.clock import SystemClock
from tt.adapters.lives import born_of
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.workshop import RedisWorkshop
from tt.core.agents import GONE, SUPERVISOR, Agent, AgentState
from tt.core.jobs import Board, Job
from tt.core.messages import Kind, Message
from tt.errors import StoreError
from tt.workports import Happened, Terms

T = TypeVar("T")
ROOT: Final = Path(__file__).resolve().parents[2]
CLOCKS: Final = ROOT / "tests" / "support" / "wrong_clock"
PATIENCE: Final = 90.0
"""Seconds for which all is waited for in the end, with nothing breaking any more."""
TAIL: Final = 15.0
"""Seconds in which a program has ended whose attempt was given up, with nothing breaking."""
_WRONG: Final = (0, 0, 7_200, -86_400)
"""By how many seconds the clocks of agents and conductors are wrong, by their numbers."""


class Upheaval:
    """A town, its agents and conductors, and those who break them. To be closed."""

    def __init__(self, place: Place, seed: int, agents: int = 4) -> None:
        self.place, self.chance = place, random.Random(seed)
        self.names = [f"w{number}" for number in range(agents)]
        self.story: list[str] = []
        self.broken: Counter[str] = Counter()
        self.events: list[Happened] = []
        self.reopened: Counter[str] = Counter()
        self.conductors: list[subprocess.Popen[bytes]] = []
        self.lost: dict[str, str] = {}
        """Agents that are not coming back, and a message that each had taken; both by uuid."""
        self.mail: dict[str, bool] = {}
        """Texts that were sent to agents, and whether sending them succeeded for sure."""
        self.asked: dict[str, bool] = {}
        """The same for texts that have to become tasks."""
        self.told: set[str] = set()
        """Texts that were seen in a prompt."""
        self.asleep: list[tuple[str, float, float]] = []
        """Agents that were frozen, from when until they are sure to have looked around again."""
        self.number = 0
        self._started: dict[int, str] = {}
        self._prompts: dict[Path, int] = {}
        self._later: list[tuple[float, Callable[[], object], str]] = []
        self._connection: Connection | None = None

    # Beginning and ending

    def begin(self, tasks: int) -> None:
        """Write all that there is, push the plan, and start everybody."""
        top = self.place.top
        self.place.write(random_plan(self.chance, tasks))
        (top / "tinytown.toml").write_text(SETTINGS)
        self._script("exits", "exit 0", 1)
        self._script("says", '$TT task complete "$TT_TASK" --result done', 2)
        git(top, "add", ".")
        git(top, "commit", "-qm", "plan")
        assert self.tt("sync", "push") == 0, self.story
        for name in self.names:
            self.spawn(name)
        for _ in range(2):
            self.conduct()

    def _script(self, name: str, report: str, tenths: int) -> None:
        path = self.place.top / f"{name}.sh"
        path.write_text(PROGRAM.format(tt=TT, notes=self.notes, over=self.over, long=LONG,
                                       report=report, tenths=tenths))  # fmt: skip
        path.chmod(0o755)

    def close(self) -> None:
        """End all that was started here."""
        self.server.process.send_signal(signal.SIGCONT) if self.server.process else None
        for process in self.conductors:
            process.kill()
            process.wait()
        for pid, born in self._started.items():
            for number in (signal.SIGCONT, signal.SIGTERM, signal.SIGKILL):
                if born_of(pid) == born:
                    send_signal(pid, number)
                if number is not signal.SIGCONT:
                    with suppress(AssertionError):
                        wait_until(lambda p=pid, b=born: born_of(p) != b, "its end", 5)  # type: ignore[misc]
        for pid in self.processes():
            send_signal(pid, signal.SIGKILL)
        if self._connection is not None:
            self._connection.close()

    @property
    def server(self) -> RedisServer:
        """The server of all."""
        return self.place.server

    @property
    def notes(self) -> Path:
        """Where the programs note what they do."""
        return self.place.top.parent / "notes"

    @property
    def over(self) -> Path:
        """What is there when nothing need take long any more."""
        return self.place.top.parent / "over"

    def note(self, line: str) -> None:
        """Add a line to the story."""
        self.story.append(line)

    # Asking Redis, which may be away

    def ask(self, what: Callable[[RedisWorkshop], T]) -> T:
        """Ask the town, again and again while Redis is away."""
        deadline = monotonic() + 30
        while True:
            try:
                if self._connection is None:
                    self._connection = self.server.connect()
                return what(RedisWorkshop(self._connection, TOWN, SystemClock()))
            except StoreError:
                assert monotonic() < deadline, self.story
                if self._connection is not None:
                    self._connection.close()
                self._connection = None
                sleep(0.02)

    def board(self) -> Board:
        """Read everything."""
        return self.ask(lambda shop: shop.board())

    def job(self, name: str) -> Job:
        """Return a task by its plan's id."""
        return next(job for job in self.board().jobs.values() if job.task.id == name)

    def raw(self, ending: str) -> list[bytes]:
        """Return what is in a list of the town."""
        with self.server.connect() as connection:
            reply = connection.execute("LRANGE", f"tt:{TOWN}:{ending}", 0, -1)
        return cast("list[bytes]", reply)

    def collect(self) -> None:
        """Keep the events that are new; a stream forgets."""
        last = self.events[-1].id if self.events else "0-0"
        self.events += self.ask(lambda shop: shop.events(100_000, after=last))

    def tt(self, *words: str) -> int:
        """Run a command in this process, which may fail; return its code."""
        environment = {**os.environ, "REDIS_URL": self.server.url}
        ended = run_inside([*words], self.place.top, environment)
        assert "Traceback" not in ended.err, ended
        assert ended.code != 70, ended
        self.note(f"tt {' '.join(words)} # [{ended.code}] {ended.err.strip()[:200]}")
        return ended.code

    def sync(self, direction: str) -> bool:
        """Sync the plan; where a task was taken out of it that Redis has news of, it stays."""
        code = self.tt("sync", direction)
        if code == 3:
            found = self.place.process("conflicts", "--json", options={}).data["conflicts"]
            for name in sorted({one["id"] for one in found}):
                self.tt("resolve", name, "--store")
        return code == 0

    # Who is there

    def spawn(self, name: str) -> None:
        """Start an agent that is new, or start it again."""
        number = int(name[1:])
        agent = self.agent(name)
        role, cli = ROLES[number % len(ROLES)], ("says", "exits")[number % 2]
        words = (
            ["spawn", name, "--cli", cli, "--role", role] if agent is None else ["restart", name]
        )
        ended = self.place.process(*words, options={}, **_clock(number))
        self.note(f"tt {' '.join(words)} # [{ended.code}] {ended.err.strip()[:200]}")
        found = self.agent(name)
        if found is not None and found.pid:
            self._started[found.pid] = found.born

    def agent(self, name: str) -> Agent | None:
        """Return an agent as it is now."""
        agents = self.ask(lambda shop: shop.agents()).values()
        return next((agent for agent in agents if agent.name == name), None)

    def conduct(self) -> None:
        """Start a conductor."""
        number = len(self.conductors)
        environment = {**os.environ, "REDIS_URL": self.server.url, **_clock(number)}
        with (self.place.top.parent / f"conductor{number}.log").open("wb") as log:
            self.conductors.append(
                subprocess.Popen(
                    [sys.executable, "-P", "-m", "tt", "conductor"], cwd=self.place.top,
                    env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )
            )  # fmt: skip

    def conducting(self) -> list[subprocess.Popen[bytes]]:
        """List the conductors that are there."""
        return [process for process in self.conductors if process.poll() is None]

    def living(self) -> list[Agent]:
        """List the agents whose processes are there."""
        agents = self.ask(lambda shop: shop.agents()).values()
        return [
            one
            for one in agents
            if one.state not in GONE and one.born and born_of(one.pid) == one.born
        ]

    def pick(self) -> Agent | None:
        """Return an agent that is there, of those at work where there are any."""
        there = sorted(self.living(), key=lambda agent: agent.name)
        busy = [agent for agent in there if agent.current_task]
        return self.chance.choice(busy or there) if there else None

    def processes(self) -> dict[int, dict[str, str]]:
        """Return the environments of all processes that work for this town's agents, by pid."""
        found = {}
        mark = f"TT_TOWN_DIR={self.place.top}".encode()
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                lines = path.read_bytes().split(b"\0")
                if mark in lines:
                    texts = (line.decode(errors="replace") for line in lines if b"=" in line)
                    found[int(path.parent.name)] = dict(text.split("=", 1) for text in texts)
        return found

    # Time

    def later(self, seconds: float, what: Callable[[], object], note: str) -> None:
        """Do something after a while."""
        self._later.append((monotonic() + seconds, what, note))

    def catch_up(self, *, all_of_it: bool = False) -> None:
        """Do what is due by now."""
        due = [one for one in self._later if all_of_it or one[0] <= monotonic()]
        self._later = [one for one in self._later if one not in due]
        for _, what, note in due:
            if note:
                self.note(note)
            what()

    def freeze(self, pid: int, seconds: float, name: str, agent: str = "") -> None:
        """Let a process stand still for a while."""
        self.note(f"kill -STOP {name} for {seconds:.1f} s")
        self.asleep.append((agent, time(), time() + seconds + 2 * LEASE))
        send_signal(pid, signal.SIGSTOP)
        self.later(seconds, lambda: send_signal(pid, signal.SIGCONT), f"kill -CONT {name}")

    def oversleep(self) -> None:
        """Let the first task's agent sleep until another one has the task; its program reports."""
        wait_until(lambda: self.job("t0").state == "running", "the first task", 30)
        first = self.job("t0")
        holder = self.board().agents[first.agent]
        self.freeze(holder.pid, 3 * LEASE, holder.name, holder.uuid)

    def look_at_prompts(self) -> None:
        """See what agents were told: a program may be killed before it has read it."""
        for path in (self.place.top / ".tt" / "logs").glob("*.prompt"):
            with suppress(OSError):
                stamp = path.stat().st_mtime_ns
                if self._prompts.get(path) != stamp:
                    self._prompts[path] = stamp
                    self.told |= set(re.findall(r"MAIL-\d+", path.read_text()))

    def rage(self, times: int, moves: Mapping[Callable[[Upheaval], bool], float]) -> None:
        """Let so many things go wrong, one after the other."""
        self.oversleep()
        for _ in range(times):
            until = monotonic() + self.chance.uniform(0.05, 0.8)
            move = self.chance.choices([*moves], [*moves.values()])[0]
            if move(self):
                self.broken[move.__name__] += 1
            while monotonic() < until:
                self.catch_up()
                self.look_at_prompts()
                sleep(0.02)
            self.collect()

    def settle(self) -> None:
        """Let nothing break any more, and wait until all is done; what failed is reopened."""
        self.catch_up(all_of_it=True)
        self.note("# peace")
        self._help(self.board())
        self._lose_agent()
        self._wait_for_programs()
        self.over.touch()
        deadline = monotonic() + PATIENCE
        while True:
            self.look_at_prompts()
            board = self.board()
            if all(job.state == "completed" for job in board.jobs.values()) and not self._waiting():
                break
            assert monotonic() < deadline, {job.task.id: job for job in board.jobs.values()}
            self._help(board)
            sleep(0.1)
        for process in self.conductors:
            process.wait(30)
        self.collect()

    def _help(self, board: Board) -> None:
        """Do what a person would: start who is not there, and see to what nobody sees to."""
        here = {agent.name: agent for agent in self.living()}
        for name in self.names:
            if name not in here:
                self.spawn(name)
            elif here[name].state is AgentState.PAUSED:
                self.tt("resume", name)
        for uuid in self.lost:
            asked = self._has(f"inbox:{uuid}", b'"type":"task"')
            if asked and board.agents[uuid].state in GONE:
                self.tt("reclaim", "--to-backlog", "--from", board.agents[uuid].name)
        there = sorted((agent for agent in here.values() if agent.name in self.names), key=str)
        for job in board.jobs.values():
            if job.state in ("failed", "cancelled"):
                self.reopen_task(job)
            elif job.state == "pending" and job.task.id != "group" and not self._is_for(job):
                to = self.chance.choice(there).uuid if there else ""
                self.ask(lambda shop, one=job, to=to: shop.hand_out(one, to, Terms(1), SUPERVISOR))  # type: ignore[misc]
        if not self.conducting():
            self.conduct()

    def _is_for(self, job: Job) -> bool:
        """Say whether the conductor finds somebody for a task: what was asked of one agent, and has
        come to the plan since, is for that one."""
        return job.tagged and job.task.agent in (*ROLES, *self.names)

    def reopen_task(self, job: Job) -> bool:
        """Let a task be done again."""
        if not job.tagged:
            self.sync("merge")  # it comes to the plan, where it can be reopened
            return False
        if self.tt("reopen", job.task.id) != 0:
            return False
        self.reopened[job.uuid] += 1
        return True

    def _waiting(self) -> bool:
        """Say whether agents have not read all that asks for work; who is not there any more keeps
        the messages of tasks that others have by now."""
        wanted = {agent.uuid: b'"type":"task' for agent in self.living()}
        wanted |= dict.fromkeys(self.lost, b'"type":"task"')
        return any(
            self._has(f"{kind}:{uuid}", text)
            for uuid, text in wanted.items()
            for kind in ("urgent", "inbox", "taken")
        )

    def _lose_agent(self) -> None:
        """Kill an agent that has taken a message for its next round, and let it be."""
        victim = next(one for one in self.living() if one.name in self.names[:2])
        news = message(victim.uuid, Kind.INFORMATIONAL, summary="Mind the gap")
        self.ask(lambda shop: shop.send(news))
        with suppress(AssertionError):
            wait_until(lambda: self._has_message(f"taken:{victim.uuid}", news), "it", 5)
        self.note(f"kill -9 {victim.name} for good")
        send_signal(victim.pid, signal.SIGKILL)
        self.names.remove(victim.name)
        if any(self._has_message(f"{kind}:{victim.uuid}", news) for kind in ("taken", "inbox")):
            self.lost[victim.uuid] = news.id
        else:
            self.lost[victim.uuid] = ""

    def _wait_for_programs(self) -> None:
        """Wait until no program is left whose attempt was given up."""
        try:
            wait_until(lambda: not self.given_up(), "programs to end", TAIL)
        except AssertionError:
            raise AssertionError(f"their attempts were given up: {self.given_up()}") from None

    def given_up(self) -> dict[int, str]:
        """Return the processes, and their claims, whose attempts were given up."""
        self.collect()
        over = {
            str(event.data.get("claim"))
            for event in self.events
            if event.kind in ("task_requeued", "task_cancelled")
        }
        claims = {pid: its.get("TT_CLAIM", "") for pid, its in self.processes().items()}
        return {pid: claim for pid, claim in claims.items() if claim in over}

    def _has(self, ending: str, wanted: bytes) -> bool:
        return any(wanted in raw for raw in self.raw(ending))

    def _has_message(self, ending: str, wanted: Message) -> bool:
        return self._has(ending, wanted.id.encode())


def _clock(number: int) -> dict[str, str]:
    path = os.pathsep.join([str(CLOCKS), str(ROOT)])
    return {"PYTHONPATH": path, "WRONG_BY": str(_WRONG[number % len(_WRONG)])}


def send_signal(pid: int, number: int) -> None:
    """Send a signal to a process that may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
