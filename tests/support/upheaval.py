"""A town at work while everything around it breaks: agents, conductors, the server.

The agents' program is a shell script that notes when it begins and ends, with its claim. Each thing
that happens is kept in `story`, to be printed where a promise was broken.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final, TypeVar, cast

from tests.support.agents import TT
from tests.support.commands import Place, run_inside
from tests.support.git_repos import git
from tests.support.redis_server import RedisServer, wait_until
from tests.support.workshops import check_history, message
from tt.adapters.clock import SystemClock
from tt.adapters.lives import born_of
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.workshop import RedisWorkshop
from tt.core.agents import GONE, SUPERVISOR, Agent
from tt.core.jobs import Board, Job
from tt.core.messages import Kind, Message
from tt.core.model import FINISHED
from tt.errors import StoreError
from tt.workports import Happened, Terms

T = TypeVar("T")
ROOT: Final = Path(__file__).resolve().parents[2]
TOWN: Final = "{storm}-main"
LEASE: Final = 1.0
ROLES: Final = ("builder", "tester")
PATIENCE: Final = 90.0
"""Seconds for which all is waited for in the end, with nothing breaking any more."""

_SCRIPT: Final = """\
#!/bin/sh
TT='{tt}'
prompt=$(cat)
echo "begin $TT_TASK $TT_CLAIM" >>{notes}
case "$prompt" in
*'[[slow]]'*) sleep 1.7 ;;
*) sleep 0.{tenths} ;;
esac
case "$prompt" in
*'[[flaky]]'*)
    if ! grep -q "^fail $TT_TASK " {notes}; then
        echo "fail $TT_TASK $TT_CLAIM" >>{notes}
        exit 1
    fi ;;
esac
echo "end $TT_TASK $TT_CLAIM" >>{notes}
{report}
"""
_SETTINGS: Final = """\
name = "{town}"

[redis]
timeout = 1.0

[conductor]
lease = {lease}

[agents]
grace = 0.5

[agent_clis.exits]
command = "./exits.sh"

