"""Histories of every shape: what is told of them is true, by a slow look at every commit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.effort import EFFORT
from tests.support.git_repos import git
from tests.support.past_repos import Node, ends, history, with_plan, write
from tests.support.plans import descendants, plan, plans, task
from tt.app.lifelines import Wanted, tell
from tt.app.touches import blame
from tt.core.diff import Added, Edited, apply
from tt.core.lifeline import Blame, Log, Renamed, Version
from tt.core.model import META_ID, Plan, Task
from tt.core.steps import steps, value_of
from tt.errors import PlanError, TTError

EVERYTHING = Wanted(limit=10_000)
Content = Plan | bytes | None
few = settings(max_examples={"nightly": 500, "ci": 15}.get(EFFORT, 12))


def told(top: Path, wanted: Wanted = EVERYTHING, name: str = "tasks.toml") -> Log:
    with ends(top, name) as versions:
        return tell(versions.history, versions.now(), wanted, name)


def blamed(top: Path, one: str | None = None) -> Blame:
    with ends(top) as versions:
        return blame(versions.history, versions.now(), one, "tasks.toml")


def touched(top: Path) -> dict[str, str | None]:
    """Return by field the subject of the commit that touched the only task last."""
    [(_, touches)] = blamed(top).tasks
    return {touch.field: touch.commit and touch.commit.subject for touch in touches}


def short(log: Log) -> list[object]:
    """Return a log as subjects and deeds: `["Commit 1", ("a", "created")]`."""
    lines: list[object] = []
    for entry in log.entries:
        lines.append(entry.commit.subject if entry.commit else None)
        lines += [(deed.id, *deed.did) for deed in entry.deeds]
        lines += ["?"] if entry.fault else []
    return lines


def distinct(one: Plan) -> Plan:
    """Keep tasks apart by their descriptions, so that none looks like another one, renamed."""
    return Plan(
        {name: value for name, value in one.meta.items() if name != "description"},
        {
            id_: Task(id_, {**found.fields, "description": f"{id_}: {found.description}"})
            for id_, found in one.tasks.items()
        },
    )


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[tuple[int, ...], Content]]:
    """Draw commits as (parents, plan): lines, branches, merges of any kind, faults, deletions."""
    made: list[tuple[tuple[int, ...], Content]] = []
    seen = [draw(plans(valid=False))]
    for number in range(draw(st.integers(1, 8))):
        older = list(range(number))
        count = min(number, draw(st.sampled_from([0, 1, 1, 1, 2, 2, 3])))
        recent = st.sampled_from(older[-4:] or [0])
        parents = draw(st.lists(recent, min_size=count, max_size=count, unique=True)) if (
            count <= len(older[-4:])
        ) else older[-1:]  # fmt: skip
        kind = draw(st.integers(0, 11))
        if kind == 0:
            made.append((tuple(parents), f"broken {number}".encode()))
        elif kind == 1:
            made.append((tuple(parents), None))
        elif kind in (2, 3) and number:
            same = made[draw(st.sampled_from(parents or older))][1]
            made.append((tuple(parents), same if not isinstance(same, bytes) else None))
        else:
            before = draw(st.sampled_from(seen))
            seen.append(draw(descendants(before, valid=False)))
            found = distinct(seen[-1])
            made.append((tuple(parents), found if found.tasks else None))
    return made


class Slow:
    """The truth about a graph, by asking every commit."""

    def __init__(self, graph: Sequence[tuple[tuple[int, ...], Content]]) -> None:
        self.graph = graph

    def plan(self, number: int) -> Plan:
        content = self.graph[number][1]
        assert not isinstance(content, bytes)
        return content or Plan()

    def readable(self, numbers: Sequence[int]) -> list[int]:
        found: list[int] = []
        for number in numbers:
            parents, content = self.graph[number]
            if self._never_had(number):
                continue  # Git leaves out a line of history that never had the file
            found += self.readable(parents) if isinstance(content, bytes) else [number]
        return list(dict.fromkeys(found))

    def _never_had(self, number: int) -> bool:
        parents, content = self.graph[number]
        return content is None and all(map(self._never_had, parents))

    def parents(self, number: int) -> list[int]:
        return self.readable(self.graph[number][0])

    def origins(self, numbers: list[int], value: Callable[[Plan], object]) -> set[int]:
        """Return the commits that made a value what it is, on any line that leads to it."""
        wanted = value(self.plan(numbers[0]))
        found: set[int] = set()
        left, seen = list(numbers), set[int]()
        while left:
            number = left.pop()
            if number in seen:
                continue
            seen.add(number)
            same = [one for one in self.parents(number) if value(self.plan(one)) == wanted]
            left += same
            found |= set() if same else {number}
        return found


def nodes(graph: Sequence[tuple[tuple[int, ...], Content]]) -> list[Node]:
    return [with_plan(content, *parents) for parents, content in graph]


@few
@given(graphs())
def test_each_field_is_blamed_on_a_commit_that_made_it_what_it_is(graph) -> None:
    slow = Slow(graph)
    with tempfile.TemporaryDirectory() as top:
        commits = write(Path(top), nodes(graph))
        last = slow.readable([len(graph) - 1])
        if not last or slow.graph[last[0]][1] is None:
            with pytest.raises(PlanError, match="There is no tasks"):
                blamed(Path(top))
            return
        found = blamed(Path(top))
        entries = told(Path(top)).entries
    now = slow.plan(last[0])
    spots = {(touch.task, touch.field) for _, touches in found.tasks for touch in touches}
    assert spots == {(id_, name) for id_, one in now.tasks.items() for name in one.fields} | {
        (META_ID, name) for name in now.meta
    }
    logged = {
        (entry.commit.id, step.id, name)
        for entry in entries if entry.commit
        for deed in entry.deeds for step in deed.steps
        for name in ([step.field] if isinstance(step, Edited) else
                     step.task.fields if isinstance(step, Added) else ())
    }  # fmt: skip
    for _, touches in found.tasks:
        for touch in touches:
            assert touch.commit is not None
            number = commits.index(touch.commit.id)
            true = slow.origins(last, lambda one, t=touch: value_of(one, t.task, t.field))
            assert number in true, (touch, true)
            assert (touch.commit.id, touch.task, touch.field) in logged


@few
@given(graphs())
def test_a_log_tells_of_a_commit_what_none_of_its_parents_had(graph) -> None:
    slow = Slow(graph)
    with tempfile.TemporaryDirectory() as top:
        commits = write(Path(top), nodes(graph))
        entries = told(Path(top)).entries
    for entry in entries:
        if entry.commit is None:
            continue
        number = commits.index(entry.commit.id)
        assert bool(entry.fault) == isinstance(graph[number][1], bytes)
        if not entry.fault:
            parents = [slow.plan(one) for one in slow.parents(number)]
            wanted = steps(parents, slow.plan(number))
            found = [step for deed in entry.deeds for step in deed.steps]
            assert len(found) == len(wanted)
            assert all(step in wanted for step in found)


@few
@given(plans(valid=False).flatmap(
    lambda one: st.lists(descendants(one, valid=False), min_size=1, max_size=6)
))  # fmt: skip
def test_a_line_of_commits_told_from_its_beginning_makes_the_plan(line: list[Plan]) -> None:
    versions = [distinct(one) if one.tasks else None for one in line]
    graph = [((number - 1,) if number else (), one) for number, one in enumerate(versions)]
    with tempfile.TemporaryDirectory() as top:
        write(Path(top), nodes(graph))
        entries = told(Path(top)).entries
    made = Plan()
    for entry in reversed(entries):
        for deed in entry.deeds:
            assert not any(isinstance(step, Renamed) for step in deed.steps)
            made = apply(made, deed.steps)  # type: ignore[arg-type]
    assert made == (versions[-1] or Plan())


A = plan(task("a"))
RUNNING, DONE = plan(task("a", status="running")), plan(task("a", status="completed"))


def test_a_life_is_told_in_words(tmp_path: Path) -> None:
    line = [A, plan(task("a", status="assigned")), RUNNING, plan(task("a", status="failed")),
            A, DONE, plan(task("a", "more", "completed")), None]  # fmt: skip
    write(tmp_path, [with_plan(one, *([n - 1] if n else [])) for n, one in enumerate(line)])
    words = [word for entry in told(tmp_path, Wanted("a")).entries for word in entry.deeds[0].did]
    assert words == ["removed", "edited", "completed", "reopened", "failed", "started", "assigned",
                     "created"]  # fmt: skip


def test_a_change_from_a_branch_is_told_where_it_was_made(tmp_path: Path) -> None:
    ours, theirs = plan(task("a", agent="x")), plan(task("a", priority=1))
    both = plan(task("a", agent="x", priority=1))
    write(tmp_path, [with_plan(A), with_plan(ours, 0), with_plan(theirs, 0), with_plan(both, 1, 2)])
    assert short(told(tmp_path)) == [
        "Commit 2", ("a", "edited"), "Commit 1", ("a", "edited"), "Commit 0", ("a", "created"),
    ]  # fmt: skip


def test_what_a_merge_made_up_itself_is_told_of_the_merge(tmp_path: Path) -> None:
    ours, theirs = plan(task("a", agent="x")), plan(task("a", agent="y"))
    evil = plan(task("a", agent="z"))
    write(tmp_path, [with_plan(A), with_plan(ours, 0), with_plan(theirs, 0), with_plan(evil, 1, 2)])
    assert short(told(tmp_path))[:2] == ["Commit 3", ("a", "edited")]
    assert touched(tmp_path) == {
        "description": "Commit 0", "status": "Commit 0", "agent": "Commit 3",
    }  # fmt: skip


def test_a_merge_that_was_committed_with_markers_counts_with_the_commit_that_mended_it(
    tmp_path: Path,
) -> None:
    ours, theirs = plan(task("a", agent="x")), plan(task("a", priority=1))
    both = plan(task("a", agent="x", priority=1))
    write(tmp_path, [with_plan(A), with_plan(ours, 0), with_plan(theirs, 0),
                     with_plan(b"<<<<<<< x\n", 1, 2), with_plan(both, 3)])  # fmt: skip
    assert short(told(tmp_path))[:4] == ["Commit 3", "?", "Commit 2", ("a", "edited")]


def test_a_version_that_cannot_be_read_is_passed_over_and_told_where_it_matters(
    tmp_path: Path,
) -> None:
    other = plan(task("a", status="completed"), task("b"))
    write(tmp_path, [with_plan(A), with_plan(b"x", 0), with_plan(DONE, 1), with_plan(other, 2),
                     with_plan(b"y", 3), with_plan(other, 4)])  # fmt: skip
    assert short(told(tmp_path)) == ["Commit 4", "?", "Commit 3", ("b", "created"),
        "Commit 2", ("a", "completed"), "Commit 1", "?", "Commit 0", ("a", "created")]  # fmt: skip
    assert short(told(tmp_path, Wanted("a"))) == [
        "Commit 2", ("a", "completed"), "Commit 1", "?", "Commit 0", ("a", "created"),
    ]  # fmt: skip


def test_a_renamed_task_keeps_its_life_and_its_touches(tmp_path: Path) -> None:
    line = [A, RUNNING, plan(task("b", status="running")), plan(task("b", status="completed"))]
    write(tmp_path, [with_plan(one, *([n - 1] if n else [])) for n, one in enumerate(line)])
    assert short(told(tmp_path, Wanted("b"))) == [
        "Commit 3", ("b", "completed"), "Commit 2", ("b", "renamed"),
        "Commit 1", ("a", "started"), "Commit 0", ("a", "created"),
    ]  # fmt: skip
    assert touched(tmp_path) == {"description": "Commit 0", "status": "Commit 3"}


def test_a_deletion_and_a_second_beginning_are_told(tmp_path: Path) -> None:
    write(tmp_path, [with_plan(A), with_plan(None, 0), with_plan(A, 1)])
    assert short(told(tmp_path)) == ["Commit 2", ("a", "created"), "Commit 1", ("a", "removed"),
                                     "Commit 0", ("a", "created")]  # fmt: skip
    assert set(touched(tmp_path).values()) == {"Commit 2"}


def test_what_is_not_committed_stands_on_top(tmp_path: Path) -> None:
    write(tmp_path, [with_plan(A)])
    (tmp_path / "tasks.toml").write_bytes(with_plan(DONE).files["tasks.toml"] or b"")
    assert short(told(tmp_path))[:2] == [None, ("a", "completed")]
    assert touched(tmp_path) == {"description": "Commit 0", "status": None}
    (tmp_path / "tasks.toml").write_text("broken")
    assert short(told(tmp_path))[:2] == [None, "?"]
    assert blamed(tmp_path).fault
    (tmp_path / "tasks.toml").unlink()
    assert short(told(tmp_path))[:2] == [None, ("a", "removed")]
    assert short(told(tmp_path, Wanted(until=1_800_000_000)))[0] == "Commit 0"


def test_a_plan_that_was_never_committed_is_all_not_committed_yet(tmp_path: Path) -> None:
    write(tmp_path, [Node((), {"x": b""})])
    (tmp_path / "tasks.toml").write_bytes(with_plan(A).files["tasks.toml"] or b"")
    assert short(told(tmp_path)) == [None, ("a", "created")]
    assert set(touched(tmp_path).values()) == {None}


def test_a_log_is_as_long_as_was_asked_for_and_says_so(tmp_path: Path) -> None:
    line = [A, RUNNING, DONE]
    write(tmp_path, [with_plan(one, *([n - 1] if n else [])) for n, one in enumerate(line)])
    assert (len(told(tmp_path, Wanted(limit=2)).entries), told(tmp_path, Wanted(limit=2)).more) == (
        2, True,
    )  # fmt: skip
    assert not told(tmp_path, Wanted(limit=3)).more
    hour = 1_700_000_000 + 3600
    assert short(told(tmp_path, Wanted(since=hour, until=hour))) == ["Commit 1", ("a", "started")]
    assert short(told(tmp_path, Wanted("a", since=hour + 1))) == ["Commit 2", ("a", "completed")]


def test_where_a_shallow_clone_ends_nothing_is_said_to_be_new(tmp_path: Path) -> None:
    write(tmp_path / "full", [with_plan(A), with_plan(RUNNING, 0), with_plan(DONE, 1)])
    url = f"file://{tmp_path / 'full'}"
    git(tmp_path, "clone", "--quiet", "--depth=2", "--branch=main", url, "part")
    log = told(tmp_path / "part")
    assert short(log) == ["Commit 2", ("a", "completed"), "Commit 1"]
    assert log.entries[-1].there == 1
    assert told(tmp_path / "part", Wanted("a")).entries[-1].there == 1
    [(_, touches)] = blamed(tmp_path / "part").tasks
    ends_there = {touch.field: touch.commit is not None and touch.commit.ends for touch in touches}
    assert ends_there == {"description": True, "status": False}


def test_an_unknown_task_is_told_what_was_meant_even_if_only_history_knows_it(
    tmp_path: Path,
) -> None:
    write(tmp_path, [with_plan(plan(task("login", "Log in"))), with_plan(A, 0)])
    with pytest.raises(TTError) as caught:
        told(tmp_path, Wanted("logn"))
    assert caught.value.hint == "Did you mean `login`?"
    with pytest.raises(TTError, match="not in the plan any more"):
        blamed(tmp_path, "login")
    with pytest.raises(TTError, match="never was"):
        blamed(tmp_path, "zzz")
    assert short(told(tmp_path, Wanted("login"))) == [
        "Commit 1", ("login", "removed"), "Commit 0", ("login", "created"),
    ]  # fmt: skip


def test_a_task_can_be_asked_for_by_the_name_that_it_had(tmp_path: Path) -> None:
    renamed = plan(task("b"))
    write(tmp_path, [with_plan(A), with_plan(renamed, 0), with_plan(plan(task("b"), task("c")), 1)])
    assert short(told(tmp_path, Wanted("a"))) == [
        "Commit 1", ("b", "renamed"), "Commit 0", ("a", "created"),
    ]  # fmt: skip


def test_a_criss_cross_of_merges_blames_who_wrote_it(tmp_path: Path) -> None:
    left, right = plan(task("a", agent="x")), plan(task("a", priority=1))
    both = plan(task("a", agent="x", priority=1))
    done = plan(task("a", status="completed", agent="x", priority=1))
    write(tmp_path, [with_plan(A), with_plan(left, 0), with_plan(right, 0), with_plan(both, 1, 2),
                     with_plan(done, 2, 1), with_plan(done, 3, 4)])  # fmt: skip
    assert touched(tmp_path) == {
        "description": "Commit 0", "agent": "Commit 1", "priority": "Commit 2",
        "status": "Commit 4",
    }  # fmt: skip


def test_of_two_who_did_the_same_the_one_on_the_first_parents_side_is_blamed(
    tmp_path: Path,
) -> None:
    left, right = plan(task("a", agent="x", p=1)), plan(task("a", agent="x", q=1))
    both = plan(task("a", agent="x", p=1, q=1))
    for name, parents, blamed_one in (("l", (1, 2), "Commit 1"), ("r", (2, 1), "Commit 2")):
        line = [with_plan(A), with_plan(left, 0), with_plan(right, 0), with_plan(both, *parents)]
        write(tmp_path / name, line)
        assert touched(tmp_path / name)["agent"] == blamed_one


def test_fields_that_came_back_from_two_sides_are_blamed_on_where_both_began(
    tmp_path: Path,
) -> None:
    root = plan(task("a", x=1, y=1))
    left, right = plan(task("a", x=1, y=2)), plan(task("a", x=2, y=1))
    write(tmp_path, [with_plan(root), with_plan(left, 0), with_plan(right, 0),
                     with_plan(root, 1, 2)])  # fmt: skip
    assert set(touched(tmp_path).values()) == {"Commit 0"}


def test_versions_are_read_as_they_are_needed(tmp_path: Path) -> None:
    line = [plan(task("a", f"text {number}")) for number in range(60)]
    write(tmp_path, [with_plan(one, *([n - 1] if n else [])) for n, one in enumerate(line)])
    with history(tmp_path) as found:
        asked: list[int] = []
        read = found.versions
        found.versions = lambda part: (asked.append(len(part)), read(part))[1]  # type: ignore[method-assign]
        tell(found, Version(line[-1], "", "tasks.toml"), Wanted(limit=3), "tasks.toml")
    assert sum(asked) < 60
