"""One process at a time watches; who it is can be known, and it can be told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support.holding import holding
from tt.adapters.processes import HAS_PROC, this_host
from tt.adapters.watchpost import WatchPost
from tt.core.watcher import Watcher, WatchState
from tt.errors import TTError, WatchedError
from tt.record import replace

HOLD = """
import os, pathlib, signal, sys
from tt.adapters.processes import this_host
from tt.adapters.watchpost import WatchPost
from tt.core.watcher import Watcher, WatchState
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
host = "elsewhere" if "elsewhere" in sys.argv else this_host()
since = "2026-01-02T03:04:05+00:00"
me = Watcher(os.getpid(), since, "background", True, host=host, log="/the/log")
with WatchPost(pathlib.Path(sys.argv[1])).taken(me) as post:
    post.note(WatchState("waiting", "a rebase is in progress", synced="2026-01-02T03:04:06+00:00"))
    print("held", flush=True)
    signal.pause() if "deaf" not in sys.argv else sys.stdin.read()
"""
ME = Watcher(os.getpid(), "2026-01-02T03:04:05+00:00", host=this_host())
FINE = WatchState("in step")


def other_watcher(private: Path, *how: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """Let another process watch; a `deaf` one does not hear that it shall end."""
    return holding(HOLD, str(private), *how)


@pytest.fixture
def private(tmp_path: Path) -> Path:
    return tmp_path / ".git" / "tt"


def test_nobody_watches_where_nothing_was_ever_written(private: Path) -> None:
    assert WatchPost(private).holder() is None
    assert WatchPost(private).watching() is None
    assert WatchPost(private).stop() is None
    assert not private.exists()


def test_who_watches_and_how_it_goes_is_known_to_others(private: Path) -> None:
    with other_watcher(private) as process:
        found = WatchPost(private).watching()
        assert found is not None
        assert (found.watcher.pid, found.watcher.two_way) == (process.pid, True)
        assert (found.watcher.how, found.watcher.log) == ("background", "/the/log")
        assert found.state == WatchState(
            "waiting", "a rebase is in progress", synced="2026-01-02T03:04:06+00:00"
        )


def test_a_second_one_is_told_who_is_there_and_how_to_stop_it(private: Path) -> None:
    with (
        other_watcher(private) as process,
        pytest.raises(WatchedError) as caught,
        WatchPost(private).taken(ME, wait=0.05),
    ):
        pass
    assert caught.value.message == (
        f"A watcher is at work here already: pid {process.pid}, "
        "since 2026-01-02 03:04:05 UTC, in the background."
    )
    assert "`tt watch --stop`" in str(caught.value.hint)


def test_a_free_post_is_seen_as_free_while_others_only_look(private: Path) -> None:
    post = WatchPost(private)
    post.check_free()
    with other_watcher(private), pytest.raises(WatchedError):
        post.check_free()
    post.check_free()


def test_what_a_killed_watcher_left_is_nobody(private: Path) -> None:
    with other_watcher(private) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (private / "watch").read_text().startswith("{")
    assert (private / "watch.state").exists()
    assert WatchPost(private).watching() is None
    with WatchPost(private).taken(ME, wait=0) as post:
        found = WatchPost(private).watching()
        assert found is not None
        assert (found.watcher, found.state) == (ME, None)
        post.note(FINE)
        assert WatchPost(private).watching() == replace(found, state=FINE)


def test_who_leaves_leaves_no_note_behind(private: Path) -> None:
    with WatchPost(private).taken(ME) as post:
        post.note(FINE)
        assert (private / "watch.state").stat().st_mode & 0o777 == 0o600
    assert not (private / "watch.state").exists()
    assert (private / "watch").read_bytes() == b""


def test_stopping_waits_until_the_watcher_has_ended(private: Path) -> None:
    with other_watcher(private) as process:
        stopped = WatchPost(private).stop()
        assert stopped is not None
        assert stopped.pid == process.pid
        assert process.wait(timeout=10) == 0
        assert WatchPost(private).holder() is None


def test_one_that_does_not_end_is_told_of_and_not_killed(private: Path) -> None:
    with other_watcher(private, "deaf") as process:
        started = time.monotonic()
        with pytest.raises(TTError) as caught:
            WatchPost(private).stop(seconds=0.3)
        assert 0.3 <= time.monotonic() - started < 5
        assert process.poll() is None
        assert f"pid {process.pid}" in caught.value.message
        assert "/the/log" in str(caught.value.hint)


def how_it_goes(private: Path) -> WatchState:
    found = WatchPost(private).watching()
    assert found is not None
    assert found.state is not None
    return found.state


def test_one_that_is_paused_is_known_to_be_and_ends_when_it_is_told_to(private: Path) -> None:
    with other_watcher(private) as process:
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        state = how_it_goes(private)
        if HAS_PROC:
            assert (state.state, state.synced) == ("paused", "2026-01-02T03:04:06+00:00")
            assert "`fg`" in state.problem
        assert WatchPost(private).stop() is not None
        assert process.wait(timeout=10) == 0


def test_where_a_repository_was_moved_nobody_is_said_to_watch_it(private: Path) -> None:
    with other_watcher(private):
        moved = private.parent.rename(private.parent.parent / "moved") / "tt"
        assert how_it_goes(moved).state == "not here"
        assert str(private) in how_it_goes(moved).problem
        moved.parent.rename(private.parent)
        assert how_it_goes(private).state == "waiting"
        (private.parent.parent / "link").symlink_to(private.parent)
        assert how_it_goes(private.parent.parent / "link" / "tt").state == "waiting"


def test_a_process_id_of_another_machine_is_never_told_to_end(private: Path) -> None:
    with other_watcher(private, "elsewhere") as process:
        with pytest.raises(TTError, match="not on this machine") as caught:
            WatchPost(private).stop()
        assert "on elsewhere" in caught.value.message
        assert process.poll() is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}', b'{"odd": 1}', b"\xff"])
def test_a_note_that_cannot_be_read_still_says_that_somebody_is_there(
    private: Path, content: bytes
) -> None:
    with other_watcher(private):
        (private / "watch").write_bytes(content)
        found = WatchPost(private).holder()
        assert found == Watcher(0, "")
        with pytest.raises(TTError):
            WatchPost(private).stop()


def test_a_note_is_whole_and_the_same_one_is_not_written_twice(private: Path) -> None:
    with WatchPost(private).taken(ME) as post:
        post.note(FINE)
        before = (private / "watch.state").stat()
        post.note(FINE)
        assert (private / "watch.state").stat().st_mtime_ns == before.st_mtime_ns
        post.note(WatchState("waiting", "x"))
        assert (private / "watch.state").stat().st_ino != before.st_ino
        assert sorted(path.name for path in private.iterdir()) == ["watch", "watch.state"]


def test_that_all_is_still_well_is_noted_now_and_then(
    private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("tt.adapters.watchpost.time.monotonic", lambda: now[0])
    with WatchPost(private).taken(ME) as post:
        post.verified()  # nothing is known yet, so there is nothing to verify
        post.note(WatchState("in step", verified="2026-01-02T03:04:05+00:00"))
        post.verified()
        assert _verified(private) == "2026-01-02T03:04:05+00:00"
        now[0] += 31
        post.verified()
        assert _verified(private) > "2026-01-02T03:04:05+00:00"


def _verified(private: Path) -> str:
    found = WatchPost(private).watching()
    assert found is not None
    assert found.state is not None
    return found.state.verified


def test_one_watcher_of_many_plans_sums_up_what_they_note(tmp_path: Path) -> None:
    told: list[WatchState] = []
    with WatchPost(tmp_path / "all").taken(ME, listener=told.append) as main:
        first, second = (main.beside(tmp_path / name, f"~/{name}") for name in ("a", "b"))
        with first.taken(main.watcher):
            first.note(FINE)
            with second.taken(main.watcher):
                second.note(WatchState("waiting", "a rebase is in progress"))
    assert told[0] == WatchState("1 plan in step")
    assert told[1].state == "2 plans, 1 not in step"
    assert told[1].problem == "~/b: a rebase is in progress"
    assert told[2:] == [WatchState("1 plan in step"), WatchState("0 plans in step")]


def test_an_error_of_who_watches_is_not_taken_for_one_of_the_post(private: Path) -> None:
    with pytest.raises(OSError, match="mine"), WatchPost(private).taken(ME):
        raise OSError("mine")
    assert WatchPost(private).holder() is None


def test_a_file_in_the_way_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "tt").write_text("")
    with pytest.raises(TTError) as caught, WatchPost(tmp_path / "tt").taken(ME):
        pass
    assert str(tmp_path) in caught.value.message


def test_many_who_look_keep_nobody_from_the_post(private: Path) -> None:
    code = "import sys, pathlib\nfrom tt.adapters.watchpost import WatchPost\n"
    code += "while True: WatchPost(pathlib.Path(sys.argv[1])).holder()"
    with WatchPost(private).taken(ME):
        pass
    with _running([sys.executable, "-c", code, str(private)]):
        for _ in range(30):
            with WatchPost(private).taken(ME):
                pass


@contextmanager
def _running(command: Sequence[str]) -> Iterator[None]:
    root = str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen(command, env=dict(os.environ) | {"PYTHONPATH": root})
    try:
        yield
    finally:
        process.kill()
        process.wait()
