"""A plan's commits as Git has them: names, merges, ends of history, and what may be in a commit."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.git_repos import commit, git, init
from tests.support.past_repos import Node, history, with_plan, write
from tests.support.plans import plan, task
from tests.support.tools import missing
from tt.adapters.gitlog import check_name
from tt.core.model import Plan
from tt.errors import TTError

A, B, C = plan(task("a")), plan(task("a"), task("b")), plan(task("a", status="running"), task("b"))
LONG = plan(*(task(f"t{number}", f"Do the thing number {number}") for number in range(9)))


def plans_of(top: Path, name: str = "tasks.toml") -> list[tuple[str, Plan | None, str]]:
    """List (subject, plan, path) of a plan's history, newest first."""
    with history(top, name) as found:
        commits = found.commits()
        versions = list(found.versions(commits))
    assert [found.commits() is commits] == [True]
    return [(c.subject, v.plan, v.file) for c, v in zip(commits, versions, strict=True)]


def shape(top: Path, name: str = "tasks.toml") -> list[tuple[str, list[str]]]:
    """List (subject, parents' subjects) of a plan's history, newest first."""
    with history(top, name) as found:
        subjects = {one.id: one.subject for one in found.commits()}
        return [(one.subject, [subjects[p] for p in one.parents]) for one in found.commits()]


def test_only_commits_that_touch_the_plan_are_listed_newest_first(tmp_path: Path) -> None:
    other = Node((0,), {"x": b"1"})
    write(tmp_path, [with_plan(A), other, with_plan(B, 1)])
    assert plans_of(tmp_path) == [("Commit 2", B, "tasks.toml"), ("Commit 0", A, "tasks.toml")]
    assert shape(tmp_path) == [("Commit 2", ["Commit 0"]), ("Commit 0", [])]


def test_an_unborn_branch_has_no_history(tmp_path: Path) -> None:
    init(tmp_path)
    assert plans_of(tmp_path) == []


def test_a_detached_head_has_the_history_below_it(tmp_path: Path) -> None:
    commits = write(tmp_path, [with_plan(A), with_plan(B, 0)])
    git(tmp_path, "checkout", "--quiet", commits[0])
    assert [subject for subject, _, _ in plans_of(tmp_path)] == ["Commit 0"]


def test_two_roots_are_two_beginnings(tmp_path: Path) -> None:
    write(tmp_path, [with_plan(A), with_plan(B), with_plan(C, 0, 1)])
    assert shape(tmp_path) == [
        ("Commit 2", ["Commit 0", "Commit 1"]), ("Commit 1", []), ("Commit 0", []),
    ]  # fmt: skip


def test_a_merge_that_is_one_side_is_passed_through(tmp_path: Path) -> None:
    write(tmp_path, [with_plan(A), Node((0,), {"x": b""}), with_plan(B, 0), with_plan(B, 1, 2)])
    assert shape(tmp_path) == [("Commit 2", ["Commit 0"]), ("Commit 0", [])]


def test_an_octopus_has_all_its_parents(tmp_path: Path) -> None:
    arms = [with_plan(plan(task("a"), task(name)), 0) for name in "xyz"]
    write(tmp_path, [with_plan(A), *arms, with_plan(plan(task("a"), *map(task, "xyz")), 1, 2, 3)])
    assert shape(tmp_path)[0] == ("Commit 4", ["Commit 1", "Commit 2", "Commit 3"])


def test_a_renamed_file_is_followed_to_its_beginning(tmp_path: Path) -> None:
    moved = Node((0,), {"todo.toml": None, **with_plan(LONG, 0).files})
    write(tmp_path, [with_plan(LONG, name="todo.toml"), moved, with_plan(C, 1)])
    assert [(subject, name) for subject, _, name in plans_of(tmp_path)] == [
        ("Commit 2", "tasks.toml"), ("Commit 1", "tasks.toml"), ("Commit 0", "todo.toml"),
    ]  # fmt: skip


def test_two_renames_and_the_way_back_are_followed(tmp_path: Path) -> None:
    there = Node((0,), {"tasks.toml": None, "plans/ä b.toml": with_plan(LONG).files["tasks.toml"]})
    edited = with_plan(Plan({"m": 1}, LONG.tasks), 1, name="plans/ä b.toml")
    back = Node((2,), {"plans/ä b.toml": None, "tasks.toml": edited.files["plans/ä b.toml"]})
    write(tmp_path, [with_plan(LONG), there, edited, back])
    names = [name for _, _, name in plans_of(tmp_path)]
    assert names == ["tasks.toml", "plans/ä b.toml", "plans/ä b.toml", "tasks.toml"]


