"""A watcher that is killed at any point loses nothing, and leaves nothing that stops another."""

from __future__ import annotations

import random
import sys
from itertools import count
from pathlib import Path
from time import sleep

import pytest

from tests.support.effort import EFFORT
from tests.support.hooked import ROOT
from tests.support.redis_server import RedisServer
from tests.support.watch_yard import WatchYard, plan_text, says
from tests.support.watchman import start_watchman

pytestmark = pytest.mark.slow

IDS = tuple(f"t{number}" for number in range(6))
KILLS = {"dev": 5, "ci": 5, "nightly": 150}[EFFORT]
STRIDE = {"dev": 13, "ci": 13, "nightly": 1}[EFFORT]
_DYING = """\
#!/bin/sh
[ -n "$TT_TEST_STEP" ] && [ "$1" = watch ] || exec "{program}" "$@"
PYTHONPATH="{root}" exec "{python}" "{dying}" "$TT_TEST_STEP" "$@"
"""


@pytest.fixture(params=[(), ("--two-way",)], ids=["push", "two-way"])
def options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How it watches."""
    found: tuple[str, ...] = request.param
    return found


@pytest.fixture
def yard(tmp_path: Path, server: RedisServer) -> WatchYard:
    """A repository in step with its town."""
    return WatchYard.make(tmp_path, server, plan_text(*IDS))


def check_that_the_next_one_goes_on(yard: WatchYard, *options: str) -> None:
    """Start another watcher: nothing is in its way, and all three places agree in the end."""
    with yard.watched(*options) as watchman:
        yard.wait_in_step()
    yard.assert_in_step()
    yard.assert_no_lock()
    assert set(watchman.told()) == {"started", "synced", "stopped"}


def test_kills_at_any_time_between_saves_lose_nothing(
    yard: WatchYard, options: tuple[str, ...]
) -> None:
    """And a field that is edited again before the next start is no conflict with itself."""
    numbers = count()
    wanted: dict[str, str] = {}
    for _ in range(KILLS):
        watchman = start_watchman(yard.top, yard.shell.environment, *options)
        try:
            watchman.wait("started")
            if random.random() < 0.5:
                yard.wait_in_step()  # what was saved before the kill is not missed
            for _ in range(random.randint(1, 3)):
                task = random.choice(IDS[:2])
                wanted[task] = f"Edit {next(numbers)}"
                yard.save(says(task, wanted[task]))
                sleep(random.random() * 0.3)  # any time at all
        finally:
            watchman.kill()
            watchman.close()
        assert {task: yard.plan.tasks[task].description for task in wanted} == wanted
    check_that_the_next_one_goes_on(yard, *options)
    assert {task: yard.says(task) for task in wanted} == wanted


def test_a_kill_at_each_step_of_a_sync_loses_nothing(
    yard: WatchYard, options: tuple[str, ...]
) -> None:
    """A step is a call of the system that sends, writes, renames, removes, starts a program."""
    program = yard.shell.programs / "tt"
    real = program.rename(program.with_name("real-tt"))
    dying = ROOT / "tests" / "support" / "dying.py"
    program.write_text(_DYING.format(program=real, root=ROOT, python=sys.executable, dying=dying))
    program.chmod(0o755)
    deaths = 0
    for step in count(random.randrange(1, STRIDE + 1), STRIDE):
        yard.save(says("t2", f"Edit {step}"))
        environment = {**yard.shell.environment, "TT_TEST_STEP": str(step)}
        watchman = start_watchman(yard.top, environment, *options)
        try:
            watchman.wait_for_end_or("synced")
        finally:
            watchman.kill()
            watchman.close()
        assert watchman.complaints == ""
        if "synced" in watchman.told():
            break
        deaths += 1
        wanted = f"Edit {step} once more"
        yard.save(says("t2", wanted))
        check_that_the_next_one_goes_on(yard, *options)
        assert yard.says("t2") == wanted
    assert deaths > 15 // STRIDE
