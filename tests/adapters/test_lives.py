"""Whether the processes of agents live, told by real processes."""

from __future__ import annotations

import errno
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tt.adapters.lives import Vigil, born_of
from tt.adapters.processes import this_host
from tt.core.agents import Agent, AgentState


@pytest.fixture
def vigil() -> Iterator[Vigil]:
    found = Vigil()
    yield found
    found.close()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing until it is killed."""
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def agent(pid: int, born: str, host: str = "") -> Agent:
    return Agent("uuid", "dev", AgentState.WORKING, host=host or this_host(), pid=pid, born=born)


def test_a_process_that_is_there_lives(vigil: Vigil, sleeper: subprocess.Popen[bytes]) -> None:
    assert born_of(sleeper.pid)
    assert vigil.dead([agent(sleeper.pid, born_of(sleeper.pid))]) == {}


def test_a_process_that_was_killed_is_dead_and_wakes_who_waits(
    vigil: Vigil, sleeper: subprocess.Popen[bytes]
) -> None:
    known = agent(sleeper.pid, born_of(sleeper.pid))
    vigil.dead([known])
    poller = select.poll()
    for number in vigil.filenos:
        poller.register(number, select.POLLIN)
    sleeper.kill()
    assert poller.poll(10_000)
    assert vigil.dead([known]) == {"uuid": f"its process {sleeper.pid} is gone"}
    assert vigil.filenos == ()


def test_a_process_that_nobody_has_asked_how_it_ended_is_dead(
    vigil: Vigil, sleeper: subprocess.Popen[bytes]
) -> None:
    known = agent(sleeper.pid, born_of(sleeper.pid))
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert born_of(sleeper.pid) == ""
    assert list(vigil.dead([known])) == ["uuid"]


def test_a_later_process_with_the_same_number_is_not_it(
    vigil: Vigil, sleeper: subprocess.Popen[bytes]
) -> None:
    assert list(vigil.dead([agent(sleeper.pid, "ticks 1")])) == ["uuid"]


def test_a_process_that_may_not_be_looked_at_lives_until_it_is_gone(
    vigil: Vigil, sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's where `/proc` hides those, or no descriptor is left to look with."""
    known = agent(sleeper.pid, born_of(sleeper.pid))

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("tt.adapters.lives.open", refuse, raising=False)
    monkeypatch.setattr(os, "pidfd_open", refuse)
    assert vigil.dead([known]) == {}
    sleeper.kill()
    sleeper.wait()
    assert list(vigil.dead([known])) == ["uuid"]


def test_another_machine_of_the_same_name_is_another_one() -> None:
    run = Path("/proc/sys/kernel/random/boot_id")
    if not run.exists():
        pytest.skip("this kernel does not tell its runs apart")
    assert run.read_text().strip() in this_host().split()


def test_where_only_the_number_is_known_it_has_to_do(
    vigil: Vigil, sleeper: subprocess.Popen[bytes]
) -> None:
    assert vigil.dead([agent(sleeper.pid, "")]) == {}


def test_nothing_is_said_of_processes_on_other_machines(vigil: Vigil) -> None:
    assert vigil.dead([agent(2**22 - 1, "ticks 1", host="elsewhere")]) == {}
    assert vigil.dead([agent(0, "")]) == {}


def test_who_is_not_asked_for_any_more_is_watched_no_more(
    vigil: Vigil, sleeper: subprocess.Popen[bytes]
) -> None:
    vigil.dead([agent(sleeper.pid, born_of(sleeper.pid))])
    assert len(vigil.filenos) == 1
    vigil.dead([])
    assert vigil.filenos == ()
