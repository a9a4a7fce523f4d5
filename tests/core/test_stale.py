"""Telling the save of an old buffer from a person who changes things back."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tt.core.base import Base
from tt.core.diff import Added, Change, Edited, Removed, apply, diff
from tt.core.model import Plan, Task
from tt.core.report import SyncRecord
from tt.core.stale import RESTORED, as_loaded, taken_back
from tt.core.values import ABSENT

LINT = Task("lint", {"description": "Lint", "status": "pending", "agent": "linter"})
DOCS = Task("docs", {"description": "Docs", "status": "pending"})
START = Plan({}, {"lint": LINT, "docs": DOCS})

DONE = Edited("lint", "status", "pending", "completed")
GIVEN = Edited("lint", "agent", "linter", "tester")
NEW = Added(Task("new", {"description": "New", "status": "pending"}))


def pull(*changes: Change, also: Sequence[Change] = (), name: str = "merge") -> SyncRecord:
    """Make the record of a sync that wrote `changes` into the file, and `also` into Redis."""
    return SyncRecord("", "", name, to_store=tuple(also), to_file=changes)


def found(file: Plan, *records: SyncRecord) -> set[tuple[str, str | None]]:
    """Say what a save of `file` takes back after these syncs, newest first."""
    now = START
    for record in reversed(records):
        now = apply(apply(now, record.to_store), record.to_file)
    return set(taken_back(Base(tasks=now.tasks, meta=now.meta), file, records))


def test_all_that_came_since_a_buffer_was_loaded_is_taken_back_by_its_save() -> None:
    assert found(START, pull(DONE, GIVEN)) == {("lint", "status"), ("lint", "agent")}


def test_what_came_in_several_pulls_is_taken_back_as_well() -> None:
    assert found(START, pull(GIVEN), pull(DONE)) == {("lint", "status"), ("lint", "agent")}


def test_edits_in_an_old_buffer_do_not_hide_that_it_is_old() -> None:
    edited = apply(START, [Edited("docs", "description", "Docs", "More docs"), NEW])
    assert found(edited, pull(DONE, GIVEN)) == {("lint", "status"), ("lint", "agent")}


def test_a_buffer_that_has_some_of_a_pull_has_all_of_it() -> None:
    assert found(apply(START, [DONE]), pull(DONE, GIVEN)) == set()


def test_a_buffer_from_between_two_pulls_takes_back_the_second() -> None:
    between = apply(START, [DONE])
    later = Edited("docs", "status", "pending", "completed")
    assert found(between, pull(GIVEN, later), pull(DONE)) == {("lint", "agent"), ("docs", "status")}


def test_a_value_that_came_in_two_steps_is_taken_back_to_either() -> None:
    running = Edited("lint", "status", "pending", "running")
    done = Edited("lint", "status", "running", "completed")
    assert found(START, pull(done), pull(running)) == {("lint", "status")}
    assert found(apply(START, [running]), pull(done), pull(running)) == {("lint", "status")}


def test_a_task_that_came_is_missing_in_an_old_buffer() -> None:
    assert found(START, pull(NEW)) == {("new", None)}


def test_a_task_that_was_removed_is_still_in_an_old_buffer() -> None:
    assert found(START, pull(Removed(DOCS))) == {("docs", None)}


def test_a_status_alone_never_goes_back() -> None:
    assert found(START, pull(DONE)) == {("lint", "status")}
    assert found(START, pull(DONE, name=RESTORED), pull(DONE)) == {("lint", "status")}


def test_who_changes_one_thing_back_again_means_it() -> None:
    assert found(START, pull(GIVEN)) == {("lint", "agent")}
    assert found(START, pull(GIVEN, name=RESTORED), pull(GIVEN)) == set()
    assert found(START, pull(NEW, name=RESTORED), pull(NEW)) == set()


def test_a_save_that_kept_what_came_before_ends_the_search() -> None:
    edit = Edited("docs", "description", "Docs", "More docs")
    assert found(START, pull(also=[edit]), pull(DONE, GIVEN)) == set()


def test_an_old_buffer_that_is_saved_twice_is_still_old() -> None:
    edit = Edited("docs", "description", "Docs", "More docs")
    again = pull(DONE, GIVEN, also=[edit], name=RESTORED)
    saved = apply(START, [edit])
    assert found(saved, again, pull(DONE, GIVEN)) == {("lint", "status"), ("lint", "agent")}


def test_without_pulls_nothing_is_taken_back() -> None:
    assert found(START) == set()


@st.composite
def _plans(draw: st.DrawFn) -> Plan:
    names = draw(st.sets(st.sampled_from("abcd")))
    tasks = {
        name: Task(
            name,
            {
                "description": draw(st.sampled_from(["x", "y"])),
                "status": draw(st.sampled_from(["pending", "running", "completed"])),
            },
        )
        for name in sorted(names)
    }
    return Plan({}, tasks)


@given(_plans(), _plans(), _plans())
def test_the_base_of_an_old_buffer_says_of_what_came_what_the_buffer_says(
    before: Plan, after: Plan, file: Plan
) -> None:
    """What is taken back is then no edit of the file's, and everything else is as it was."""
    base = Base(tasks=after.tasks)
    back = taken_back(base, file, [pull(*diff(before, after))])
    loaded = as_loaded(base, back)
    for identifier, field in back:
        if field is None:
            assert (identifier in loaded.tasks) == (identifier in file.tasks)
        else:
            said = file.tasks[identifier].fields.get(field, ABSENT)
            assert loaded.tasks[identifier].fields.get(field, ABSENT) == said
    untouched = {identifier for identifier, _ in back}
    for identifier, task in base.tasks.items():
        if identifier not in untouched:
            assert loaded.tasks[identifier] == task
