"""Random histories of several clones, other tools, losses, crashes and races: nothing vanishes.

The model is a ledger: what each sync announced, and who set what. See `Histories` for the laws.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

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

from tests.support.plans import IDS, edits, plan, plans, repaired, statuses, tasks
from tests.support.redis_server import RedisServer
from tests.support.sites import Crash, foreign_hash
from tests.support.worlds import RealWorld, TwinWorld, Worktree, World
from tt.app.conflicts import conflicts
from tt.app.look import look
from tt.app.sync import Request, sync
from tt.core.diff import Added, Change, Edited, Removed, diff, with_field
from tt.core.merge import goes_back
from tt.core.model import Plan, Task
from tt.core.outcome import Side
from tt.core.report import Direction, SyncReport
from tt.core.trees import Trust
from tt.core.values import ABSENT
from tt.record import replace

CLONES = 2
directions = st.sampled_from(list(Direction))
clones = st.integers(0, CLONES - 1)
_MERGED = {"status", "tags", "depends_on", "priority", "notes"}
"""Fields for whose values there is a rule where both sides changed them."""


def _key(change: Change) -> tuple[Any, ...]:
    if isinstance(change, Edited):
        return change.id, change.field, _text(change.old), _text(change.new)
    return change.id, type(change).__name__, _text(dict(change.task.fields))


def _text(value: Any) -> str:
    """Write a value down; the order of a table's keys says nothing."""
    if isinstance(value, dict):
        return repr(sorted((key, _text(item)) for key, item in value.items()))
    return repr(value)


def _keys(changes: Any) -> set[tuple[Any, ...]]:
    return {_key(change) for change in changes}


def _both(site: Any) -> tuple[Plan, Plan]:
    view = look(site)
    return view.plan, Plan(view.store.meta, view.store.tasks)


def _resolve(clone: Worktree, identifier: str, side: Side) -> SyncReport:
    request = Request(Direction.MERGE, decided={identifier: side}, force=True)
    return sync(clone.site, request)