def test_a_branch_that_still_has_the_old_name_is_followed_under_it(tmp_path: Path) -> None:
    old = with_plan(LONG, name="todo.toml")
    moved = Node((0,), {"todo.toml": None, "tasks.toml": old.files["todo.toml"]})
    more = Plan({}, {**LONG.tasks, "b": task("b")})
    side = with_plan(more, 0, name="todo.toml")
    merged = Node((1, 2), {"tasks.toml": side.files["todo.toml"], "todo.toml": None})
    write(tmp_path, [old, moved, side, merged])
    assert [(subject, name) for subject, _, name in plans_of(tmp_path)] == [
        ("Commit 3", "tasks.toml"), ("Commit 2", "todo.toml"), ("Commit 1", "tasks.toml"),
        ("Commit 0", "todo.toml"),
    ]  # fmt: skip


def test_a_change_of_the_setting_is_followed_where_nothing_was_renamed(tmp_path: Path) -> None:
    first = Node((), {**with_plan(A, name="old.toml").files,
                      "tinytown.toml": b'[sync]\nfile = "old.toml"\n'})  # fmt: skip
    switched = Node((0,), {**with_plan(LONG, name="new.toml").files,
                           "tinytown.toml": b'[sync]\nfile = "new.toml"\n'})  # fmt: skip
    write(tmp_path, [first, switched])
    assert [(v, name) for _, v, name in plans_of(tmp_path, "new.toml")] == [
        (LONG, "new.toml"), (A, "old.toml"),
    ]  # fmt: skip


def test_a_broken_setting_of_the_past_stops_nothing(tmp_path: Path) -> None:
    first = Node((), {"tinytown.toml": b"[sync]\nfile = 1\n"})
    write(tmp_path, [first, with_plan(A, 0)])
    assert [version for _, version, _ in plans_of(tmp_path)] == [A]


def test_a_deletion_and_a_second_beginning_are_commits(tmp_path: Path) -> None:
    write(tmp_path, [with_plan(A), with_plan(None, 0), Node((1,), {"x": b""}), with_plan(B, 2)])
    assert [version for _, version, _ in plans_of(tmp_path)] == [B, None, A]


def test_a_name_with_characters_of_patterns_is_taken_literally(tmp_path: Path) -> None:
    write(tmp_path, [with_plan(A, name="a*[b]?.toml"), with_plan(B, 0, name="axbc.toml")])
    assert [version for _, version, _ in plans_of(tmp_path, "a*[b]?.toml")] == [A]


def test_a_name_that_git_cannot_be_asked_for_is_refused() -> None:
    with pytest.raises(TTError, match="line break"):
        check_name("a\nb", "a?b")
    with pytest.raises(TTError, match="leads out"):
        check_name(None, "link.toml")


def test_a_shallow_clone_says_where_its_history_ends(tmp_path: Path) -> None:
    write(tmp_path / "full", [with_plan(A), with_plan(B, 0), with_plan(C, 1)])
    url = f"file://{tmp_path / 'full'}"
    git(tmp_path, "clone", "--quiet", "--depth=2", "--branch=main", url, "part")
    with history(tmp_path / "part") as found:
        assert [(one.subject, one.ends) for one in found.commits()] == [
            ("Commit 2", False), ("Commit 1", True),
        ]  # fmt: skip


def test_a_partial_clone_gets_what_it_has_put_off(tmp_path: Path) -> None:
    write(tmp_path / "full", [with_plan(A), with_plan(B, 0), with_plan(C, 1)])
    git(tmp_path / "full", "config", "uploadpack.allowFilter", "true")
    url = f"file://{tmp_path / 'full'}"
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", "--branch=main", url, "part")
    assert [version for _, version, _ in plans_of(tmp_path / "part")] == [C, B, A]


def test_a_repository_of_sha256_is_like_any_other(tmp_path: Path) -> None:
    try:
        commits = write(tmp_path, [with_plan(A), with_plan(B, 0)], "--object-format=sha256")
    except AssertionError:
        missing("this Git knows no sha256")
    with history(tmp_path) as found:
        assert [one.id for one in found.commits()] == commits[::-1]
        assert [version.plan for version in found.versions(found.commits())] == [B, A]


