"""A watcher that remembers does what one does that looks at everything, and looks at less."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.plans import IDS, edits, plans, repaired, statuses, task, tasks
from tests.support.sites import TOWN, Clone, Crash, crash_at, foreign_hash, frozen, restore
from tt.adapters.memory import FixedClock, MemoryPlanFile
from tt.adapters.memory_store import MemoryTaskStore, MemoryTown
from tt.adapters.planfile_memory import PlanMemory
from tt.app.look import View
from tt.app.memory import Memory
from tt.app.sync import Request, report, sync, synced
from tt.core.diff import with_field
from tt.core.ids import task_uuid
from tt.core.model import Plan, Task
from tt.core.outcome import Side
from tt.core.report import Direction, SyncReport
from tt.core.trees import Trust
from tt.core.values import ABSENT
from tt.errors import PlanError, TTError
from tt.ports import Snapshot
from tt.record import replace

KEEPING = Request(Direction.PUSH, keep_file=True, force=True)
MERGING = Request(Direction.MERGE, force=True)


def told(report: SyncReport) -> list[list[str]]:
    """Return what a sync says that it wrote; in which order is nobody's business."""
    return [sorted(map(repr, changes)) for changes in (report.to_store, report.to_file)]


class RememberingFile(MemoryPlanFile):
    """A plan file in memory that is read as a watcher reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces = PlanMemory()

    def read(self) -> Snapshot | None:
        return None if self.data is None else self.pieces.read(self.data, self.name)


class Scene:
    """A town, a watched clone and another one. `memory` is None where the watcher has none."""

    def __init__(self, memory: Memory | None) -> None:
        self.memory = memory
        self.town = MemoryTown()
        self.watched, self.other = Clone(self.town), Clone(self.town)
        if memory is not None:
            self.watched.file = RememberingFile()
            self.watched.site = replace(self.watched.site, file=self.watched.file)
        self.epochs = itertools.count(1)
        self.touched: set[str] = set()
        self.dumps: list[MemoryTown] = []
        self.glimpses = 0

    def urandom(self, _: int) -> bytes:
        return next(self.epochs).to_bytes(8)

    def put(self, uuid: str, fields: dict[str, str]) -> None:
        self.town.tasks.setdefault(uuid, {}).update(fields)
        self.touched.add(uuid)

    def drop(self, uuid: str) -> None:
        del self.town.tasks[uuid]
        self.touched.add(uuid)

    def sync(self, request: Request, *, listens: bool, between: Callable[[], object]) -> SyncReport:
        """Let the watcher sync; `between` happens between its first look and its first write."""
        turn = [between]

        class Store:
            def __getattr__(_, name: str) -> Any:  # noqa: N805
                if name in ("apply", "touch") and turn:
                    turn.pop()()
                return getattr(self.watched.site.store, name)

        if self.memory is not None:
            self.memory.hear(self.touched if listens else None)
        self.touched = set()
        site = replace(self.watched.site, store=Store())
        view, settled = synced(site, request, memory=self.memory)
        self.glimpses += view.glimpse is not None
        return report(site, request, view, settled)

    def state(self) -> object:
        """Return all that there is, but for the names of versions."""
        bases = [clone.bases.load() for clone in (self.watched, self.other)]
        files = self.watched.file.data, self.other.file.data
        return files, [base and replace(base, version="") for base in bases], frozen(self.town)


class Twice(RuleBasedStateMachine):
    """The same happens twice: to a watcher that remembers, and to one that looks at everything.

    After each sync of theirs files, bases and the whole town are the same. What changed in Redis is
    told to those who bring it into the file, and to nobody who only pushes.
    """

    direction = Direction.MERGE
    glimpses = 0

    def __init__(self) -> None:
        super().__init__()
        self.scenes = [Scene(Memory()), Scene(None)]
        self.number = 0
        self.request = MERGING if self.direction is Direction.MERGE else KEEPING

    def each(self, do: Callable[[Scene], object]) -> list[object]:
        done = []
        for scene in self.scenes:
            with patch("tt.app.storing.os.urandom", scene.urandom):
                done.append(do(scene))
        return done

    @property
    def one(self) -> Scene:
        return self.scenes[0]

    def clones(self, watched: bool) -> Iterator[Clone]:
        return (scene.watched if watched else scene.other for scene in self.scenes)

    @initialize(first=plans())
    def begin(self, first: Plan) -> None:
        for clone in (*self.clones(True), *self.clones(False)):
            clone.write(*first.tasks.values(), task("long"), task("short"))
        self.watcher_syncs(True)

    # Whoever edits a file

    @rule(watched=st.booleans(), data=st.data(), edit=edits())
    def edit_a_file(self, watched: bool, data: st.DataObject, edit: tuple[str, Any]) -> None:
        before = next(self.clones(watched)).plan
        if before.tasks:
            old = data.draw(st.sampled_from(list(before.tasks.values())))
            changed = {**before.tasks, old.id: Task(old.id, with_field(old.fields, *edit))}
            self.write(watched, repaired(Plan(before.meta, changed)))

    @rule(watched=st.booleans(), data=st.data(), identifier=st.sampled_from(IDS))
    def add_or_remove(self, watched: bool, data: st.DataObject, identifier: str) -> None:
        before = next(self.clones(watched)).plan
        changed = dict(before.tasks)
        if changed.pop(identifier, None) is None:
            changed[identifier] = data.draw(tasks(identifier))
        self.write(watched, repaired(Plan(before.meta, changed)))

    @rule(watched=st.booleans(), value=st.sampled_from([ABSENT, "x", "y"]))
    def edit_meta(self, watched: bool, value: Any) -> None:
        before = next(self.clones(watched)).plan
        self.write(watched, Plan(with_field(before.meta, "m", value), before.tasks))

    @rule()
    def copy_the_file(self) -> None:
        """Let Git bring the other clone's file here, as after a fast-forward."""
        for scene in self.scenes:
            scene.watched.file.data = scene.other.file.data

    def write(self, watched: bool, after: Plan) -> None:
        for clone in self.clones(watched):
            clone.write(*after.tasks.values(), meta=after.meta)

    # Other tools, in Redis

    @rule(data=st.data(), status=statuses)
    def set_a_state(self, data: st.DataObject, status: str) -> None:
        self.edit_hash(data, {"state": status})

    @rule(data=st.data(), field=st.sampled_from(["description", "agent", "state"]))
    def write_into_a_hash(self, data: st.DataObject, field: str) -> None:
        self.edit_hash(data, {field: "said"})

    def edit_hash(self, data: st.DataObject, fields: dict[str, str]) -> None:
        if self.one.town.tasks:
            uuid = data.draw(st.sampled_from(sorted(self.one.town.tasks)))
            self.each(lambda scene: scene.put(uuid, fields))

    @rule(
        named=st.sampled_from([None, None, *IDS]),
        under=st.sampled_from([None, *IDS]),
        status=statuses,
    )
    def make_a_task(self, named: str | None, under: str | None, status: str) -> None:
        self.number += 1
        uuid = f"{self.number:08x}-0000-4000-8000-000000000000"
        raw = foreign_hash(uuid, "new", f'["plan:{named}"]' if named else "[]", state=status)
        if under is not None:
            raw["parent_id"] = task_uuid(TOWN, under)
        self.each(lambda scene: scene.put(uuid, raw))

    # Losses

    @rule(data=st.data())
    def evict_a_hash(self, data: st.DataObject) -> None:
        if self.one.town.tasks:
            uuid = data.draw(st.sampled_from(sorted(self.one.town.tasks)))
            self.each(lambda scene: scene.drop(uuid))

    @rule(data=st.data(), kept=st.booleans())
    def lose_everything(self, data: st.DataObject, kept: bool) -> None:
        dumps = len(self.one.dumps)
        number = data.draw(st.integers(0, dumps - 1)) if kept and dumps else None
        for scene in self.scenes:
            scene.touched |= scene.town.tasks.keys()
            restore(scene.town, None if number is None else scene.dumps[number])
            scene.touched |= scene.town.tasks.keys()

    @rule(data=st.data(), between=st.booleans())
    def another_heals_the_town(self, data: st.DataObject, between: bool) -> None:
        """Lose hashes, or all there is, and have another clone make it again as that knows it."""
        everything = data.draw(st.booleans())
        gone = sorted(self.one.town.tasks)
        if gone and not everything:
            gone = data.draw(st.lists(st.sampled_from(gone), max_size=3, unique=True))

        def heal(scene: Scene) -> None:
            scene.touched.update(gone)
            for uuid in gone:
                scene.town.tasks.pop(uuid, None)
            if everything:
                restore(scene.town)
            self.other_syncs(scene, Direction.MERGE)

        if between:
            self.sync(self.request, heal)
        else:
            self.each(heal)

    @precondition(lambda self: len(self.one.dumps) < 2)
    @rule()
    def save(self) -> None:
        self.each(lambda scene: scene.dumps.append(frozen(scene.town)))

    # Syncing

    @rule(direction=st.sampled_from(list(Direction)))
    def another_syncs(self, direction: Direction) -> None:
        self.each(lambda scene: self.other_syncs(scene, direction))

    def other_syncs(self, scene: Scene, direction: Direction) -> None:
        before = frozen(scene.town).tasks
        scene.other.sync(Request(direction, force=True))
        self.note_touched(scene, before)

    def note_touched(self, scene: Scene, before: dict[str, dict[str, str]]) -> None:
        after = scene.town.tasks
        changed = (uuid for uuid in before | after if before.get(uuid) != after.get(uuid))
        scene.touched.update(changed)

    @rule(direction=st.sampled_from(list(Direction)))
    def another_process_syncs_here(self, direction: Direction) -> None:
        """Let a hook sync the watched worktree."""

        def hook(scene: Scene) -> None:
            before = frozen(scene.town).tasks
            scene.watched.sync(Request(direction, force=True))
            self.note_touched(scene, before)

        self.each(hook)

    @rule(direction=st.sampled_from(list(Direction)), calls=st.integers(1, 4))
    def another_process_is_killed_here(self, direction: Direction, calls: int) -> None:
        """Let a hook die somewhere in its sync of the watched worktree."""

        def hook(scene: Scene) -> None:
            before = frozen(scene.town).tasks
            with suppress(Crash):
                sync(crash_at(scene.watched.site, calls), Request(direction, force=True))
            self.note_touched(scene, before)

        self.each(hook)

    @rule(listens=st.integers(0, 4).map(bool))
    def watcher_syncs(self, listens: bool) -> None:
        self.sync(self.request, lambda _: None, listens=listens)

    @rule()
    def the_watcher_turns(self) -> None:
        """Sync once in the other direction."""
        turned = KEEPING if self.request is MERGING else MERGING
        self.sync(turned, lambda _: None, listens=self.direction is Direction.MERGE)

    @rule(status=statuses, data=st.data())
    def an_agent_is_quicker(self, status: str, data: st.DataObject) -> None:
        uuids = sorted(self.one.town.tasks)
        if uuids:
            uuid = data.draw(st.sampled_from(uuids))
            self.sync(self.request, lambda scene: scene.put(uuid, {"state": status}))

    @rule(direction=st.sampled_from(list(Direction)))
    def another_is_quicker(self, direction: Direction) -> None:
        self.sync(self.request, lambda scene: self.other_syncs(scene, direction))

    def sync(
        self, request: Request, between: Callable[[Scene], object], *, listens: bool = True
    ) -> None:
        listens = listens and self.direction is Direction.MERGE
        remembering, looking = self.each(
            lambda scene: scene.sync(request, listens=listens, between=lambda: between(scene))
        )
        assert self.scenes[0].state() == self.scenes[1].state()
        assert isinstance(remembering, SyncReport)
        assert isinstance(looking, SyncReport)
        assert told(remembering) == told(looking)

    def teardown(self) -> None:
        type(self).glimpses += self.one.glimpses


