"""A town kept in a file, put back and made empty, and what is told of its past."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.workshops import Yard
from tt.adapters.configfile import replace_file
from tt.adapters.redis.connection import Connection
from tt.app.happening import Stream, past
from tt.app.keeping import Shelf, read, reset, restore, save
from tt.core.agents import AgentState
from tt.errors import TTError


@pytest.fixture
def yard(connection: Connection, town: str) -> Yard:
    return Yard(town, connection)


@pytest.fixture
def shelf(yard: Yard, tmp_path: Path) -> Shelf:
    def write(path: Path, data: bytes) -> None:
        replace_file(path, data, mode=0o600)

    return Shelf(tmp_path / ".tt" / "saves", write, yard.clock)


def some_work(yard: Yard) -> None:
    agent, jobs = yard.agent("dev"), yard.plan("a", "b")
    yard.running(jobs[0], agent)
    yard.workshop.make("Waits")


def test_what_was_saved_last_is_put_back_whole(yard: Yard, shelf: Shelf) -> None:
    some_work(yard)
    save(yard.workshop, shelf, None)
    yard.plan("c")
    before = yard.everything()
    made = save(yard.workshop, shelf, None)
    assert (made.town, made.keys) == (yard.town, len(before))
    assert Path(made.file).stat().st_mode & 0o777 == 0o600
    reset(yard.workshop, shelf, agents_only=False)
    assert yard.everything() == {}
    found = read(shelf, yard.town, Path(made.file))
    done = restore(yard.workshop, shelf, found, replace=False)
    assert (done.keys, done.before) == (len(before), None)
    assert yard.everything() == before


def test_a_reset_is_saved_before_and_a_restore_takes_that(yard: Yard, shelf: Shelf) -> None:
    some_work(yard)
    before = yard.everything()
    cleared = reset(yard.workshop, shelf, agents_only=False)
    assert (cleared.agents, cleared.tasks, cleared.backlog) == (1, 3, 1)
    restore(yard.workshop, shelf, read(shelf, yard.town, None), replace=False)
    assert yard.everything() == before


def test_what_a_restore_replaces_is_saved(yard: Yard, shelf: Shelf) -> None:
    some_work(yard)
    first = save(yard.workshop, shelf, None)
    yard.plan("later")
    before = yard.everything()
    found = read(shelf, yard.town, Path(first.file))
    done = restore(yard.workshop, shelf, found, replace=True)
    assert done.before is not None
    assert set(yard.everything()) < set(before)
    restore(yard.workshop, shelf, read(shelf, "x", Path(done.before.file)), replace=True)
    assert yard.everything() == before


def test_nothing_is_restored_over_something_unasked(yard: Yard, shelf: Shelf) -> None:
    some_work(yard)
    save(yard.workshop, shelf, None)
    before = yard.everything()
    with pytest.raises(TTError, match="is not empty"):
        restore(yard.workshop, shelf, read(shelf, yard.town, None), replace=False)
    assert yard.everything() == before


def test_agents_go_and_their_tasks_stay(yard: Yard, shelf: Shelf) -> None:
    some_work(yard)
    cleared = reset(yard.workshop, shelf, agents_only=True)
    assert (cleared.agents, cleared.tasks, cleared.given_back) == (1, 0, 1)
    board = yard.workshop.board()
    assert (board.agents, {job.state for job in board.jobs.values()}) == ({}, {"pending"})
    assert len(board.jobs) == 3
    assert not [key for key in yard.everything() if key.startswith(("inbox:", "agent:"))]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is no saved town"), (b"{}", "it is no saved town"), (b"\xff", "utf-8"),
        (json.dumps({"format": 2}).encode(), "a later version"),
    ],
)  # fmt: skip
def test_what_is_no_save_is_not_restored(
    yard: Yard, shelf: Shelf, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "save.json"
    path.write_bytes(content)
    with pytest.raises(TTError, match=r"cannot be restored") as caught:
        read(shelf, yard.town, path)
    assert said in caught.value.message


def test_there_has_to_be_something_to_save_and_to_restore(yard: Yard, shelf: Shelf) -> None:
    with pytest.raises(TTError, match="is empty"):
        save(yard.workshop, shelf, None)
    with pytest.raises(TTError, match="no save of the town"):
        read(shelf, yard.town, None)
    with pytest.raises(TTError, match="cannot be read"):
        read(shelf, yard.town, Path("/nowhere/at-all.json"))
    some_work(yard)
    with pytest.raises(TTError, match="cannot be written"):
        save(yard.workshop, shelf, Path("/nowhere/at-all.json"))


@pytest.mark.parametrize("name", ["a", "a-b", "../up", "{shop}-main", "ü" * 90, "."])
def test_a_towns_saves_are_its_own_whatever_it_is_called(shelf: Shelf, name: str) -> None:
    shelf.folder.mkdir(parents=True)
    own = [shelf.fresh(name), shelf.fresh(name)]
    others = [shelf.fresh(f"{other}-c") for other in (name, "a", "b")]
    for path in (*own, *others):
        assert path.parent == shelf.folder
        path.write_text("")
    assert shelf.newest(name) == own[1]
    assert shelf.newest("other") is None


# The past


def test_events_are_told_with_the_names_of_agents_and_tasks(yard: Yard) -> None:
    agent, (job,) = yard.agent("dev"), yard.plan("lint")
    running = yard.running(job, agent)
    yard.workshop.finish(job.uuid, "completed", "All pass", claim=running.claim, by=agent.uuid)
    found = past(Stream.of(yard.workshop, ""), 100)
    told = [(one.kind, one.agent, one.task) for one in found.events]
    assert told == [
        ("agent_spawned", "dev", ""), ("task_assigned", "dev", "lint"),
        ("task_started", "dev", "lint"), ("task_completed", "dev", "lint"),
    ]  # fmt: skip
    assert past(Stream.of(yard.workshop, ""), 2).events == found.events[-2:]


def test_an_agents_past_is_its_own(yard: Yard) -> None:
    first, second = yard.agent("a"), yard.agent("b")
    yard.workshop.set_state(second.uuid, AgentState.STOPPED)
    told = past(Stream.of(yard.workshop, "b"), 100).events
    assert [one.agent for one in told] == ["b", "b"]
    yard.workshop.dismiss([second.uuid])
    told = past(Stream.of(yard.workshop, ""), 100).events
    assert {one.agent for one in told} == {first.name, second.uuid[:8]}


def test_all_that_came_after_an_event_is_found_however_much_it_is(yard: Yard) -> None:
    yard.workshop.tell("first", "x")
    stream = Stream(yard.workshop)
    (first,) = stream.newest(1)
    for number in range(5):
        yard.workshop.tell("more", f"{number}")
    assert [one.data["message"] for one in stream.after(first.id)] == [*"01234"]
    many = [("XADD", yard.key("events"), "*", "event_type", f"{number}") for number in range(2500)]
    yard.connection.pipeline(many)
    found = [one.kind for one in stream.after(first.id)][5:]
    assert found == [f"{number}" for number in range(2500)]
    assert list(stream.after(stream.newest(1)[0].id)) == []


def test_what_is_no_event_of_this_form_is_told_as_it_is(yard: Yard) -> None:
    yard.connection.execute("XADD", yard.key("events"), "*", "event_type", "odd", "data", "{")
    yard.connection.execute("XADD", yard.key("events"), "*", "x", "y")
    strange = '{"agent_id":"\\ud800","task_id":"\\ud800:x","timestamp":7}'
    yard.connection.execute("XADD", yard.key("events"), "*", "event_type", "z", "data", strange)
    *told, last = past(Stream(yard.workshop), 10).events
    assert (last.kind, last.time, last.agent, last.task) == ("z", "", "\ud800", "\ud800:x")
    assert [(one.kind, one.time, dict(one.data)) for one in told] == [("odd", "", {}), ("", "", {})]
