"""Many at once in one town, in threads and in processes of their own, on a real server."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from tests.support.workshops import Yard, check_history
from tt.adapters.clock import SystemClock
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.workshop import RedisWorkshop
from tt.core.agents import SUPERVISOR, Agent
from tt.workports import Terms

ROOT = Path(__file__).resolve().parents[2]
THREADS, TASKS = 8, 200


def work(
    address: Address, town: str, agents: list[Agent], uuids: list[str], seed: int
) -> list[tuple[str, str]]:
    """Be a conductor and every agent at once until all is done; return whose claims ended what."""
    chance, ended = random.Random(seed), []
    with Connection.open(address, 30) as connection:
        shop = RedisWorkshop(connection, town, SystemClock())
        while open_ones := [
            job for job in shop.jobs(uuids).values() if job.state not in ("completed", "failed")
        ]:
            for job in chance.sample(open_ones, min(20, len(open_ones))):
                agent = chance.choice(agents).uuid
                shop.hand_out(job, agent, Terms(1), SUPERVISOR)
                claimed = shop.claim(job.uuid, job.agent or agent)
                if not claimed.done or claimed.job is None:
                    continue
                state = "failed" if chance.random() < 0.1 else "completed"
                mine, by = claimed.job.claim, claimed.job.agent
                if chance.random() < 0.1:
                    shop.give_back(job.uuid, "slow", claim=mine)
                done = shop.finish(job.uuid, state, "r", claim=mine, by=by)  # type: ignore[arg-type]
                if done.done:
                    ended.append((job.uuid, mine))
    return ended


def test_eight_who_want_the_same_tasks_do_each_once(
    connection: Connection, redis_address: Address, town: str
) -> None:
    yard = Yard(town, connection)
    agents = [yard.agent(f"agent-{number}") for number in range(4)]
    uuids = [job.uuid for job in yard.plan(*(f"t{number}" for number in range(TASKS)))]
    connection.execute("CONFIG", "SET", "stream-node-max-entries", 100_000)
    began = perf_counter()
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            asked = [
                pool.submit(work, redis_address, town, agents, uuids, seed)
                for seed in range(THREADS)
            ]
            ended = [pair for future in asked for pair in future.result()]
    finally:
        connection.execute("CONFIG", "SET", "stream-node-max-entries", 100)
    print(f"{TASKS} tasks, {THREADS} threads: {perf_counter() - began:.1f} s")
    events = yard.workshop.events(100_000)
    stands = check_history(events)
    jobs = yard.workshop.jobs(uuids)
    assert stands == {uuid: job.state for uuid, job in jobs.items()}
    assert set(stands.values()) <= {"completed", "failed"}
    kinds = Counter(event.kind for event in events)
    assert kinds["task_completed"] + kinds["task_failed"] == TASKS
    claims = [claim for _, claim in ended]
    assert len(claims) == len(set(claims))
    found = yard.workshop.agents()
    assert sum(agent.tasks_completed for agent in found.values()) == kinds["task_completed"]
    sent = sum(len(yard.workshop.inbox(agent.uuid)) for agent in agents)
    assert sent == kinds["task_assigned"]
    reports = yard.workshop.inbox(SUPERVISOR)
    assert len({message.id for message in reports}) == TASKS


CHILD = """
import sys
from tests.adapters.test_workshop_races import grab
grab(*sys.argv[1:])
"""


def grab(socket: str, town: str, agent: str, mode: str) -> None:
    """Take all messages of an inbox that several read, and do what they say."""
    with Connection.open(Address.unix(socket), 30) as connection:
        shop = RedisWorkshop(connection, town, SystemClock())
        while (message := shop.take(agent)) is not None:
            claimed = shop.claim(message.text("task_id"), agent)
            if claimed.done and claimed.job is not None:
                shop.finish(claimed.job.uuid, "completed", mode, claim=claimed.job.claim, by=agent)
            shop.settle(agent, message)


def test_processes_that_read_one_inbox_share_it(
    connection: Connection, redis_address: Address, town: str
) -> None:
    yard = Yard(town, connection)
    agent, jobs = yard.agent(), yard.plan(*(f"t{number}" for number in range(100)))
    for job in jobs:
        yard.handed(job, agent)
    path = str(redis_address.path)
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, path, town, agent.uuid, str(n)], cwd=ROOT)
        for n in range(4)
    ]
    assert [child.wait(60) for child in children] == [0] * 4
    assert set(check_history(yard.workshop.events(10_000)).values()) == {"completed"}
    assert yard.list(f"taken:{agent.uuid}") == yard.list(f"inbox:{agent.uuid}") == []
    assert len(yard.workshop.inbox(SUPERVISOR)) == 100