def test_linked_worktrees_have_each_their_own_history(tmp_path: Path) -> None:
    write(tmp_path / "main", [with_plan(A)])
    git(tmp_path / "main", "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "sîde x"))
    (tmp_path / "sîde x" / "tasks.toml").write_bytes(with_plan(B).files["tasks.toml"] or b"")
    git(tmp_path / "sîde x", "commit", "--quiet", "--all", "--message", "Side")
    assert [subject for subject, _, _ in plans_of(tmp_path / "main")] == ["Commit 0"]
    assert [subject for subject, _, _ in plans_of(tmp_path / "sîde x")] == ["Side", "Commit 0"]


def test_authors_are_named_as_the_mailmap_says(tmp_path: Path) -> None:
    write(tmp_path, [with_plan(A)])
    (tmp_path / ".mailmap").write_text(
        "Ada Lovelace <ada@example.invalid> <author@example.invalid>"
    )
    with history(tmp_path) as found:
        assert [(one.author, one.email) for one in found.commits()] == [
            ("Ada Lovelace", "ada@example.invalid")
        ]


def test_what_is_in_names_and_subjects_does_not_break_the_listing(tmp_path: Path) -> None:
    odd = Node(
        (), with_plan(A).files, "E\x1b[31mvil \x07ü\udcff <x@y>", "S\x1b]0;t\x07 \udcfe\n\nB\x01"
    )
    write(tmp_path, [odd, with_plan(B, 0)])
    with history(tmp_path) as found:
        assert len(found.commits()) == 2
        assert found.commits()[1].author.startswith("E\x1b[31mvil")


def test_times_that_are_none_become_the_nearest_that_is_one(tmp_path: Path) -> None:
    write(tmp_path, [with_plan(A)])
    tree = git(tmp_path, "rev-parse", "HEAD^{tree}")
    raw = (
        f"tree {tree}\nauthor A <a@b> 99999999999999999999 +0000\ncommitter A <a@b> 1 +0000\n\nx\n"
    )
    made = git(tmp_path, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=raw)
    git(tmp_path, "update-ref", "HEAD", made)
    with history(tmp_path) as found:
        assert found.commits()[0].time == 253_402_300_799


def test_the_users_settings_for_git_log_change_nothing(tmp_path: Path) -> None:
    write(tmp_path, [with_plan(A), with_plan(B, 0)])
    before = plans_of(tmp_path)
    for key, value in (
        ("log.showSignature", "true"), ("log.decorate", "full"), ("log.follow", "true"),
        ("color.ui", "always"), ("format.pretty", "oneline"), ("log.date", "relative"),
        ("diff.renames", "false"), ("core.quotePath", "true"), ("log.showRoot", "false"),
    ):  # fmt: skip
        git(tmp_path, "config", key, value)
    assert plans_of(tmp_path) == before


@pytest.mark.parametrize("revision", ["HEAD", "HEAD~1", "HEAD~2"])
def test_a_damaged_version_is_no_deletion(tmp_path: Path, revision: str) -> None:
    init(tmp_path)
    for one in (A, B, C):
        commit(tmp_path, "tasks.toml", (with_plan(one).files["tasks.toml"] or b"").decode())
    blob = git(tmp_path, "rev-parse", f"{revision}:tasks.toml")
    (tmp_path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(TTError, match="missing or damaged"):
        plans_of(tmp_path)


def test_children_come_before_their_parents_whatever_their_clocks_said(tmp_path: Path) -> None:
    late = Node((0,), with_plan(B).files, hour=-50)
    write(tmp_path, [with_plan(A), late, with_plan(C, 0), with_plan(LONG, 2, 1)])
    subjects = [subject for subject, _, _ in plans_of(tmp_path)]
    assert subjects == ["Commit 3", "Commit 2", "Commit 1", "Commit 0"]


def test_reading_takes_no_lock_and_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path, [with_plan(A), with_plan(B, 0)])
    (tmp_path / ".git" / "index.lock").touch()
    before = sorted(os.walk(tmp_path / ".git"))
    plans_of(tmp_path)
    assert sorted(os.walk(tmp_path / ".git")) == before


def test_git_says_what_a_time_in_words_means(tmp_path: Path) -> None:
    write(tmp_path, [with_plan(A)])
    with history(tmp_path) as found:
        assert found.moment("2023-11-14 22:13:20 +0000") == 1_700_000_000
        assert found.moment("1 day ago") < found.moment("1 hour ago")


def test_a_name_of_another_time_is_found_at_its_commits(tmp_path: Path) -> None:
    moved = Node((0,), {"todo.toml": None, **with_plan(LONG, 0).files})
    commits = write(tmp_path, [with_plan(LONG, name="todo.toml"), moved, Node((), {"x": b""})])
    git(tmp_path, "update-ref", "HEAD", commits[1])
    with history(tmp_path) as found:
        assert [found.name_at(one) for one in commits] == ["todo.toml", "tasks.toml", None]


def test_a_repository_that_was_moved_since_is_refused_with_a_sentence(tmp_path: Path) -> None:
    write(tmp_path / "a", [with_plan(A)])
    with history(tmp_path / "a") as found:
        shutil.move(tmp_path / "a", tmp_path / "b")
        with pytest.raises(TTError, match="cannot walk"):
            found.commits()
