"""`tt watch --two-way`: agents' work comes into the file by itself, and no editor takes it back."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, sleep

import pytest

from tests.support.commands import tasks_of, write_hash
from tests.support.effort import EFFORT
from tests.support.redis_server import RedisServer, wait_until
from tests.support.watch_yard import WatchYard, plan_text, says
from tests.support.watchman import LIMIT_SECONDS

pytestmark = pytest.mark.slow

IDS = tuple(f"t{number}" for number in range(8))
TOWN = "here-main"
AGENTS = 8
STATES = {"dev": 128, "ci": 128, "nightly": 4000}[EFFORT]
EDITS = {"dev": 16, "ci": 16, "nightly": 400}[EFFORT]
_NO_PULSE = """\
import tt.app.watch
tt.app.watch.PULSE = tt.app.watch._PING = 3600
"""


@pytest.fixture
def yard(tmp_path: Path, server: RedisServer) -> WatchYard:
    """A repository in step with its town."""
    return WatchYard.make(tmp_path, server, plan_text(*IDS))


def agent_says(yard: WatchYard, task: str, **fields: str) -> None:
    """Write into a task's hash as an agent does."""
    uuid = tasks_of(yard.shell.server, TOWN)[task]["id"]
    write_hash(yard.shell.server, f"tt:{TOWN}:task:{uuid}", **fields)


def status(yard: WatchYard, task: str) -> object:
    """Return a task's status in the file."""
    return yard.plan.tasks[task].fields.get("status")


def wait_for_status(yard: WatchYard, task: str, wanted: str) -> float:
    """Wait until the file says it; return how long that took."""
    start = monotonic()
    wait_until(lambda: status(yard, task) == wanted, f"{task} to be {wanted}", LIMIT_SECONDS)
    return monotonic() - start


def test_what_an_agent_does_is_in_the_file_within_a_second(yard: WatchYard) -> None:
    took = []
    with yard.watched("--two-way"):
        for task in IDS[:5]:
            agent_says(yard, task, state="running")
            took.append(wait_for_status(yard, task, "running"))
    assert median(took) < 1, took


def test_redis_wakes_it_and_no_pulse(yard: WatchYard) -> None:
    program = yard.shell.programs / "tt"
    text = program.read_text().replace("from tt.cli.main", f"{_NO_PULSE}from tt.cli.main")
    program.write_text(text)
    with yard.watched("--two-way") as watchman:
        agent_says(yard, "t1", state="completed", result="done")
        wait_for_status(yard, "t1", "completed")
    assert "_PING = 3600" in text
    assert set(watchman.told()) == {"started", "synced", "stopped"}


def test_what_an_agent_does_while_nobody_can_hear_it_is_in_the_file_all_the_same(
    yard: WatchYard,
) -> None:
    with yard.watched("--two-way") as watchman, yard.shell.server.connect() as connection:
        for task in IDS[:5]:
            uuid = tasks_of(yard.shell.server, TOWN)[task]["id"]
            connection.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            connection.execute("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes")
            connection.execute("HSET", f"tt:{TOWN}:task:{uuid}", "state", "running")
            wait_for_status(yard, task, "running")
    assert set(watchman.told()) == {"started", "synced", "stopped"}


def test_push_only_is_not_woken_by_agents_and_never_writes_the_file(yard: WatchYard) -> None:
    before = yard.file.stat()
    agent_says(yard, "t4", state="completed")  # it looks at everything when it begins
    with yard.watched() as watchman:
        agent_says(yard, "t1", state="completed")
        yard.tt("status")
        needs = watchman.needs()
        for number in range(200):
            agent_says(yard, "t2", result=f"{number}")
        assert watchman.needs().cpu - needs.cpu < 0.05
        assert yard.file.stat() == before
        assert watchman.told() == ["started", "synced"]
        saved = says("t3", "Edited")(yard.file.read_text())
        mark = watchman.mark()
        yard.replace(saved)
        watchman.wait("synced", mark)
    assert yard.file.read_text() == saved
    assert yard.says("t3") == "Edited"


