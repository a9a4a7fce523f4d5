"""What a sync noted before it wrote stands in for the base that it did not get to save."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans import Trees, applied, as_plan, base, descendants, plan, store, task, trees
from tt.app.storing import after
from tt.core.agree import agree
from tt.core.base import Base
from tt.core.begun import Begun, across, begin, take_up
from tt.core.diff import Added, Edited, Removed, diff
from tt.core.model import META_ID, Plan
from tt.core.outcome import Outcome
from tt.core.reconcile import doubtful, reconcile
from tt.core.trees import StoreView, Terms


def decided(known: Base, file: Plan, stored: StoreView) -> Outcome:
    return reconcile(known, file, stored, Terms(wishes=frozenset(doubtful(known, file, stored))))


def noted(outcome: Outcome) -> Begun:
    return begin(outcome.to_store, outcome.to_file)


def taken_up(known: Base, begun: Begun, file: Plan, stored: StoreView) -> Base:
    return take_up(known, across([begun], file, stored))


def spots(outcome: Outcome) -> list[tuple[str, str | None]]:
    return [(conflict.id, conflict.field) for conflict in outcome.conflicts]


@given(trees())
def test_a_kill_before_any_write_is_no_sync(found: Trees) -> None:
    known, file, stored = found
    begun = noted(decided(*found))
    assert taken_up(known, begun, file, stored) == known


@given(trees())
def test_a_kill_between_the_writes_leaves_the_rest_to_do_and_no_more(found: Trees) -> None:
    known, file, stored = found
    first = decided(*found)
    written = after(stored, first.to_store)
    second = decided(taken_up(known, noted(first), file, written), file, written)
    assert second.conflicts == first.conflicts
    assert second.to_store == []
    assert {*map(repr, second.to_file)} == {*map(repr, first.to_file)}


@given(st.data())
def test_what_the_user_does_after_both_writes_goes_as_if_the_base_had_been_saved(
    data: st.DataObject,
) -> None:
    known, file, stored = data.draw(trees())
    first = decided(known, file, stored)
    file, stored = applied(first, file, stored)
    saved = agree(known, file, stored)
    later = data.draw(descendants(file))
    taken = taken_up(known, noted(first), later, stored)
    one, other = decided(taken, later, stored), decided(saved, later, stored)
    more = set(spots(one)) - set(spots(other))
    edited = {change.id for change in first.to_file}  # what is new to both is asked about
    carried = {
        (change.id, change.field if isinstance(change, Edited) else None)
        for change in first.to_store
        if isinstance(change, Edited) or change.id not in edited
    }
    assert not carried & more


def test_a_list_that_was_merged_is_agreed_on_by_both_or_by_neither() -> None:
    old, ours, theirs = (task("a", tags=tags) for tags in (["x"], ["x", "y"], ["x", "z"]))
    outcome = decided(base(old), plan(ours), store(theirs))
    assert len(outcome.to_store) == len(outcome.to_file) == 1
    assert noted(outcome) == Begun()


def test_each_kind_of_change_is_known_by_what_the_other_side_says_now() -> None:
    new, old = task("new"), task("old")
    begun = Begun(
        (Added(new), Removed(old), Edited("a", "agent", "dev", "ops"), Edited(META_ID, "m", 1, 2)),
        (Added(task("other")), Removed(task("gone")), Edited("b", "status", "pending", "running")),
    )
    known = base(task("a", agent="dev"), task("b"), old, task("gone"), meta={"m": 1})
    file = plan(task("other"), task("b", status="running"))
    stored = store(new, task("a", agent="ops"), stones=[old], meta={"m": 2})
    assert across([begun], file, stored) == begun
    taken = take_up(known, begun)
    assert taken == base(
        task("a", agent="ops"),
        task("b", status="running"),
        new,
        task("other"),
        deleted=["old", "gone"],
        meta={"m": 2},
    )
    nothing = across([begun], plan(task("gone"), task("b")), store(old, task("a", agent="dev")))
    assert nothing == Begun()


def test_a_task_that_is_gone_without_a_tombstone_was_lost_and_not_removed() -> None:
    begun = Begun((Removed(task("a")),))
    assert across([begun], plan(), store()) == Begun()
    assert across([begun], plan(), store(stones=[task("a")], aside=["a"])) == Begun()
    assert across([begun], plan(), store(stones=[task("a")])) == begun


def test_of_a_task_that_was_made_and_went_on_the_rest_has_come_across() -> None:
    begun = Begun((Added(task("a", "do it", agent="dev")),))
    came = across([begun], plan(), store(task("a", "do it", "running", agent="dev")))
    taken = take_up(base(), came)
    assert dict(taken.tasks["a"].fields) == {"description": "do it", "agent": "dev"}


def test_of_several_that_were_killed_the_last_that_wrote_counts() -> None:
    one, two = (Begun((Edited("a", "agent", old, new),)) for old, new in (("x", "y"), ("y", "z")))
    known, file = base(task("a", agent="x")), plan(task("a", agent="q"))
    for said in ("y", "z"):
        stored = store(task("a", agent=said))
        taken = take_up(known, across([one, two], file, stored))
        assert taken.tasks["a"].fields["agent"] == said
        outcome = decided(taken, file, stored)
        assert outcome.conflicts == []
        assert outcome.to_store == diff(as_plan(stored), file)