class Merging(Twice):
    """A watcher that is told of what changes in Redis, and brings it into the file."""


class Pushing(Twice):
    """A watcher that only pushes, and is told nothing."""

    direction = Direction.PUSH


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("machine", [Merging, Pushing])
def test_a_watcher_that_remembers_does_what_one_does_that_looks_at_all(machine: Any) -> None:
    run_state_machine_as_test(machine, settings=_settings(60))
    assert machine.glimpses > 10


# One by one: what has to be so for a look at little to do


class Pair:
    """A watched clone that has pushed two tasks, and another one that knows them."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.watched = Clone(None, task("a"), task("b"))
        self.push()
        self.other = Clone(self.watched.memory, task("a"), task("b"))
        self.other.sync()
        self.push()
        assert self.push().glimpse is not None

    def push(self, request: Request = KEEPING, told: set[str] | None = None) -> View:
        self.memory.hear(told)
        return synced(self.watched.site, request, memory=self.memory)[0]

    def edit(self, old: str = 'id = "a"', new: str = 'id = "a"\nnote = 1') -> None:
        self.watched.edit(old, new)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_a_push_reads_what_the_file_changed_and_nothing_else(pair: Pair) -> None:
    pair.edit()
    view = pair.push()
    assert view.glimpse is not None
    assert view.state.tasks.keys() == {"a"}
    assert pair.watched.raw("a")["x:note"] == "1"


def test_a_report_of_a_look_at_little_tells_of_that_alone(pair: Pair) -> None:
    pair.watched.raw("b")["state"] = "running"
    pair.edit()
    site = pair.watched.site
    done = report(site, KEEPING, *synced(site, KEEPING, memory=pair.memory))
    assert (done.partial, done.in_step, done.waiting_file) == (True, 1, ())
    assert len(done.to_store) == 1


def test_where_another_has_written_everything_is_looked_at(pair: Pair) -> None:
    pair.other.edit('id = "b"', 'id = "b"\ndepends_on = ["a"]')
    pair.other.sync()
    pair.edit('id = "a"', 'id = "a"\ndepends_on = ["b"]')
    view = pair.push()
    assert view.glimpse is None
    assert [conflict.why for conflict in view.outcome.conflicts]
    assert "depends_on" not in pair.watched.raw("a")


def test_where_another_was_killed_before_it_raised_the_count_everything_is_looked_at(
    pair: Pair,
) -> None:
    pair.edit()
    count = pair.watched.memory.plan["seq"]
    with pytest.raises(Crash):
        sync(crash_at(pair.watched.site, 2), KEEPING)
    assert pair.watched.raw("a")["x:note"] == "1"
    pair.watched.memory.plan["seq"] = count
    pair.edit("note = 1", "note = 2")
    view = pair.push()
    assert (view.glimpse, view.outcome.conflicts) == (None, [])
    assert pair.watched.raw("a")["x:note"] == "2"


def test_where_another_wrote_during_a_push_the_next_one_looks_at_everything(pair: Pair) -> None:
    turn = [lambda: pair.other.edit('id = "b"', 'id = "b"\ndepends_on = ["a"]')]
    store = pair.watched.site.store

    class Store:
        def __getattr__(self, name: str) -> Any:
            if name == "apply" and turn:
                turn.pop()()
                pair.other.sync()
            return getattr(store, name)

    pair.edit()
    site = replace(pair.watched.site, store=Store())
    assert synced(site, KEEPING, memory=pair.memory)[0].glimpse is not None
    pair.edit('id = "a"', 'id = "a"\ndepends_on = ["b"]')
    assert pair.push().glimpse is None
    assert "depends_on" not in pair.watched.raw("a")


def test_a_town_made_anew_with_the_same_count_is_another(pair: Pair) -> None:
    pair.edit()
    pair.push()
    count = pair.watched.memory.plan["seq"]
    restore(pair.watched.memory)
    while pair.watched.memory.plan.get("seq") != count:
        pair.other.edit('id = "b"', 'id = "b"\nmore = 1')
        pair.other.sync()
        pair.other.edit("\nmore = 1", "")
    view = pair.push()
    assert (view.glimpse, view.trust) == (None, Trust.REPLACED)


def test_what_was_made_again_is_looked_for_everywhere_once_it_was_met(pair: Pair) -> None:
    for identifier in ("a", "b"):  # as by another that was killed before it raised the counter
        pair.watched.raw(identifier)["made"] = "99"
    pair.edit()
    assert pair.push().store.remade == {"a", "b"}


def test_an_invalid_file_in_between_costs_nothing_of_what_is_known(pair: Pair) -> None:
    sound = pair.watched.file.data
    pair.watched.file.data = b"[[tasks]"
    with pytest.raises(PlanError):
        pair.push()
    pair.watched.file.data = sound
    assert pair.push().glimpse is not None


def test_what_was_told_is_kept_until_a_sync_goes_through(pair: Pair) -> None:
    pair.push(MERGING, set())
    pair.watched.raw("b")["state"] = "running"

    def refused(view: View) -> View:
        raise TTError("not now")

    pair.memory.hear({task_uuid(TOWN, "b")})
    with pytest.raises(TTError):
        synced(pair.watched.site, MERGING, refused, pair.memory)
    assert pair.push(MERGING, set()).glimpse is not None
    assert pair.watched.plan.tasks["b"].status == "running"


def test_a_merge_that_nobody_told_of_changes_looks_at_everything(pair: Pair) -> None:
    pair.push()
    assert pair.push(MERGING, set()).glimpse is None
    assert pair.push(MERGING, set()).glimpse is not None
    pair.watched.raw("b")["state"] = "running"
    assert pair.push(MERGING, None).glimpse is None
    assert pair.watched.plan.tasks["b"].status == "running"


def test_a_merge_that_nobody_listened_for_looks_at_everything(pair: Pair) -> None:
    pair.push(MERGING, set())
    pair.watched.raw("b")["state"] = "running"
    assert synced(pair.watched.site, MERGING, memory=pair.memory)[0].glimpse is None
    assert pair.watched.plan.tasks["b"].status == "running"


def test_what_a_push_was_told_of_is_not_forgotten_until_a_merge(pair: Pair) -> None:
    pair.push(MERGING, set())
    pair.watched.raw("b")["state"] = "running"
    pair.push(KEEPING, {task_uuid(TOWN, "b")})
    assert pair.push(KEEPING, set()).glimpse is not None
    assert pair.push(MERGING, set()).glimpse is not None
    assert pair.watched.plan.tasks["b"].status == "running"


def test_a_subtask_that_an_agent_made_holds_back_the_removal_of_its_parent(pair: Pair) -> None:
    uuid = "00000001-0000-4000-8000-000000000000"
    made = foreign_hash(uuid, "part of a", parent_id=task_uuid(TOWN, "a"))
    pair.watched.memory.tasks[uuid] = made
    for _ in range(2):
        assert pair.push().glimpse is not None
    pair.watched.write(task("b"))
    view = pair.push()
    assert view.glimpse is not None
    assert [conflict.id for conflict in view.outcome.conflicts if conflict.id == "a"]
    assert pair.watched.raw("a")


@pytest.mark.parametrize(
    "request_",
    [
        replace(KEEPING, reset=True),
        replace(KEEPING, decided={"a": Side.FILE}),
        Request(Direction.PULL),
    ],
)
def test_what_may_concern_each_task_looks_at_everything(pair: Pair, request_: Request) -> None:
    pair.push(MERGING, set())
    assert pair.push(request_, set()).glimpse is None


def test_a_removed_task_is_not_missed(pair: Pair) -> None:
    pair.watched.write(task("a"))
    assert pair.push().glimpse is not None
    view = pair.push()
    assert view.glimpse is not None
    assert (view.among, view.glimpse.ids) == (frozenset(), {"b"})
    assert pair.push().glimpse == replace(view.glimpse, ids=frozenset())


def test_other_settings_and_other_towns_are_looked_at_anew(pair: Pair) -> None:
    store = MemoryTaskStore(pair.watched.memory, TOWN, FixedClock(), frozenset({"result"}))
    pair.watched.site = replace(pair.watched.site, store=store)
    assert pair.push().glimpse is None
    assert pair.push().glimpse is not None
    pair.watched.site = replace(pair.watched.site, town="other")
    assert pair.push().glimpse is None


def test_forgetting_makes_the_next_look_one_at_everything(pair: Pair) -> None:
    pair.memory.forget()
    assert pair.push().glimpse is None


def test_a_parent_of_another_tool_that_is_not_read_keeps_its_own_uuid() -> None:
    memory, clone = Memory(), Clone(None, task("a"))
    uuid = "00000001-0000-4000-8000-000000000000"
    clone.memory.tasks[uuid] = foreign_hash(uuid, "theirs", '["plan:p"]')
    for _ in range(2):
        memory.hear(set())
        synced(clone.site, MERGING, memory=memory)
    clone.edit('id = "a"', 'id = "a"\nparent = "p"')
    memory.hear(set())
    view, settled = synced(clone.site, MERGING, memory=memory)
    assert view.state.tasks.keys() == {"a"}
    assert clone.raw("a")["parent_id"] == uuid
    assert settled.base is not None
    assert settled.base.uuids == {"p": uuid}
    memory.hear({task_uuid(TOWN, "a")})
    assert not synced(clone.site, MERGING, memory=memory)[0].among
