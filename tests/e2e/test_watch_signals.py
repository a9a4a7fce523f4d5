"""How `tt watch` ends: with the last save synced, in no time, and without a word too much."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from time import monotonic

import pytest

from tests.support.commands import Place
from tests.support.redis_server import Launch, RedisServer
from tests.support.tools import require_tool
from tests.support.watch_yard import WatchYard, plan_text, says
from tests.support.watching import Watcher
from tests.support.watchman import LIMIT_SECONDS

pytestmark = pytest.mark.slow

ENDS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
IN_NO_TIME = 1.0
TRIES = 4
"""One of them has to be quick: the others may be another's turn on the machine."""


@pytest.fixture
def yard(tmp_path: Path, server: RedisServer) -> WatchYard:
    """A repository in step with its town."""
    return WatchYard.make(tmp_path, server, plan_text("one", "two"))


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_a_signal_ends_it_at_once_and_the_last_save_is_synced(
    yard: WatchYard, number: signal.Signals
) -> None:
    took = []
    for attempt in range(TRIES):
        with yard.watched() as watchman:
            yard.save(says("one", f"Last {attempt}"))
            start = monotonic()
            watchman.send(number)
            assert (watchman.ended(), watchman.complaints) == (0, "")
            took.append(monotonic() - start)
        assert yard.says("one") == f"Last {attempt}"
        assert watchman.told()[-1] == "stopped"
        if min(took) < IN_NO_TIME:
            return
    pytest.fail(f"it took {took} seconds")


def test_nohup_lets_it_go_on_without_its_terminal(yard: WatchYard) -> None:
    with Watcher(Place(yard.top, yard.shell.server), before=[require_tool("nohup")]) as watcher:
        watcher.send(signal.SIGHUP)
        yard.save(says("one", "After the terminal"))
        watcher.wait_for_push()
        assert watcher.stop()[-1]["event"] == "stopped"


def test_a_second_interrupt_does_not_wait_for_redis(tmp_path: Path, launch: Launch) -> None:
    server = launch()
    env = {"TT_REDIS_TIMEOUT": "60"}
    yard = WatchYard.make(tmp_path, server, plan_text("one", "two"), env=env)
    assert server.process is not None
    with yard.watched() as watchman:
        server.process.send_signal(signal.SIGSTOP)
        yard.save(says("one", "Nobody hears of it"))
        watchman.send(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            watchman.process.wait(0.5)  # it waits for Redis, to sync the last save
        watchman.send(signal.SIGINT)
        assert watchman.ended(5) == 130
    assert watchman.complaints.strip() == "tt: Interrupted."


def test_whoever_reads_its_lines_may_go(yard: WatchYard) -> None:
    errors = yard.top.parent / "errors"
    with errors.open("w") as stream:
        process = subprocess.Popen(
            ["sh", "-c", "tt watch | head -n 1"],
            cwd=yard.top,
            env=yard.shell.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        yard.save(says("two", "Said to nobody"))
        yard.wait_in_step()
        assert process.wait(LIMIT_SECONDS) == 0
        process.stdout.close()
    assert "Watching tasks.toml" in first
    assert errors.read_text() == ""