[agent_clis.says]
command = "./says.sh"
report = "self"
"""


def random_plan(chance: random.Random, count: int) -> str:
    """Make a plan in which tasks wait for stages, dependencies and groups, and some fail once."""
    parts = [
        '[[tasks]]\nid = "group"\ndescription = "All of it"\ntags = ["epic"]\nstatus = "pending"\n'
    ]
    for number in range(count):
        mark = (
            chance.choices(["", " [[slow]]", " [[flaky]]"], [4, 4, 2])[0] if number else " [[slow]]"
        )
        lines = [f'id = "t{number}"', f'description = "Task {number}{mark}"', 'status = "pending"']
        lines += [f'agent = "{chance.choice(ROLES) if number else ROLES[0]}"', "retries = 1"]
        if number and chance.random() < 0.3:
            lines += [f'parent = "t{chance.randrange(number)}"']
        elif chance.random() < 0.4:
            lines += ['parent = "group"']
        if number and chance.random() < 0.5:
            before = chance.sample(range(number), min(number, chance.choice([1, 1, 2])))
            lines += [f"depends_on = {[f't{one}' for one in before]}"]
        parts.append("[[tasks]]\n" + "\n".join(lines) + "\n")
    return "\n".join(parts).replace("'", '"')


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
        self._started: dict[int, str] = {}
        self._later: list[tuple[float, Callable[[], object], str]] = []
        self._connection: Connection | None = None

    # Beginning and ending

    def begin(self, tasks: int) -> None:
        """Write all that there is, push the plan, and start everybody."""
        top = self.place.top
        self.place.write(random_plan(self.chance, tasks))
        (top / "tinytown.toml").write_text(_SETTINGS.format(town=TOWN, lease=LEASE))
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
        path.write_text(_SCRIPT.format(tt=TT, notes=str(self.notes), report=report, tenths=tenths))
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
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)
                if number is not signal.SIGCONT:
                    with suppress(AssertionError):
                        wait_until(lambda p=pid, b=born: born_of(p) != b, "its end", 5)  # type: ignore[misc]
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

    def collect(self) -> None:
        """Keep the events that are new; a stream forgets."""
        last = self.events[-1].id if self.events else "0-0"
        self.events += self.ask(lambda shop: shop.events(100_000, after=last))

    def tt(self, *words: str) -> int:
        """Run a command in this process, which may fail; return its code."""
        environment = {**os.environ, "REDIS_URL": self.server.url}
        ended = run_inside([*words], self.place.top, environment)
        assert "Traceback" not in ended.err, ended
        self.note(f"tt {' '.join(words)} # [{ended.code}] {ended.err.strip()[:200]}")
        return ended.code

    # Who is there

    def spawn(self, name: str) -> None:
        """Start an agent that is new, or start it again."""
        number = int(name[1:])
        agent = self.agent(name)
        role, cli = ROLES[number % len(ROLES)], ("says", "exits")[number % 2]
        words = (
            ["spawn", name, "--cli", cli, "--role", role] if agent is None else ["restart", name]
        )
        ended = self.place.process(*words)
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
        environment = {**os.environ, "REDIS_URL": self.server.url, "PYTHONPATH": str(ROOT)}
        with (self.place.top.parent / f"conductor{len(self.conductors)}.log").open("wb") as log:
            self.conductors.append(
                subprocess.Popen(
                    [sys.executable, "-P", "-m", "tt", "conductor"], cwd=self.place.top,
                    env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )
            )  # fmt: skip

    def living(self) -> list[Agent]:
        """List the agents whose processes are there."""
        agents = self.ask(lambda shop: shop.agents()).values()
        return [
            one
            for one in agents
            if one.state not in GONE and one.born and born_of(one.pid) == one.born
        ]

    # What breaks

    def break_something(self) -> None:
        """Let one thing go wrong."""
        moves, weights = zip(*_MOVES.items(), strict=True)
        move = self.chance.choices(moves, weights)[0]
        if move(self):
            self.broken[move.__name__] += 1

    def kill_agent(self) -> bool:
        """Kill an agent, and now and then the one who would clean up after it, first."""
        return self._kill(with_keeper=self.chance.random() < 0.5)

    def _kill(self, *, with_keeper: bool) -> bool:
        found = self._pick()
        if found is None:
            return False
        self.note(f"kill -9 {found.name} {'and its keeper' if with_keeper else ''}")
        if with_keeper:
            _signal(_parent_of(found.pid), signal.SIGKILL)
        _signal(found.pid, signal.SIGKILL)
        self.later(self.chance.uniform(0.1, 1.0), lambda: self.spawn(found.name), "")
        return True

    def kill_conductor(self) -> bool:
        """Kill a conductor; a new one comes."""
        there = [process for process in self.conductors if process.poll() is None]
        if there:
            self.note("kill -9 a conductor")
            self.chance.choice(there).kill()
        self.later(self.chance.uniform(0, 0.5), self.conduct, "a new conductor")
        return bool(there)

    def lose_agent(self) -> None:
        """Kill an agent that has taken a message for its next round, and let it be."""
        victim = next(one for one in self.living() if one.name in self.names[:2])
        news = message(victim.uuid, Kind.INFORMATIONAL, summary="Mind the gap")
        self.ask(lambda shop: shop.send(news))
        with suppress(AssertionError):
            wait_until(lambda: self._has(f"taken:{victim.uuid}", news), "it to be taken", 5)
        self.note(f"kill -9 {victim.name} for good")
        _signal(victim.pid, signal.SIGKILL)
        self.names.remove(victim.name)
        if self._has(f"taken:{victim.uuid}", news) or self._has(f"inbox:{victim.uuid}", news):
            self.lost[victim.uuid] = news.id

    def _has(self, ending: str, wanted: Message) -> bool:
        return any(wanted.id.encode() in raw for raw in self._raw(ending))

    def stop_clock_of_agent(self) -> bool:
        """Let an agent sleep longer than its lease; its program goes on."""
        found = self._pick()
        if found is not None:
            self._sleep(found.pid, LEASE * self.chance.uniform(1.2, 3), found.name)
        return found is not None

    def stop_clock_of_conductor(self) -> bool:
        """Let a conductor sleep longer than its lease."""
        there = [process for process in self.conductors if process.poll() is None]
        if there:
            pid = self.chance.choice(there).pid
            self._sleep(pid, LEASE * self.chance.uniform(1.2, 2), "a conductor")
        return bool(there)

    def _sleep(self, pid: int, seconds: float, name: str) -> None:
        self.note(f"kill -STOP {name} for {seconds:.1f} s")
        _signal(pid, signal.SIGSTOP)
        self.later(seconds, lambda: _signal(pid, signal.SIGCONT), f"kill -CONT {name}")

    def restart_redis(self) -> bool:
        """Kill the server, and start it again."""
        self.note("Redis is killed")
        self.server.stop()
        sleep(self.chance.uniform(0, LEASE))
        self.server.start()
        self.note("Redis is back")
        return True

    def hang_redis(self) -> bool:
        """Let the server answer nobody for a while."""
        assert self.server.process is not None
        self.note("Redis hangs")
        self.server.process.send_signal(signal.SIGSTOP)
        sleep(self.chance.uniform(0.2, 2.5))
        self.server.process.send_signal(signal.SIGCONT)
        return True

    def stop_agent(self) -> bool:
        """Ask an agent to stop, and start it again later."""
        found = self._pick()
        if found is None:
            return False
        self.tt("kill", found.name, *(["--now"] if self.chance.random() < 0.5 else []))
        self.later(self.chance.uniform(1, 2), lambda: self.spawn(found.name), "")
        return True

    def assign(self) -> bool:
        """Give a task to an agent by hand that could be begun."""
        board = self.board()
        done = {job.task.id for job in board.jobs.values() if job.state == "completed"}
        ready = [
            job for job in board.jobs.values() if job.state == "pending" and needs(job) <= done
            and job.task.id != "group"
        ]  # fmt: skip
        if not ready:
            return False
        job = self.chance.choice(sorted(ready, key=lambda one: one.task.id))
        return self.tt("assign", self.chance.choice(self.names), job.task.id) == 0

    def take_away(self) -> bool:
        """Take a task from whoever holds it, and give it to somebody else."""
        board = self.board()
        held = [job for job in board.jobs.values() if job.state in ("assigned", "running")]
        there = [agent for agent in board.agents.values() if agent.state not in GONE]
        if not held or not there:
            return False
        job = self.chance.choice(sorted(held, key=lambda one: one.task.id))
        to = self.chance.choice(sorted(there, key=lambda one: one.name))
        given = self.ask(lambda shop: shop.give_back(job.uuid, "taken away", claim=job.claim))
        self.note(f"{job.task.id} is taken away: {given.done}")
        if given.job is not None and given.job.state == "pending":
            now = given.job
            self.ask(lambda shop: shop.hand_out(now, to.uuid, Terms(1), SUPERVISOR))
        return given.done

    def reopen(self) -> bool:
        """Let a task be done again."""
        jobs = self.board().jobs.values()
        over = sorted(job.task.id for job in jobs if job.state in FINISHED)
        one = self.chance.choice([*over, ""]) if over else ""
        return bool(one) and self.reopen_task(one)

    def reopen_task(self, name: str) -> bool:
        """Let this task be done again."""
        if self.tt("reopen", name) != 0:
            return False
        self.reopened[name] += 1
        return True

    def _pick(self) -> Agent | None:
        """Return an agent that is there, of those at work where there are any."""
        there = sorted(self.living(), key=lambda agent: agent.name)
        busy = [agent for agent in there if agent.current_task]
        return self.chance.choice(busy or there) if there else None

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

    def oversleep(self) -> None:
        """Let the first task's agent sleep until another one has the task; its program reports."""
        wait_until(lambda: self._job("t0").state == "running", "the first task", 30)
        first = self._job("t0")
        holder = self.board().agents[first.agent]
        self._sleep(holder.pid, 3 * LEASE, holder.name)

    def _job(self, name: str) -> Job:
        return next(job for job in self.board().jobs.values() if job.task.id == name)

    def rage(self, times: int) -> None:
        """Let so many things go wrong, one after the other."""
        self.oversleep()
        for _ in range(times):
            until = monotonic() + self.chance.uniform(0.05, 0.8)
            self.break_something()
            while monotonic() < until:
                self.catch_up()
                sleep(0.02)
            self.collect()

    def settle(self) -> None:
        """Let nothing break any more, and wait until all is done; what failed is reopened."""
        self.catch_up(all_of_it=True)
        self.note("# peace")
        self._help(self.board())
        self.lose_agent()
        deadline = monotonic() + PATIENCE
        while True:
            board = self.board()
            if all(job.state == "completed" for job in board.jobs.values()):
                break
            assert monotonic() < deadline, {job.task.id: job for job in board.jobs.values()}
            self._help(board)
            sleep(0.1)
        for process in self.conductors:
            process.wait(30)
        self.collect()

    def _help(self, board: Board) -> None:
        """Do what a person would: start who is not there, and reopen what failed."""
        here = {agent.name for agent in self.living()}
        for name in self.names:
            if name not in here:
                self.spawn(name)
        for job in board.jobs.values():
            if job.state in ("failed", "cancelled"):
                self.reopen_task(job.task.id)
        if all(process.poll() is not None for process in self.conductors):
            self.conduct()

    # What was promised

    def check(self) -> None:
        """Check that no task was lost or done twice at once, and no message vanished."""
        check_history(self.events)
        board = self.board()
        self._check_attempts()
        self._check_order(board)
        self._check_notes()
        self._check_messages(board)

    def _of(self, *kinds: str) -> list[dict[str, str]]:
        return [cast("dict[str, str]", one.data) for one in self.events if one.kind in kinds]

    def _check_attempts(self) -> None:
        """Each attempt that began has ended, and ended once; each task as often as it was to be."""
        begun = Counter(data["claim"] for data in self._of("task_started"))
        over = ("task_completed", "task_failed", "task_requeued", "task_cancelled")
        ended = Counter(data["claim"] for data in self._of(*over) if data["old_state"] == "running")
        assert begun == ended
        assert set(begun.values()) <= {1}
        completed = Counter(data["task_id"] for data in self._of("task_completed"))
        for job in self.board().jobs.values():
            assert 1 <= completed[job.uuid] <= 1 + self.reopened[job.task.id], job

    def _check_order(self, board: Board) -> None:
        """Nothing was begun before all that it waits for had been completed."""
        ids = {job.uuid: job.task.id for job in board.jobs.values()}
        waits = {job.uuid: needs(job) for job in board.jobs.values()}
        done: set[str] = set()
        for event in self.events:
            task = str(event.data.get("task_id", ""))
            if event.kind == "task_started":
                assert waits[task] <= done, f"{ids[task]} was begun before {waits[task] - done}"
            if event.kind == "task_completed":
                done.add(ids[task])

    def _check_notes(self) -> None:
        """What programs did was theirs to do, and what is completed a program has done.

        A program that begins while another one is at the same task finds that one's attempt given
        up before its own began.
        """
        place = {
            (data["claim"], kind): at
            for at, event in enumerate(self.events)
            for kind, data in [(event.kind, cast("dict[str, str]", event.data))]
            if "claim" in data
        }
        begun: dict[str, list[str]] = {}
        ended: set[str] = set()
        for line in self.notes.read_text().splitlines():
            what, task, claim = line.split()
            if what == "begin":
                assert (claim, "task_started") in place, line
                for other in begun.get(task, []):
                    if other not in ended:
                        given_up = [
                            place[other, kind]
                            for kind in ("task_requeued", "task_failed", "task_cancelled")
                            if (other, kind) in place
                        ]
                        assert given_up, f"{line}: {other} was never given up"
                        assert given_up[0] < place[claim, "task_started"], line
                begun.setdefault(task, []).append(claim)
            else:
                ended.add(claim)
        for data in self._of("task_completed"):
            if data.get("claim"):
                assert data["claim"] in ended, data

    def _check_messages(self, board: Board) -> None:
        """Nothing is taken and not dealt with; who handed a task out by hand was told of its end,
        and nobody was told twice of one."""
        for agent in board.agents.values():
            wait_until(lambda uuid=agent.uuid: not self._raw(f"taken:{uuid}"), "taken messages", 10)  # type: ignore[misc]
        for uuid, news in self.lost.items():
            assert news in {one.id for one in self.ask(lambda shop, to=uuid: shop.inbox(to))}  # type: ignore[misc]
        inbox = self.ask(lambda shop: shop.inbox(SUPERVISOR))
        told = Counter(one.text("task_id") for one in inbox if one.kind == "task_done")
        ends = Counter(data["task_id"] for data in self._of("task_completed") if data.get("claim"))
        assert told <= ends
        assert {uuid for uuid in ends if self._wants_word(uuid)} <= told.keys()

    def _wants_word(self, uuid: str) -> bool:
        """Say whether who handed a task out last has no other way to see how it ended."""
        with self.server.connect() as connection:
            raw = connection.execute("HMGET", f"tt:{TOWN}:task:{uuid}", "state", "run:unsaid")
        return raw == [b"completed", None]

    def _raw(self, ending: str) -> list[bytes]:
        with self.server.connect() as connection:
            reply = connection.execute("LRANGE", f"tt:{TOWN}:{ending}", 0, -1)
        return cast("list[bytes]", reply)


_MOVES: Final[dict[Callable[[Upheaval], bool], int]] = {
    Upheaval.kill_agent: 6, Upheaval.kill_conductor: 4, Upheaval.stop_clock_of_agent: 5,
    Upheaval.stop_clock_of_conductor: 2, Upheaval.restart_redis: 2, Upheaval.hang_redis: 1,
    Upheaval.stop_agent: 2, Upheaval.assign: 3, Upheaval.take_away: 4, Upheaval.reopen: 2,
}  # fmt: skip


def needs(job: Job) -> set[str]:
    """Return what a task itself says that it waits for: dependencies, and a stage around it."""
    found = {str(one) for one in cast("tuple[object, ...]", job.task.fields.get("depends_on", ()))}
    parent = str(job.task.fields.get("parent", "group"))
    return found | ({parent} if parent != "group" else set())


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _parent_of(pid: int) -> int:
    """Return who looks after an agent: it started it, and is an agent's process, too."""
    with suppress(OSError):
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        if b"agent-impl" in Path(f"/proc/{parent}/cmdline").read_bytes():
            return parent
    return pid
