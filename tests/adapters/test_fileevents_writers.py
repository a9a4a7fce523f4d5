"""A file that came a moment ago may still be written: Linux knows whether somebody has it open."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.saving import Listener, until
from tt.adapters.fileevents import Eyes
from tt.adapters.fileevents_writers import is_being_written
from tt.core.watching import Happening

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="leases are of Linux")


@pytest.fixture
def eyes() -> Iterator[Eyes]:
    opened = Eyes()
    yield opened
    opened.close()


def test_a_file_is_being_written_as_long_as_somebody_has_it_open_for_writing(
    tmp_path: Path,
) -> None:
    plan = tmp_path / "tasks.toml"
    with plan.open("w"):
        assert is_being_written(str(plan))
    assert not is_being_written(str(plan))
    with plan.open("a") as first, plan.open("r+"):
        first.close()
        assert is_being_written(str(plan))
    with plan.open():
        assert not is_being_written(str(plan))


def test_what_is_no_file_is_not_being_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    for path in (tmp_path, tmp_path / "none", tmp_path / "link", Path("/dev/null")):
        assert not is_being_written(str(path))


def test_asking_disturbs_nobody_who_writes_meanwhile(tmp_path: Path) -> None:
    plan = tmp_path / "tasks.toml"
    plan.touch()
    before = {number: signal.getsignal(number) for number in (signal.SIGIO, signal.SIGURG)}
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            is_being_written(str(plan))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for number in range(2000):
            plan.write_text(str(number))
    finally:
        ended.set()
        asking.join()
    assert plan.read_text() == "1999"
    assert {number: signal.getsignal(number) for number in before} == before


def test_a_new_file_that_was_begun_before_anybody_listened_to_it_is_writing(
    eyes: Eyes, tmp_path: Path
) -> None:
    plan = tmp_path / "tasks.toml"
    listener = Listener(plan)
    eyes.look_at(plan, None, listener)
    beside = tmp_path / "beside"
    with beside.open("w", buffering=1) as file:
        file.write("half\n")
        beside.rename(plan)
        until(lambda: bool(listener.told))
        assert {what for what, _ in listener.told} == {Happening.WRITING}
        file.write("whole\n")
    listener.wait(Happening.SAVED, "half\nwhole\n")
