"""What every plan file keeps to: on disk and in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from tests.support.plans import plan, task
from tt.adapters.memory import MemoryPlanFile
from tt.adapters.planfile import TomlPlanFile
from tt.core.diff import Added, Edited, Removed
from tt.core.values import ABSENT
from tt.errors import FileMovedError, PlanError
from tt.ports import PlanFile

TWO = (
    b'# why\n[[tasks]]\nid = "a"\ndescription = "do it"\n\n[[tasks]]\nid = "b"\ndescription = "b"\n'
)


class Place(Protocol):
    """A plan file, and its bytes as an editor sees them."""

    file: PlanFile
    data: bytes | None


class OnDisk:
    """A file in a directory."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "tasks.toml"
        self.file = TomlPlanFile(self.path, "tasks.toml")

    @property
    def data(self) -> bytes | None:
        return self.path.read_bytes() if self.path.exists() else None

    @data.setter
    def data(self, data: bytes) -> None:
        self.path.write_bytes(data)


class InMemory:
    """The twin."""

    def __init__(self) -> None:
        self.file = MemoryPlanFile()

    @property
    def data(self) -> bytes | None:
        return self.file.data

    @data.setter
    def data(self, data: bytes) -> None:
        self.file.data = data


@pytest.fixture(params=["disk", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return OnDisk(tmp_path) if request.param == "disk" else InMemory()


def test_there_may_be_no_file(place: Place) -> None:
    assert place.file.read() is None
    assert not place.file.exists()
    assert place.file.name == "tasks.toml"
    place.data = b"not = [a plan"
    assert place.file.exists()


def test_a_file_is_made_of_what_is_added(place: Place) -> None:
    made = place.file.write(None, [Added(task("a", agent="dev"))])
    assert made.plan == plan(task("a", agent="dev"))
    assert place.file.read() == made
    assert made.data == place.data


def test_only_what_changes_is_written(place: Place) -> None:
    place.data = TWO
    before = place.file.read()
    changes = [Edited("a", "status", "pending", "running"), Removed(task("b", "b"))]
    told = place.file.preview(before, changes)
    assert place.data == TWO
    made = place.file.write(before, changes)
    assert made.data == place.data == told
    assert made.plan == plan(task("a", status="running"))
    assert made.data.startswith(b'# why\n[[tasks]]\nid = "a"\n')


def test_a_field_can_be_taken_away_again(place: Place) -> None:
    place.data = TWO
    one = place.file.write(place.file.read(), [Edited("a", "agent", ABSENT, "dev")])
    two = place.file.write(one, [Edited("a", "agent", "dev", ABSENT)])
    assert two.data == TWO


def test_nothing_is_written_where_nothing_changes(place: Place) -> None:
    place.data = TWO
    before = place.file.read()
    assert place.file.write(before, []) == before
    place.data = TWO + b"\n"
    assert place.file.write(before, []) == before, "not even looked at"


@pytest.mark.parametrize("now", [TWO + b"\n", TWO[:-1], b""])
def test_a_file_that_is_no_longer_what_was_read_is_left_alone(place: Place, now: bytes) -> None:
    place.data = TWO
    before = place.file.read()
    place.data = now
    with pytest.raises(FileMovedError):
        place.file.write(before, [Edited("a", "status", "pending", "running")])
    assert place.data == now


def test_a_file_that_has_come_to_be_meanwhile_is_left_alone(place: Place) -> None:
    place.data = TWO
    with pytest.raises(FileMovedError):
        place.file.write(None, [Added(task("c"))])
    assert place.data == TWO


def test_ids_that_were_made_are_written_down(place: Place) -> None:
    place.data = b'[[tasks]]\ndescription = "Build it"\n'
    before = place.file.read()
    assert before is not None
    made = place.file.write(before, [])
    assert made.plan == before.plan
    assert made.named == {}
    assert f'id = "{before.named[0]}"'.encode() in made.data


def test_an_invalid_file_is_refused(place: Place) -> None:
    place.data = b'[[tasks]]\nid = "a"\n'
    with pytest.raises(PlanError):
        place.file.read()


def test_another_version_of_the_file_is_read_where_it_is_a_plan(place: Place) -> None:
    parsed = place.file.parse(TWO)
    assert parsed is not None
    assert list(parsed.tasks) == ["a", "b"]
    for bad in (b"", b"[[tasks]\n", b"x = 1\n", b"\xff"):
        assert place.file.parse(bad) is None
