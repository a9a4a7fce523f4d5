"""What breaks in a town in upheaval, and what people do in it meanwhile.

Each says whether it came about.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Final, cast

from tests.support.upheaval import Upheaval, send_signal
from tests.support.upheaval_plans import LEASE, another_task
from tt.core.agents import GONE, SUPERVISOR
from tt.core.jobs import Board, Job
from tt.core.model import FINISHED
from tt.workports import Terms

HELD: Final = ("assigned", "running")


def kill_agent(storm: Upheaval) -> bool:
    """Kill an agent, and now and then the one who would clean up after it, first: then nobody ends
    its program until it is restarted."""
    found, with_keeper = storm.pick(), storm.chance.random() < 0.3
    if found is None:
        return False
    storm.note(f"kill -9 {found.name} {'and its keeper' if with_keeper else ''}")
    if with_keeper:
        send_signal(_parent_of(found.pid), signal.SIGKILL)
    send_signal(found.pid, signal.SIGKILL)
    storm.later(storm.chance.uniform(0.1, 1.0), lambda: storm.spawn(found.name), "")
    return True


def kill_conductor(storm: Upheaval) -> bool:
    """Kill a conductor; a new one comes."""
    there = storm.conducting()
    if there:
        storm.note("kill -9 a conductor")
        storm.chance.choice(there).kill()
    storm.later(storm.chance.uniform(0, 0.5), storm.conduct, "a new conductor")
    return bool(there)


def stop_clock_of_agent(storm: Upheaval) -> bool:
    """Let an agent sleep longer than its lease; its program goes on."""
    found = storm.pick()
    if found is not None:
        seconds = LEASE * storm.chance.uniform(1.2, 3)
        storm.freeze(found.pid, seconds, found.name, found.uuid)
    return found is not None


def stop_clock_and_restart(storm: Upheaval) -> bool:
    """Let an agent sleep until it is taken for dead and started anew; then it wakes up."""
    found = storm.pick()
    if found is None:
        return False
    storm.freeze(found.pid, LEASE * 3, found.name, found.uuid)
    storm.later(LEASE * storm.chance.uniform(1.3, 2.5), lambda: storm.spawn(found.name), "")
    return True


def stop_clock_of_conductor(storm: Upheaval) -> bool:
    """Let a conductor sleep longer than its lease."""
    there = storm.conducting()
    if there:
        pid = storm.chance.choice(there).pid
        storm.freeze(pid, LEASE * storm.chance.uniform(1.2, 2), "a conductor")
    return bool(there)


def restart_redis(storm: Upheaval) -> bool:
    """Kill the server, and start it again."""
    storm.note("Redis is killed")
    storm.server.stop()
    sleep(storm.chance.uniform(0, LEASE))
    storm.server.start()
    storm.note("Redis is back")
    return True


def hang_redis(storm: Upheaval) -> bool:
    """Let the server answer nobody for a while."""
    assert storm.server.process is not None
    storm.note("Redis hangs")
    storm.server.process.send_signal(signal.SIGSTOP)
    sleep(storm.chance.uniform(0.2, 2.5))
    storm.server.process.send_signal(signal.SIGCONT)
    return True


def cut_connections(storm: Upheaval) -> bool:
    """Let everybody lose the connection, in the middle of whatever is asked."""
    storm.note("all connections are cut")
    with storm.server.connect() as connection:
        connection.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    return True


def stop_agent(storm: Upheaval) -> bool:
    """Ask an agent to stop, in one of the ways there are, and start it again later."""
    found = storm.pick()
    if found is None:
        return False
    words = storm.chance.choice([["kill"], ["kill", "--now"], ["close"]])
    storm.tt(words[0], found.name, *words[1:])
    storm.later(storm.chance.uniform(1, 2), lambda: storm.spawn(found.name), "")
    return True


def stop_everybody(storm: Upheaval) -> bool:
    """Ask all agents to stop, and start them again later."""
    storm.tt("stop", *(["--now"] if storm.chance.random() < 0.5 else []))
    for name in storm.names:
        storm.later(storm.chance.uniform(0.5, 2), lambda name=name: storm.spawn(name), "")  # type: ignore[misc]
    return True


def interrupt_agent(storm: Upheaval) -> bool:
    """Let an agent pause for a while."""
    found = storm.pick()
    if found is None or storm.tt("interrupt", found.name) != 0:
        return False
    seconds = storm.chance.uniform(0.1, 2)
    storm.later(seconds, lambda: storm.tt("resume", found.name), "")
    return True


def restart_agent(storm: Upheaval) -> bool:
    """Restart somebody who may be at work: then it is refused."""
    storm.spawn(storm.chance.choice(storm.names))
    return True


def assign(storm: Upheaval) -> bool:
    """Give a task to an agent by hand that could be begun."""
    board = storm.board()
    done = {job.task.id for job in board.jobs.values() if job.state == "completed"}
    ready = [
        job for job in board.jobs.values() if job.state == "pending" and needs(job) <= done
        and job.task.id != "group"
    ]  # fmt: skip
    if not ready:
        return False
    job = storm.chance.choice(by_id(ready))
    return storm.tt("assign", storm.chance.choice(storm.names), job.task.id) == 0


def take_away(storm: Upheaval) -> bool:
    """Take a task from whoever holds it, and give it to somebody else."""
    board = storm.board()
    held = [job for job in board.jobs.values() if job.state in HELD]
    there = [agent for agent in board.agents.values() if agent.state not in GONE]
    if not held or not there:
        return False
    job = storm.chance.choice(by_id(held))
    to = storm.chance.choice(sorted(there, key=lambda one: one.name))
    given = storm.ask(lambda shop: shop.give_back(job.uuid, "taken away", claim=job.claim))
    storm.note(f"{job.task.id} is taken away: {given.done}")
    if given.job is not None and given.job.state == "pending":
        now = given.job
        storm.ask(lambda shop: shop.hand_out(now, to.uuid, Terms(1), SUPERVISOR))
    return given.done


def end_by_hand(storm: Upheaval) -> bool:
    """Let a person say how a task ended that an agent holds, or that nobody has begun."""
    board = storm.board()
    open_ = [one for one in board.jobs.values() if one.state in (*HELD, "pending")]
    open_ = [one for one in open_ if one.task.id != "group" and one.tagged]
    held = [one for one in open_ if one.state in HELD]
    if not open_:
        return False
    job = storm.chance.choice(by_id(held or open_))
    word = storm.chance.choice(["complete", "complete", "fail"])
    return storm.tt("task", word, job.task.id, "--result", "by hand") == 0


def reopen(storm: Upheaval) -> bool:
    """Let a task be done again."""
    jobs = storm.board().jobs.values()
    over = by_id(job for job in jobs if job.state in FINISHED and job.tagged)
    return bool(over) and storm.reopen_task(storm.chance.choice(over))


def recover(storm: Upheaval) -> bool:
    """Recover by hand, all or one of whom somebody says that it is dead."""
    named = [storm.chance.choice(storm.names)] if storm.chance.random() < 0.5 else []
    return storm.tt("recover", *named) == 0


def reclaim(storm: Upheaval) -> bool:
    """Give the work of those who are gone to somebody else by hand."""
    to = ["--to", storm.chance.choice(storm.names)]
    return storm.tt("reclaim", *storm.chance.choice([["--to-backlog"], to])) == 0


def send_news(storm: Upheaval) -> bool:
    """Tell or ask an agent something."""
    storm.number += 1
    text = f"MAIL-{storm.number}"
    words = [*storm.chance.choice([["--info"], ["--query"]])]
    words += ["--urgent"] if storm.chance.random() < 0.4 else []
    storm.mail[text] = storm.tt("send", storm.chance.choice(storm.names), text, *words) == 0
    return storm.mail[text]


def send_work(storm: Upheaval) -> bool:
    """Ask an agent to do something that is in no plan."""
    storm.number += 1
    text, to = f"WORK-{storm.number}", storm.chance.choice(storm.names)
    words = storm.chance.choice(
        [["send", to, text], ["send", to, text, "--urgent"], ["assign", to, text, "--new"]]
    )
    storm.asked[text] = storm.tt(*words) == 0
    return storm.asked[text]


def edit_plan(storm: Upheaval) -> bool:
    """Edit the plan and sync it: a description, one task more, or one less."""
    kind, text = storm.chance.choice(["text", "more", "less"]), storm.place.file.read_text()
    if kind == "text":
        text = re.sub(r'(description = "Task )', r"\1again ", text)
    elif kind == "more":
        storm.number += 1
        text += another_task(storm.chance, f"n{storm.number}", re.findall(r'id = "(t\d+)"', text))
    else:
        text = _without_one(storm, text)
    storm.place.write(text)
    storm.note(f"the plan is edited: {kind}")
    return storm.sync(storm.chance.choice(["merge", "merge", "push"]))


def _without_one(storm: Upheaval, text: str) -> str:
    """Take a task out for which nothing waits; of one that came later this is sure."""
    parts = text.split("[[tasks]]")
    found = [part for part in parts if re.search(r'^id = "n\d+"', part, re.MULTILINE)]
    if not found:
        return text
    parts.remove(storm.chance.choice(found))
    return "[[tasks]]".join(parts)


MOVES: Final[dict[Callable[[Upheaval], bool], float]] = {
    kill_agent: 6, kill_conductor: 4, stop_clock_of_agent: 4, stop_clock_and_restart: 2,
    stop_clock_of_conductor: 2, restart_redis: 2, hang_redis: 1, cut_connections: 2,
    stop_agent: 2, stop_everybody: 0.5, interrupt_agent: 2, restart_agent: 1, assign: 3,
    take_away: 4, end_by_hand: 2, reopen: 2, recover: 2, reclaim: 2, send_news: 4, send_work: 2,
    edit_plan: 3,
}  # fmt: skip


def by_id(jobs: object) -> list[Job]:
    """Sort tasks by their ids."""
    return sorted(cast("list[Job]", jobs), key=lambda one: one.task.id)


def needs(job: Job) -> set[str]:
    """Return what a task itself says that it waits for: dependencies, and a stage around it."""
    found = {str(one) for one in cast("tuple[object, ...]", job.task.fields.get("depends_on", ()))}
    parent = str(job.task.fields.get("parent", "group"))
    return found | ({parent} if parent != "group" else set())


def everything_needed(board: Board) -> dict[str, set[str]]:
    """Return what each task waits for, by uuid."""
    return {job.uuid: needs(job) for job in board.jobs.values()}


def _parent_of(pid: int) -> int:
    """Return who looks after an agent: it started it, and is an agent's process, too."""
    with suppress(OSError):
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        if b"agent-impl" in Path(f"/proc/{parent}/cmdline").read_bytes():
            return parent
    return pid
