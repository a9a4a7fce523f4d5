"""An editor that had loaded the plan before agents' work came saves its old buffer over it."""

from __future__ import annotations

from functools import partial

import pytest

from tests.support.plans import task
from tests.support.sites import MERGE, PUSH, TOWN, Clone, FakeRepository
from tt.app.restoring import without_old_buffer
from tt.app.sync import Request, report, synced
from tt.core.ids import task_uuid
from tt.core.report import SyncReport


def watched(clone: Clone, request: Request = MERGE) -> SyncReport:
    """Sync as a watcher does."""
    return report(
        clone.site, request, *synced(clone.site, request, partial(without_old_buffer, clone.site))
    )


def data(clone: Clone) -> bytes:
    assert clone.file.data is not None
    return clone.file.data


@pytest.fixture
def clone() -> Clone:
    """A clone of two tasks in step, whose first commit is the plan."""
    repository = FakeRepository()
    made = Clone(None, task("a", agent="dev"), task("b", agent="dev"), repository=repository)
    repository.commit("c1", data(made))
    repository.go("c1")
    made.sync(PUSH)
    return made


def test_what_agents_did_comes_again_and_the_user_s_edit_stays(clone: Clone) -> None:
    buffer = data(clone)
    clone.raw("a").update(state="completed", agent="tester")
    watched(clone)
    clone.file.data = buffer.replace(b'"b"', b'"b"\nx = 1', 1)
    done = watched(clone)
    assert clone.status("a") == ("completed", "completed")
    assert clone.plan.tasks["a"].agent == clone.raw("a")["agent"] == "tester"
    assert clone.plan.tasks["b"].fields["x"] == 1
    assert {change.id for change in done.to_store} == {"b"}
    assert {change.id for change in done.to_file} == {"a"}


def test_a_buffer_from_before_a_commit_of_agents_work_reopens_nothing(clone: Clone) -> None:
    assert clone.repository is not None
    buffer = data(clone)
    clone.raw("a")["state"] = "running"
    watched(clone)
    clone.repository.commit("c2", data(clone))
    clone.repository.go("c2")
    clone.raw("a")["state"] = "completed"
    watched(clone)
    clone.file.data = buffer + b"# a remark\n"
    watched(clone)
    assert clone.status("a") == ("completed", "completed")
    assert data(clone).endswith(b"# a remark\n")


def test_the_same_buffer_may_be_saved_again_and_again(clone: Clone) -> None:
    buffer = data(clone)
    clone.raw("a").update(state="completed", agent="tester")
    watched(clone)
    for number in range(3):
        clone.file.data = buffer + b"# remark %d\n" % number
        watched(clone)
        assert clone.plan.tasks["a"].agent == clone.raw("a")["agent"] == "tester"
        assert clone.status("a") == ("completed", "completed")


def test_a_task_that_somebody_has_just_made_is_not_removed_by_an_old_buffer(clone: Clone) -> None:
    buffer = data(clone)
    other = Clone(clone.memory, *clone.plan.tasks.values(), task("new"))
    other.sync(PUSH)
    watched(clone)
    clone.file.data = buffer + b"# a remark\n"
    watched(clone)
    assert "new" in clone.plan.tasks
    assert task_uuid(TOWN, "new") in clone.memory.tasks


def test_who_changes_one_thing_back_twice_means_it(clone: Clone) -> None:
    clone.raw("a")["agent"] = "tester"
    watched(clone)
    for wanted in ("tester", "dev"):
        clone.edit('agent = "tester"', 'agent = "dev"')
        watched(clone)
        assert clone.plan.tasks["a"].agent == clone.raw("a")["agent"] == wanted


def test_a_push_leaves_the_file_and_keeps_what_agents_did(clone: Clone) -> None:
    buffer = data(clone)
    clone.raw("a").update(state="completed", agent="tester")
    clone.sync(MERGE)
    clone.file.data = buffer + b"# a remark\n"
    watched(clone, PUSH)
    assert clone.raw("a")["agent"] == "tester"
    assert data(clone) == buffer + b"# a remark\n"
    watched(clone)
    assert clone.plan.tasks["a"].agent == "tester"


def test_an_edit_of_something_else_is_an_edit(clone: Clone) -> None:
    clone.raw("a").update(state="completed", agent="tester")
    watched(clone)
    clone.edit('agent = "tester"', 'agent = "boss"')
    watched(clone)
    assert clone.raw("a")["agent"] == "boss"
