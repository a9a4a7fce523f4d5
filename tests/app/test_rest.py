"""What is at rest: then no push or merge of the same writes or tells anything, whatever HEAD is.

A hook that knows it again does nothing at all. So whatever a sync would write, or say, is no rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from tests.e2e.test_histories import Histories, _settings, clones
from tests.support.plans import task
from tests.support.sites import PULL, PUSH, Clone, FakeRepository, foreign_hash, restore
from tests.support.worlds import TwinWorld
from tt.adapters.memory import MemoryIdentity
from tt.app.hooks import Ground, after_git, before_commit
from tt.app.rest import at_rest
from tt.app.sync import Request, report, synced
from tt.core.report import Direction, SyncReport
from tt.record import replace

KEEPING = Request(Direction.PUSH, keep_file=True)
"""What all hooks but pre-commit ask for."""

HOOKS = (KEEPING, Request(Direction.MERGE))


def rests(clone: Any, request: Request = KEEPING) -> bool:
    """Sync, and say whether that left all at rest."""
    return at_rest(clone.site, *synced(clone.site, request))


def silent(told: SyncReport) -> bool:
    """Say whether a hook would say nothing about it."""
    return not (
        told.to_store or told.to_file or told.waiting_store or told.waiting_file
        or told.conflicts or told.kept or told.faults or told.duplicates or told.named
    )  # fmt: skip


class Resting(Histories):
    """Histories in which hooks run, too: where one finds rest, the next ones do nothing."""

    make_world = TwinWorld
    found = 0

    @rule(which=clones, request=st.sampled_from(HOOKS), times=st.integers(1, 3))
    def run_hooks(self, which: int, request: Request, times: int) -> None:
        clone = self.world.clones[which]
        for _ in range(times):
            if at_rest(clone.site, *synced(clone.site, replace(request, force=True))):
                self._check_silence(clone)

    def teardown(self) -> None:
        """Ask no more of the end: how histories end is their own test's."""

    def _check_silence(self, clone: Any) -> None:
        type(self).found += 1
        before = clone.print(), self.world.dump()
        for again in HOOKS:
            told = report(clone.site, again, *synced(clone.site, again))
            assert silent(told), told
            assert (clone.print(), self.world.dump()) == before


def test_where_a_hook_finds_rest_the_next_ones_write_and_say_nothing() -> None:
    run_state_machine_as_test(Resting, settings=_settings(2, 30))
    assert Resting.found > 10


@pytest.fixture
def clone() -> Clone:
    repository = FakeRepository()
    made = Clone(None, task("a"), task("b", agent="dev"), repository=repository)
    repository.commit("one", made.file.data)
    made.sync()
    return made


def test_a_plan_in_step_with_its_town_is_at_rest(clone: Clone) -> None:
    assert all(rests(clone, request) for request in HOOKS)


def test_a_sync_that_wrote_is_not_yet_rest(clone: Clone) -> None:
    clone.edit("do it", "do it well")
    assert not rests(clone)
    assert rests(clone)


def test_rest_needs_a_sync_before_it() -> None:
    fresh = Clone(None, task("a"), repository=FakeRepository())
    assert not rests(fresh)


def test_rest_does_not_hang_on_head(clone: Clone) -> None:
    repository = clone.repository
    assert repository is not None
    assert rests(clone)
    before = clone.everything()
    repository.commit("two", b"")
    repository.commit("three", clone.file.data)
    assert rests(clone)
    assert clone.everything() == before


def test_a_counter_that_others_raise_disturbs_no_rest(clone: Clone) -> None:
    before = clone.bases.load()
    clone.memory.plan["seq"] = str(int(clone.memory.plan["seq"]) + 1)
    assert rests(clone)
    assert clone.bases.load() == before


def test_a_town_that_is_ours_by_another_name_is_looked_at_each_time(clone: Clone) -> None:
    clone.memory.plan["repo"] = "other"
    identity = MemoryIdentity("me", "other")
    site = replace(clone.site, identity=identity)
    assert not at_rest(site, *synced(site, KEEPING))


