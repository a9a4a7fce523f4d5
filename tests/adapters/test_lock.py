from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.holding import holding
from tests.support.permissions import needs_permissions
from tt.adapters.lock import WorktreeLock
from tt.errors import LockedError, TTError

HOLD = """
import sys, pathlib
from tt.adapters.lock import WorktreeLock
with WorktreeLock(pathlib.Path(sys.argv[1]), "tt sync \\x1b[31m"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def other_process(path: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """Let another process hold the lock."""
    return holding(HOLD, str(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".git" / "tt" / "lock"


def test_the_lock_is_held_inside_the_with_and_free_after_it(path: Path) -> None:
    lock = WorktreeLock(path, "tt sync")
    assert not lock.held
    with lock:
        assert lock.held
        with pytest.raises(LockedError), WorktreeLock(path, "tt sync", wait=0):
            pass
    assert not lock.held
    with lock, pytest.raises(LockedError), WorktreeLock(path, "tt sync", wait=0):
        pass


def test_the_message_says_who_holds_it_and_control_characters_stay_out(path: Path) -> None:
    lock = WorktreeLock(path, "tt push", wait=0.05)
    with other_process(path) as holder, pytest.raises(LockedError) as caught, lock:
        pass
    assert f"(pid {holder.pid}: tt sync ?[31m)" in caught.value.message
    assert caught.value.hint


def test_the_wait_is_bounded(path: Path) -> None:
    with other_process(path):
        started = time.monotonic()
        with pytest.raises(LockedError), WorktreeLock(path, "tt sync", wait=0.3):
            pass
        assert 0.3 <= time.monotonic() - started < 5


def test_who_waits_gets_it_as_soon_as_it_is_free(path: Path) -> None:
    with other_process(path) as holder:
        assert holder.stdin is not None
        holder.stdin.write("go\n")
        holder.stdin.flush()
        with WorktreeLock(path, "tt sync", wait=30) as lock:
            assert lock.held


def test_a_killed_holder_holds_nothing(path: Path) -> None:
    with other_process(path) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with WorktreeLock(path, "tt sync", wait=0):
            pass


def test_a_started_program_does_not_inherit_it(path: Path) -> None:
    with WorktreeLock(path, "tt sync"):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with WorktreeLock(path, "tt sync", wait=0):
            pass
    finally:
        child.kill()
        child.wait()


def test_an_error_inside_frees_it(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), WorktreeLock(path, "tt sync"):
        raise ZeroDivisionError
    with WorktreeLock(path, "tt sync", wait=0):
        pass


def test_the_file_stays_and_names_only_its_last_holder(path: Path) -> None:
    with WorktreeLock(path, "tt a very long command"):
        inode = path.stat().st_ino
    with WorktreeLock(path, "tt x"):
        assert path.read_text() == f"pid {os.getpid()}: tt x"
    assert path.stat().st_ino == inode
    assert path.stat().st_mode & 0o777 == 0o600


@needs_permissions
def test_a_read_only_directory_is_an_error_with_its_name(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(TTError, match="Permission denied") as caught:
        WorktreeLock(tmp_path / "tt" / "lock", "tt sync").__enter__()
    assert str(tmp_path) in caught.value.message


def test_a_file_in_the_way_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "tt").write_text("")
    with pytest.raises(TTError, match="File exists") as caught:
        WorktreeLock(tmp_path / "tt" / "lock", "tt sync").__enter__()
    assert str(tmp_path) in caught.value.message
    assert not isinstance(caught.value, LockedError)


def test_only_one_of_many_is_inside_at_a_time(path: Path, tmp_path: Path) -> None:
    code = """
import sys, pathlib
from tt.adapters.lock import WorktreeLock
counter = pathlib.Path(sys.argv[2])
for _ in range(50):
    with WorktreeLock(pathlib.Path(sys.argv[1]), "tt", wait=60):
        counter.write_text(str(int(counter.read_text()) + 1))
"""
    counter = tmp_path / "counter"
    counter.write_text("0")
    environment = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", code, str(path), str(counter)]
    processes = [subprocess.Popen(command, env=environment) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert counter.read_text() == "150"
