"""What every journal keeps to: in a file, in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tt.adapters.base_records import MOST_CHANGES
from tt.adapters.journal import FileJournal
from tt.adapters.memory_journal import MemoryJournal
from tt.core.begun import Begun
from tt.core.diff import Added, Edited, Removed
from tt.core.model import META_ID, Task
from tt.core.values import ABSENT, Literal
from tt.ports import Journal

Opener = Callable[[], Journal]
TASK = Task("a", {"description": "With a\ttab,\na line and \u2028", "status": "pending"})
ONE = Begun(
    (Added(TASK), Edited("b", "due", ABSENT, Literal("2026-01-31")), Removed(TASK)),
    (Edited(META_ID, "m", "x", {"k": [1, "é"]}), Edited("c", "agent", "dev", ABSENT)),
)
TWO = Begun((), (Edited("c", "agent", "dev", "ops"),))


@pytest.fixture(params=["file", "memory"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Open the journal; twice is another process's view of it."""
    if request.param == "memory":
        memory = MemoryJournal()
        return lambda: memory
    return lambda: FileJournal(tmp_path / "not" / "yet" / "there")


def test_nothing_is_noted_at_first(opener: Opener) -> None:
    assert list(opener().begun("")) == []
    opener().end()


def test_what_was_noted_is_there_for_the_next_process(opener: Opener) -> None:
    opener().begin("v1", ONE)
    opener().begin("v1", TWO)
    assert list(opener().begun("v1")) == [ONE, TWO]


def test_what_began_from_another_base_is_no_news(opener: Opener) -> None:
    opener().begin("", ONE)
    opener().begin("v1", TWO)
    assert list(opener().begun("")) == [ONE]
    assert list(opener().begun("v2")) == []


def test_what_the_base_knows_is_forgotten(opener: Opener) -> None:
    opener().begin("v1", ONE)
    opener().end()
    assert list(opener().begun("v1")) == []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with two notes."""
    journal = FileJournal(tmp_path / "notes")
    journal.begin("v1", ONE)
    journal.begin("v1", TWO)
    return tmp_path / "notes"


def test_a_note_that_was_cut_off_is_none_and_hides_none(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        found = list(FileJournal(path).begun("v1"))
        assert found == [ONE, TWO][: len(found)]
        FileJournal(path).begin("v1", TWO)
        assert list(FileJournal(path).begun("v1")) == [*found, TWO]


@pytest.mark.parametrize("line", [b"2\tv1\t{}", b"1\tv1\t[]", b'1\tv1\t{"time":""}', b"\xff\t\t"])
def test_what_tt_did_not_write_is_passed_over(path: Path, line: bytes) -> None:
    path.write_bytes(line + b"\n" + path.read_bytes() + line)
    assert list(FileJournal(path).begun("v1")) == [ONE, TWO]


def test_of_a_first_push_of_thousands_the_first_are_noted(tmp_path: Path) -> None:
    many = tuple(Added(Task(str(number), TASK.fields)) for number in range(2 * MOST_CHANGES))
    journal = FileJournal(tmp_path / "notes")
    journal.begin("", Begun(many))
    assert list(journal.begun("")) == [Begun(many[:MOST_CHANGES])]


def test_where_nothing_can_be_kept_a_sync_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = FileJournal(tmp_path / "file" / "notes")
    journal.begin("v1", ONE)
    journal.end()
    assert list(journal.begun("v1")) == []


def test_what_is_noted_is_for_this_user_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