class Histories(RuleBasedStateMachine):
    """What must hold, whatever happens:

    - A sync changes on each side exactly what it reports, and each report says truly what was
      there: so no value vanishes that is not in a report. (Of several hashes of one task, another
      one may count after a sync; they are reported, too.)
    - A sync that is killed has changed nothing but what it would have reported.
    - In a store that can be trusted, a value that a side changed is not overwritten, unless there
      is a rule for such values or somebody decided.
    - A status goes back only to what somebody set it back to.
    - A sync after a sync writes nothing at all.
    - At rest, with conflicts resolved, all clones and the store say the same, and all tasks are
      there that were in a file and that nobody removed.
    """

    make_world: Callable[[int, Plan], World]

    def __init__(self) -> None:
        super().__init__()
        self.dumps: list[object] = []
        self.set_back: set[tuple[str, str]] = set()
        self.ever: set[str] = set()
        self.removed: set[str] = set()
        self.lost = False
        self.number = 0

    @initialize(first=plans(), synced=st.booleans())
    def begin(self, first: Plan, synced: bool) -> None:
        self.world = type(self).make_world(CLONES, plan(*first.tasks.values()))
        for one in first.tasks.values():
            self._note(Added(one))
        if synced:
            for clone in self.world.clones:
                self._synced(clone, Request(Direction.MERGE, force=True))

    # People, in their editors

    @rule(which=clones, data=st.data(), edit=edits())
    def edit_a_file(self, which: int, data: st.DataObject, edit: tuple[str, Any]) -> None:
        clone = self.world.clones[which]
        before = clone.plan
        if before.tasks:
            old = data.draw(st.sampled_from(list(before.tasks.values())))
            changed = {**before.tasks, old.id: Task(old.id, with_field(old.fields, *edit))}
            self._write(clone, repaired(Plan(before.meta, changed)))

    @rule(which=clones, data=st.data(), identifier=st.sampled_from(IDS))
    def add_to_a_file(self, which: int, data: st.DataObject, identifier: str) -> None:
        clone = self.world.clones[which]
        before = clone.plan
        if identifier not in before.tasks:
            made = data.draw(tasks(identifier))
            self._write(clone, repaired(Plan(before.meta, {**before.tasks, identifier: made})))

    @rule(which=clones, data=st.data())
    def remove_from_a_file(self, which: int, data: st.DataObject) -> None:
        clone = self.world.clones[which]
        before = clone.plan
        if before.tasks:
            gone = data.draw(st.sampled_from(list(before.tasks)))
            rest = {one.id: one for one in before.tasks.values() if one.id != gone}
            self._write(clone, repaired(Plan(before.meta, rest)))

    @rule(which=clones, value=st.sampled_from([ABSENT, "x", "y"]))
    def edit_meta(self, which: int, value: Any) -> None:
        clone = self.world.clones[which]
        before = clone.plan
        self._write(clone, Plan(with_field(before.meta, "m", value), before.tasks))

    @rule(to=clones)
    def copy_a_file(self, to: int) -> None:
        """Let Git bring one clone's file into another, as after a fast-forward."""
        source, target = self.world.clones[1 - to], self.world.clones[to]
        self._write(target, source.plan)

    def _write(self, clone: Worktree, after: Plan) -> None:
        for change in diff(clone.plan, after):
            self._note(change, again=self._is_no_news(clone, change))
        clone.write(*after.tasks.values(), meta=after.meta)

    def _is_no_news(self, clone: Worktree, change: Change) -> bool:
        """Say whether a task is only put back, while its removal is on the way from elsewhere.

        The clone's last sync knew the task, and no sync saw it gone: so to all others this file
        has not changed, and whoever else removed the task has it removed.
        """
        base = clone.site.bases.load()
        if base is None or change.id not in base.tasks:
            return False
        others = [one.plan for one in self.world.clones if one is not clone]
        return any(change.id not in one.tasks for one in (*others, _both(clone.site)[1]))

    def _note(self, change: Change, *, again: bool = False) -> None:
        if isinstance(change, Removed):
            self.removed.add(change.id)
        elif isinstance(change, Added):
            self.ever.add(change.id)
            if not again:
                self.removed.discard(change.id)
            self.set_back.add((change.id, change.task.status))
        elif change.field == "status":
            self.set_back.add((change.id, str(change.new)))

    # Other tools, in Redis

    @rule(data=st.data(), status=statuses)
    def set_a_state(self, data: st.DataObject, status: str) -> None:
        self._edit_hash(data, {"state": status})

    @rule(data=st.data(), text=st.sampled_from(["said better", "said worse"]))
    def describe_a_task(self, data: st.DataObject, text: str) -> None:
        self._edit_hash(data, {"description": text})

    @rule(data=st.data(), agent=st.sampled_from(["dev", "ops", "qa"]))
    def give_a_task_to_another(self, data: st.DataObject, agent: str) -> None:
        self._edit_hash(data, {"agent": agent})

    def _edit_hash(self, data: st.DataObject, fields: dict[str, str]) -> None:
        hashes = self.world.hashes()
        if not hashes:
            return
        uuid = data.draw(st.sampled_from(sorted(hashes)))
        known = self._ids_of(uuid)
        self.world.put(uuid, fields)
        state = self.world.hashes()[uuid]["state"]
        self.set_back |= {(one, state) for one in known | self._ids_of(uuid)}

    def _ids_of(self, uuid: str) -> set[str]:
        """Return what clones call a hash; before it has a plan tag, its description tells."""
        states = [look(clone.site).state for clone in self.world.clones]
        found = [(one.task.id, one.uuid) for state in states for one in state.tasks.values()]
        found += [
            (one.task.id, one.uuid)
            for state in states
            for copies in state.copies.values()
            for one in copies
        ]
        return {identifier for identifier, other in found if other == uuid}

    @rule(text=st.sampled_from(["new work", "more work"]), status=statuses)
    def make_a_task_elsewhere(self, text: str, status: str) -> None:
        uuid = self._uuid()
        self.world.put(uuid, foreign_hash(uuid, text, state=status))
        self.set_back |= {(one, status) for one in self._ids_of(uuid)}

    @rule(identifier=st.sampled_from(IDS), status=statuses)
    def push_from_tinytown(self, identifier: str, status: str) -> None:
        uuid = self._uuid()
        self.world.put(uuid, foreign_hash(uuid, "do it", f'["plan:{identifier}"]', state=status))
        self.set_back.add((identifier, status))

    def _uuid(self) -> str:
        self.number += 1
        return f"{self.number:08x}-0000-4000-8000-000000000000"

    # Losses

    @rule(data=st.data())
    def evict_a_hash(self, data: st.DataObject) -> None:
        hashes = self.world.hashes()
        if hashes:
            self.world.drop(data.draw(st.sampled_from(sorted(hashes))))
            self.lost = True

    @rule()
    def flush(self) -> None:
        self.world.restore(None)
        self.lost = True

    @precondition(lambda self: len(self.dumps) < 3)
    @rule()
    def save(self) -> None:
        self.dumps.append(self.world.dump())

    @precondition(lambda self: self.dumps)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """Bring an old store back, with the tombstones of tasks that were made again since.

        That it is old is seen by the counter, unless a clone that stood at that very count raises
        it meanwhile to where the others are: then the removals of old are taken for new ones.
        """
        self.world.restore(self.dumps[data.draw(st.integers(0, len(self.dumps) - 1))])
        self.lost = True
        for clone in self.world.clones:
            self.removed |= look(clone.site).state.tombstones.keys()

    # Syncing

    @rule(which=clones, direction=directions)
    def sync(self, which: int, direction: Direction) -> None:
        self._synced(self.world.clones[which], Request(direction, force=True))

    @rule(which=clones)
    def merge(self, which: int) -> None:
        self._synced(self.world.clones[which], Request(Direction.MERGE, force=True))

    @rule()
    def merge_all(self) -> None:
        for clone in self.world.clones:
            self._synced(clone, Request(Direction.MERGE, force=True))

    @rule(direction=directions)
    def sync_all(self, direction: Direction) -> None:
        for clone in self.world.clones:
            self._synced(clone, Request(direction, force=True))

    @rule(which=clones, direction=directions, calls=st.integers(0, 12))
    def crash(self, which: int, direction: Direction, calls: int) -> None:
        clone = self.world.clones[which]
        request = Request(direction, force=True)
        told = sync(clone.site, replace(request, dry_run=True))
        before = _both(clone.site)
        with suppress(Crash):
            sync(clone.dying(calls), request)
        after = _both(clone.site)
        assert _keys(diff(before[0], after[0])) <= _keys(told.to_file)
        assert _keys(diff(before[1], after[1])) <= _keys(told.to_store)

    @rule(which=clones, data=st.data(), status=statuses)
    def lose_a_race(self, which: int, data: st.DataObject, status: str) -> None:
        clone = self.world.clones[which]
        turn = [lambda: self._edit_hash(data, {"state": status, "description": "raced"})]

        class Racing:
            def __getattr__(self, name: str) -> Any:
                if name == "apply" and turn:
                    turn.pop()()
                return getattr(clone.site.store, name)

        sync(replace(clone.site, store=Racing()), Request(Direction.MERGE, force=True))  # type: ignore[arg-type]

    @rule(which=clones, side=st.sampled_from(list(Side)))
    def decide(self, which: int, side: Side) -> None:
        clone = self.world.clones[which]
        for identifier in sorted({conflict.id for conflict in conflicts(clone.site)})[:1]:
            before = _both(clone.site)
            report = _resolve(clone, identifier, side)
            self._check_report(before, clone, report)
            self._check_decided(report, identifier)
            self._note_decision(report)

    def _note_decision(self, report: SyncReport) -> None:
        """Whoever decides may remove a task, and whoever decides elsewhere may keep it."""
        for change in (*report.to_file, *report.to_store):
            self._note(change)
            if not isinstance(change, Edited):
                self.removed.add(change.id)

    def _check_decided(self, report: SyncReport, identifier: str) -> None:
        assert all(c.why for c in report.conflicts if c.id == identifier), report.conflicts

    def _synced(self, clone: Worktree, request: Request) -> SyncReport:
        view = look(clone.site)
        before = view.plan, Plan(view.store.meta, view.store.tasks)
        report = sync(clone.site, request)
        self._check_report(before, clone, report)
        self._check_overwritten(view, report)
        self._check_statuses(report)
        if not report.duplicates:
            self._check_rest(clone, request)
        return report

    def _check_report(self, before: tuple[Plan, Plan], clone: Worktree, report: SyncReport) -> None:
        after = _both(clone.site)
        assert _keys(diff(before[0], after[0])) == _keys(report.to_file)
        told = [
            change
            for change in report.to_store
            if not isinstance(change, Removed) or change.id in before[1].tasks
        ]
        twice = {copy.id for copy in report.duplicates}
        seen = [change for change in diff(before[1], after[1]) if change.id not in twice]
        assert _keys(seen) == _keys(change for change in told if change.id not in twice)
        if report.direction is Direction.MERGE and not report.conflicts and not twice:
            assert after[0] == after[1]

    def _check_overwritten(self, view: Any, report: SyncReport) -> None:
        if view.trust is not Trust.CURRENT:
            return
        kept = {one.id for one in report.kept}
        for change in (*report.to_store, *report.to_file):
            if not isinstance(change, Edited) or change.field in _MERGED or change.id in kept:
                continue
            old = view.base.tasks.get(change.id)
            agreed = view.base.meta if change.id.startswith("[") else (old.fields if old else {})
            assert change.old == agreed.get(change.field, ABSENT), "an edit was overwritten"

    def _check_statuses(self, report: SyncReport) -> None:
        for change in (*report.to_store, *report.to_file):
            if isinstance(change, Edited) and change.field == "status":
                old, new = str(change.old), str(change.new)
                if goes_back(old, new):
                    assert (change.id, new) in self.set_back, change

    def _check_rest(self, clone: Worktree, request: Request) -> None:
        before = clone.print(), self.world.dump()
        again = sync(clone.site, request)
        assert (again.to_store, again.to_file) == ((), ())
        assert (clone.print(), self.world.dump()) == before

    # The end

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            if sys.exc_info()[0] is None:  # else the history has failed already
                self._come_to_rest()
        finally:
            close = getattr(self.world, "close", None)
            if close is not None:
                close()

    def _come_to_rest(self) -> None:
        for number in range(12):
            side = list(Side)[number // 3 % 2]
            busy = [self._settled(clone, side) for clone in self.world.clones]
            if not any(busy):
                break
        else:
            pytest.fail("the clones never come to rest")
        stored = _both(self.world.clones[0].site)[1]
        for clone in self.world.clones:
            assert clone.plan == stored
        assert self.ever - self.removed <= stored.tasks.keys()

    def _settled(self, clone: Worktree, side: Side) -> bool:
        """Resolve all conflicts and merge; say whether that changed anything."""
        before = clone.print(), self.world.dump()
        for identifier in {conflict.id for conflict in conflicts(clone.site)}:
            if identifier in {conflict.id for conflict in conflicts(clone.site)}:
                report = _resolve(clone, identifier, side)
                self._note_decision(report)
        self._synced(clone, Request(Direction.MERGE, force=True))
        return (clone.print(), self.world.dump()) != before or bool(conflicts(clone.site))


def _settings(share: float, steps: int) -> settings:
    """Take a share of the profile's examples; each is a whole history."""
    examples = max(5, int(settings().max_examples * share))
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )


def test_histories_on_twins() -> None:
    class OnTwins(Histories):
        make_world = TwinWorld

    run_state_machine_as_test(OnTwins, settings=_settings(2, 30))


def test_histories_on_files_and_a_server(redis_server: RedisServer, tmp_path: Path) -> None:
    with redis_server.connect() as connection:

        def made(count: int, first: Plan) -> World:
            directory = Path(tempfile.mkdtemp(dir=tmp_path))
            world = RealWorld(count, first, directory, connection)
            world.close = lambda: shutil.rmtree(directory)  # type: ignore[attr-defined]
            return world

        class OnRealOnes(Histories):
            make_world = staticmethod(made)

        run_state_machine_as_test(OnRealOnes, settings=_settings(0.3, 25))
