"""What a commit takes along: what pulls brought and the staged plan lacks, never a user's edit."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.plans import plan, task
from tests.support.sites import MERGE, PULL, PUSH, Clone, restore
from tt.core.diff import Added, Edited, Removed, apply
from tt.core.model import Plan
from tt.core.pulled import pulled
from tt.core.report import SyncRecord
from tt.core.values import ABSENT

A, B = task("a"), task("b")


def _sync(*, to_file=(), to_store=(), omitted=0) -> SyncRecord:
    return SyncRecord("", "", "merge", tuple(to_store), tuple(to_file), omitted=omitted)


def _status(old: str, new: str, name: str = "a") -> Edited:
    return Edited(name, "status", old, new)


def _plan(status: str) -> Plan:
    return plan(task("a", status=status))


def test_a_state_that_was_pulled_is_taken_along() -> None:
    came = _status("pending", "completed")
    assert pulled(_plan("pending"), _plan("completed"), [_sync(to_file=[came])]) == [came]


def test_several_pulls_in_a_row_are_one_step_for_the_staged_plan() -> None:
    records = [
        _sync(to_file=[_status("running", "completed")]),
        _sync(to_store=[Edited("b", "status", "pending", "failed")]),
        _sync(to_file=[_status("assigned", "running")]),
        _sync(to_file=[_status("pending", "assigned")]),
    ]
    for staged in ("pending", "assigned", "running"):
        assert pulled(_plan(staged), _plan("completed"), records) == [_status(staged, "completed")]
    assert pulled(_plan("cancelled"), _plan("completed"), records) == []


def test_an_edit_that_was_pushed_stays_unstaged() -> None:
    pushed = _sync(to_store=[_status("pending", "completed")])
    older = _sync(to_file=[_status("pending", "completed")])
    assert pulled(_plan("pending"), _plan("completed"), [pushed]) == []
    assert pulled(_plan("pending"), _plan("completed"), [pushed, older]) == []


def test_a_state_that_was_pulled_over_an_unstaged_edit_stays_unstaged() -> None:
    records = [
        _sync(to_file=[_status("assigned", "completed")]),
        _sync(to_store=[_status("pending", "assigned")]),
    ]
    assert pulled(_plan("pending"), _plan("completed"), records) == []


def test_what_no_sync_tells_of_stays_unstaged() -> None:
    assert pulled(_plan("pending"), _plan("completed"), []) == []
    shortened = _sync(omitted=3)
    came = _sync(to_file=[_status("pending", "completed")])
    assert pulled(_plan("pending"), _plan("completed"), [shortened, came]) == []


def test_a_value_that_was_edited_after_its_pull_stays_unstaged() -> None:
    records = [_sync(to_file=[_status("pending", "running")])]
    assert pulled(_plan("pending"), _plan("completed"), records) == []


def test_a_task_that_came_from_redis_comes_as_it_came() -> None:
    new = task("n", "new", agent="dev")
    edited = task("n", "edited by the user", agent="dev", status="running")
    records = [
        _sync(to_file=[Edited("n", "status", "pending", "running")]),
        _sync(to_store=[Edited("n", "description", "new", "edited by the user")]),
        _sync(to_file=[Added(new)]),
    ]
    wanted = Added(task("n", "new", agent="dev", status="running"))
    assert pulled(plan(A), plan(A, edited), records) == [wanted]
    own = _sync(to_store=[Added(new)])
    assert pulled(plan(A), plan(A, new), [own]) == []
    made_again = [own, _sync(to_store=[Removed(edited)]), *records]
    assert pulled(plan(A), plan(A, new), made_again) == []


def test_what_was_pulled_is_taken_along_after_redis_has_lost_it_and_got_it_back() -> None:
    came = _status("pending", "completed")
    healed = _sync(to_store=[Added(task("a", status="completed"))])
    records = [healed, _sync(to_file=[came])]
    assert pulled(_plan("pending"), _plan("completed"), records) == [came]
    new, edited = task("n", "new"), task("n", "edited by the user")
    records = [_sync(to_store=[Added(edited)]), _sync(to_file=[Added(new)])]
    assert pulled(plan(A), plan(A, edited), records) == [Added(new)]


def test_an_edit_that_a_lost_redis_got_stays_unstaged() -> None:
    edited = _sync(to_store=[Added(task("a", status="running"))])
    came = _status("pending", "assigned")
    assert pulled(_plan("pending"), _plan("running"), [edited, _sync(to_file=[came])]) == []
    pulled_over_it = _sync(to_file=[_status("running", "completed")])
    records = [pulled_over_it, edited, _sync(to_file=[came])]
    assert pulled(_plan("pending"), _plan("completed"), records) == []


def test_a_task_that_went_and_came_back_is_no_edit_of_the_old_one() -> None:
    records = [
        _sync(to_file=[Added(task("a", status="completed"))]),
        _sync(to_file=[Removed(_plan("completed").tasks["a"])]),
        _sync(to_file=[_status("pending", "completed")]),
    ]
    assert pulled(_plan("pending"), _plan("completed"), records) == []


def test_a_task_that_redis_removed_goes_unless_it_was_edited() -> None:
    gone = _sync(to_file=[Removed(B)])
    assert pulled(plan(A, B), plan(A), [gone]) == [Removed(B)]
    assert pulled(plan(A, task("b", "staged")), plan(A), [gone]) == []
    assert pulled(plan(A, B), plan(A), [_sync(to_store=[Removed(B)]), gone]) == []


def test_what_would_make_the_staged_plan_invalid_is_left_out() -> None:
    child = task("c", parent="b")
    now = plan(A, B, child)
    records = [_sync(to_file=[Added(child)]), _sync(to_store=[Added(B)])]
    assert pulled(plan(A), now, records) == []
    assert pulled(plan(A, B), now, records) == [Added(child)]


FIELDS = ("description", "agent", "note")
spots = st.tuples(st.sampled_from("ab"), st.sampled_from(FIELDS))


class Staging(RuleBasedStateMachine):
    """A user who edits and stages, agents who write Redis, syncs between them, and commits."""

    @initialize()
    def begin(self) -> None:
        tasks = (task("a", agent="x", note="n"), task("b", agent="x", note="n"))
        self.clone = Clone(None, *tasks)
        self.clone.sync(MERGE)
        self.index = self.clone.plan
        self.steps: dict[tuple[str, str], list[str]] = {}
        self.count = 0

    def _fresh(self) -> str:
        self.count += 1
        return f"value {self.count}"

    @rule(spot=spots)
    def edit(self, spot) -> None:
        """The user saves a field, and stages nothing."""
        before = self.clone.plan
        value = self._fresh()
        after = apply(before, [Edited(*spot, before.tasks[spot[0]].fields[spot[1]], value)])
        self.clone.write(*after.tasks.values())
        self.steps.setdefault(spot, []).append("edit")

    @rule(spot=spots)
    def work(self, spot) -> None:
        """Somebody writes a field in Redis."""
        self.clone.raw(spot[0])[spot[1]] = self._fresh()

    @rule()
    def flush(self) -> None:
        """Redis is lost; a push or merge gives it back what the file has."""
        restore(self.clone.memory)
        self.sync(MERGE)

    @rule(request=st.sampled_from([PUSH, PULL, MERGE]))
    def sync(self, request) -> None:
        for change in self.clone.sync(request).to_file:
            assert isinstance(change, Edited)
            self.steps.setdefault((change.id, change.field), []).append("pull")

    @rule(spot=spots)
    def stage(self, spot) -> None:
        """`git add -p` of one hunk."""
        identifier, name = spot
        now = self.clone.plan.tasks[identifier].fields.get(name, ABSENT)
        was = self.index.tasks[identifier].fields.get(name, ABSENT)
        self.index = apply(self.index, [Edited(identifier, name, was, now)])
        self.steps.pop(spot, None)

    @rule()
    def commit(self) -> None:
        self.sync(MERGE)
        changes = pulled(self.index, self.clone.plan, self.clone.bases.history(500))
        wanted = {spot for spot, steps in self.steps.items() if set(steps) == {"pull"}}
        assert {(change.id, change.field) for change in changes} == wanted
        self.index = apply(self.index, changes)
        for spot in wanted:
            del self.steps[spot]

    @invariant()
    def what_is_not_staged_is_what_was_stepped_over(self) -> None:
        for identifier, one in self.clone.plan.tasks.items():
            for name in FIELDS:
                same = one.fields.get(name) == self.index.tasks[identifier].fields.get(name)
                assert same == ((identifier, name) not in self.steps)


TestStaging = Staging.TestCase