def _agent(clone: Clone) -> None:
    clone.raw("a")["state"] = "completed"


def _conflict(clone: Clone) -> None:
    clone.edit("do it", "mine")
    clone.raw("a")["description"] = "theirs"
    clone.sync(PUSH)


def _kept(clone: Clone) -> None:
    old = clone.file.data
    _agent(clone)
    clone.sync()
    clone.sync(PUSH)
    clone.file.data = old


def _duplicate(clone: Clone) -> None:
    uuid = "11111111-2222-4333-8444-555555555555"
    raw = foreign_hash(uuid, "do it", '["plan:a"]', state="pending")
    clone.memory.tasks[uuid] = raw


def _fault(clone: Clone) -> None:
    uuid = "11111111-2222-4333-8444-555555555555"
    clone.memory.tasks[uuid] = foreign_hash(uuid, "x", state="nonsense")


def _foreign(clone: Clone) -> None:
    uuid = "11111111-2222-4333-8444-555555555555"
    clone.memory.tasks[uuid] = foreign_hash(uuid, "made by another tool")


def _untagged(clone: Clone) -> None:
    del clone.raw("a")["tt"]


def _made_again(clone: Clone) -> None:
    base = clone.bases.load()
    assert base is not None
    clone.raw("a")["made"] = str(base.seq + 1)


def _meta(clone: Clone) -> None:
    clone.memory.plan["meta:description"] = '"said elsewhere"'


def _meta_conflict(clone: Clone) -> None:
    clone.edit("[meta]", '[meta]\ndescription = "said here"')
    clone.memory.plan["meta:description"] = '"said elsewhere"'


def _flushed(clone: Clone) -> None:
    restore(clone.memory)


def _healed(clone: Clone) -> None:
    clone.memory.plan["epoch"] = "another"


def _without_epoch(clone: Clone) -> None:
    clone.memory.plan["epoch"] = ""


def _unnamed(clone: Clone) -> None:
    clone.file.data = (clone.file.data or b"") + b'\n[[tasks]]\ndescription = "no id"\n'
    clone.sync(KEEPING)


def _stone(clone: Clone) -> None:
    clone.memory.stones["b"] = "nonsense"


DISTURBED: tuple[Callable[[Clone], None], ...] = (
    _agent, _conflict, _kept, _duplicate, _fault, _foreign, _untagged, _made_again, _flushed,
    _meta, _meta_conflict, _healed, _without_epoch, _unnamed, _stone,
)  # fmt: skip


@pytest.mark.parametrize("disturb", DISTURBED)
def test_whatever_a_hook_would_do_or_say_is_no_rest(
    clone: Clone, disturb: Callable[[Clone], None]
) -> None:
    disturb(clone)
    assert not rests(clone), "what the first hook finds"


@pytest.mark.parametrize(
    "disturb", [_conflict, _kept, _duplicate, _fault, _agent, _unnamed, _meta_conflict]
)
def test_what_no_push_can_settle_is_no_rest_ever(
    clone: Clone, disturb: Callable[[Clone], None]
) -> None:
    disturb(clone)
    for _ in range(3):
        assert not rests(clone)


def test_a_sync_that_was_told_how_to_decide_finds_no_rest(clone: Clone) -> None:
    assert not rests(clone, replace(KEEPING, reset=True))


def test_a_hook_remembers_what_it_found_at_rest_and_nothing_else(clone: Clone) -> None:
    kept: list[tuple[bytes, str]] = []
    ground = Ground(
        clone.site, index=_NoIndex(), remember=lambda data, base: kept.append((data, base))
    )
    clone.raw("a")["state"] = "completed"
    after_git(ground, "post-merge")
    assert kept == []
    clone.sync(PULL)
    base = clone.bases.load()
    assert base is not None
    after_git(ground, "post-merge")
    assert kept == [(clone.file.data, base.version)]
    before_commit(ground)
    assert kept == [(clone.file.data, base.version)] * 2


class _NoIndex:
    """An `Index` without the plan."""

    is_temporary = False

    def read(self, path: Any) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)