@pytest.mark.parametrize("way", ["--push-only", "--two-way"])
def test_a_task_without_an_id_gets_one_in_the_file_only_both_ways(
    yard: WatchYard, way: str
) -> None:
    text = f'{yard.file.read_text()}\n[[tasks]]\ndescription = "Nameless"\n'
    with yard.watched(way) as watchman:
        yard.replace(text)
        watchman.wait("synced")
    made = {task.fields["description"]: task.id for task in yard.town().tasks.values()}
    assert len(made) == len(IDS) + 1
    if way == "--push-only":
        assert yard.file.read_text() == text
    else:
        assert yard.plan.tasks[made["Nameless"]].fields["description"] == "Nameless"
        assert f'id = "{made["Nameless"]}"' in yard.file.read_text()


def test_an_old_buffer_that_is_saved_takes_nothing_back(yard: WatchYard) -> None:
    buffer = yard.file.read_text()
    with yard.watched("--two-way"):
        agent_says(yard, "t1", state="completed", result="done")
        wait_for_status(yard, "t1", "completed")
        agent_says(yard, "t2", description="Put in words by somebody else")
        wait_until(lambda: "somebody else" in yard.file.read_text(), "it to be pulled")
        yard.replace(says("t3", "Edited meanwhile")(buffer))
        yard.wait_in_step()
        wait_for_status(yard, "t1", "completed")
    assert yard.says("t2") == "Put in words by somebody else"
    assert yard.says("t3") == "Edited meanwhile"
    assert tasks_of(yard.shell.server, TOWN)["t1"]["result"] == "done"
    yard.assert_in_step()


@contextmanager
def agents_at_work(server: RedisServer, count: int) -> Iterator[None]:
    """Let agents take their tasks from pending to completed; the block ends when all are."""
    keys = {task: f"tt:{TOWN}:task:{raw['id']}" for task, raw in tasks_of(server, TOWN).items()}
    work = [keys[f"w{number}"] for number in range(count)]

    def do(mine: list[str]) -> None:
        with server.connect(LIMIT_SECONDS) as connection:
            for key in mine:
                for state in ("running", "completed"):
                    connection.execute("HSET", key, "state", state, "result", f"by {key}")
                    sleep(random.random() * 0.2)  # as if it worked

    threads = [threading.Thread(target=do, args=(work[n::AGENTS],)) for n in range(AGENTS)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def test_agents_and_an_editor_at_once_lose_nothing(tmp_path: Path, server: RedisServer) -> None:
    work = [f"w{number}" for number in range(STATES // 2)]
    yard = WatchYard.make(tmp_path, server, plan_text(*IDS, *work))
    wanted: dict[str, str] = {}
    with yard.watched("--two-way") as watchman, agents_at_work(server, len(work)):
        for number in range(EDITS):
            task = random.choice([*IDS, *work])
            wanted[task] = f"Edit {number}"
            buffer = says(task, wanted[task])(yard.file.read_text())
            sleep(random.random() * 0.4)  # as long as it takes to type that
            yard.replace(buffer)
            if number % 10 == 5:
                yard.git("commit", "-q", "-a", "-m", f"Edit {number}")
        wait_until(
            lambda: all(status(yard, task) == "completed" for task in work), "all", LIMIT_SECONDS
        )
        yard.wait_in_step()
    assert {task: yard.says(task) for task in wanted} == wanted
    raw = tasks_of(server, TOWN)
    assert all(raw[task]["state"] == "completed" and raw[task]["result"] for task in work)
    assert set(watchman.told()) <= {"started", "synced", "waiting", "resumed", "stopped"}
    assert not [one for one in watchman.news if one.get("report", {}).get("conflicts")]
    assert watchman.told().count("synced") > EDITS // 10
    yard.assert_in_step()
