"""Records behave like frozen dataclasses, as far as they are used as such."""

from __future__ import annotations

import copy
import pickle
from typing import ClassVar

import pytest

from tt.record import field, is_record, names_of, record, replace


@record
class Point:
    x: int
    y: int = 2
    names: list[str] = field(default_factory=list)
    note: str = field(default="", compare=False)
    KIND: ClassVar[str] = "point"

    @property
    def sum(self) -> int:
        return self.x + self.y


@record(frozen=False)
class Tally:
    count: int = 0


@record
class Login:
    user: str
    password: str = field(default="", repr=False)


@record
class Other:
    x: int
    y: int = 2


def test_fields_are_set_by_position_by_name_and_by_default() -> None:
    point = Point(1, names=["a"])

    assert (point.x, point.y, point.names, point.note, point.sum) == (1, 2, ["a"], "", 3)
    assert Point.KIND == "point"


def test_each_record_gets_a_default_of_its_own() -> None:
    assert Point(1).names is not Point(1).names


def test_equality_is_by_compared_fields_and_class() -> None:
    assert Point(1, note="a") == Point(1, note="b")
    assert Point(1) != Point(2)
    assert Point(1) != Other(1)
    assert Other(1) != (1, 2)


def test_a_frozen_record_is_hashable_and_refuses_assignment() -> None:
    other = Other(1)

    assert hash(other) == hash(Other(1))
    assert {other: 1}[Other(1)] == 1
    with pytest.raises(AttributeError, match="frozen"):
        other.x = 3  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del other.x
    with pytest.raises(AttributeError):
        other.z = 3  # type: ignore[attr-defined]


def test_a_record_that_is_not_frozen_takes_assignments_and_has_no_hash() -> None:
    tally = Tally()
    tally.count += 1

    assert tally == Tally(1)
    with pytest.raises(TypeError):
        hash(tally)


def test_replace_copies_what_is_not_changed() -> None:
    point = Point(1, 5, ["a"], "note")

    assert replace(point, y=7) == Point(1, 7, ["a"])
    assert replace(point, y=7).note == "note"
    with pytest.raises(TypeError):
        replace(point, z=1)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point(1, 2, [], "", 5)  # type: ignore[call-arg]


def test_records_can_be_shown_copied_and_pickled() -> None:
    point = Point(1, names=["a"])

    assert repr(point) == "Point(x=1, y=2, names=['a'], note='')"
    assert copy.deepcopy(point) == point
    assert pickle.loads(pickle.dumps(Other(4))) == Other(4)


def test_a_secret_field_is_not_shown() -> None:
    assert repr(Login("me", "hunter2")) == "Login(user='me')"


def test_records_match_patterns_and_name_their_fields() -> None:
    match Point(4):
        case Point(x, y):
            assert (x, y) == (4, 2)
    assert names_of(Point(1)) == ("x", "y", "names", "note")
    assert is_record(Point(1))
    assert not is_record(Point)
    with pytest.raises(TypeError, match="no record"):
        names_of(3)
