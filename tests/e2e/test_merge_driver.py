"""The merge driver through real Git: every command that merges contents comes to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.driven import Driven
from tests.support.git_repos import git

A = '[[tasks]]\nid = "a"\ndescription = "A"\nagent = "dev"\nstatus = "pending"\n'
B = '[[tasks]]\nid = "b"\ndescription = "B"\n'
BASE = f"# plan\n\n{A}\n{B}"


def changed(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


# Next to each other: plain text merging conflicts on these.
OURS = changed(BASE, ('"dev"', '"ops"  # Eve'), ('"B"', '"B!"'))
THEIRS = changed(BASE, ('"pending"', '"running"'), ("[[tasks]]", "# the first\n[[tasks]]"))
BOTH = changed(OURS, ('"pending"', '"running"'), ("[[tasks]]", "# the first\n[[tasks]]"))
CLASHING = changed(THEIRS, ('"dev"', '"qa"'))
MARKED = changed(
    BOTH,
    (
        'agent = "ops"  # Eve\n',
        '<<<<<<< ours\nagent = "ops"  # Eve\n=======\nagent = "qa"\n>>>>>>> theirs\n',
    ),
)
"""What a merge of OURS with CLASHING looks like."""


@pytest.fixture
def driven(tmp_path: Path) -> Driven:
    return Driven(tmp_path / "shop")


def test_plain_git_conflicts_on_what_these_tests_merge(driven: Driven) -> None:
    driven.fork(BASE, OURS, THEIRS)
    git(driven.top, "config", "merge.tt.driver", "git merge-file %A %O %B")
    assert driven.git("merge", "theirs").code == 1


def test_merge_brings_both_sides_together(driven: Driven) -> None:
    driven.fork(BASE, OURS, THEIRS)
    done = driven.git("merge", "--no-edit", "theirs")
    assert (done.code, done.err) == (0, "")
    assert (driven.text, driven.status()) == (BOTH, "")


def test_a_merge_the_other_way_round_gives_the_same_file(driven: Driven) -> None:
    driven.fork(BASE, OURS, THEIRS)
    git(driven.top, "switch", "-q", "theirs")
    assert driven.git("merge", "--no-edit", "ours").code == 0
    assert driven.text == BOTH


def test_a_conflict_leaves_markers_in_the_field_and_the_index_unmerged(driven: Driven) -> None:
    driven.fork(BASE, OURS, CLASHING)
    done = driven.git("merge", "theirs")
    assert done.code == 1
    assert driven.text == MARKED
    assert driven.staged() == ["1", "2", "3"]
    assert driven.status() == "UU tasks.toml"
    assert "tt: tasks.toml: 1 conflict: a (agent).\n    `tt conflicts` shows" in done.err
    assert driven.git("commit", "-m", "too early").code != 0


def test_rebase_merges_each_commit(driven: Driven) -> None:
    driven.fork(BASE, changed(BASE, ('"dev"', '"ops"  # Eve')), THEIRS)
    driven.commit(OURS, "second")
    assert driven.git("rebase", "theirs").code == 0
    assert (driven.text, driven.status()) == (BOTH, "")


def test_rebase_stops_at_a_conflict_and_goes_on(driven: Driven) -> None:
    driven.fork(BASE, OURS, CLASHING)
    assert driven.git("rebase", "theirs").code == 1
    assert driven.text.count("<<<<<<< ours\n") == 1  # "ours" is what the commit is put onto
    driven.write("tasks.toml", BOTH)
    git(driven.top, "add", "tasks.toml")
    assert driven.git("rebase", "--continue").code == 0
    assert driven.text == BOTH


def test_cherry_pick_takes_a_commits_changes(driven: Driven) -> None:
    driven.fork(BASE, OURS, THEIRS)
    assert driven.git("cherry-pick", "theirs").code == 0
    assert driven.text == BOTH


def test_cherry_pick_leaves_a_conflict_between_markers(driven: Driven) -> None:
    driven.fork(BASE, OURS, CLASHING)
    assert driven.git("cherry-pick", "theirs").code == 1
    assert (driven.text, driven.staged()) == (MARKED, ["1", "2", "3"])


def test_revert_takes_back_what_a_commit_did_and_keeps_the_rest(driven: Driven) -> None:
    driven.commit(BASE)
    driven.commit(THEIRS)
    driven.commit(BOTH)
    assert driven.git("revert", "--no-edit", "HEAD~1").code == 0
    assert driven.text == OURS


def test_stash_pop_brings_edits_back_on_a_plan_that_went_on(driven: Driven) -> None:
    driven.commit(BASE)
    driven.write("tasks.toml", OURS)
    git(driven.top, "stash")
    driven.commit(THEIRS)
    assert driven.git("stash", "pop").code == 0
    assert driven.text == BOTH


def test_a_stash_in_conflict_stays_and_has_markers(driven: Driven) -> None:
    driven.commit(BASE)
    driven.write("tasks.toml", CLASHING)
    git(driven.top, "stash")
    driven.commit(OURS)
    assert driven.git("stash", "pop").code == 1
    assert "<<<<<<< ours" in driven.text
    assert git(driven.top, "stash", "list")


def test_switching_with_merge_takes_edits_along(driven: Driven) -> None:
    driven.fork(BASE, OURS, THEIRS)
    git(driven.top, "switch", "-q", "base")
    driven.write("tasks.toml", THEIRS)
    assert driven.git("checkout", "-m", "ours").code == 0
    assert driven.text == BOTH


def test_merge_tree_merges_without_a_worktree(driven: Driven) -> None:
    driven.fork(BASE, OURS, THEIRS)
    done = driven.git("merge-tree", "--write-tree", "ours", "theirs")
    assert done.code == 0
    assert git(driven.top, "show", f"{done.out.split()[0]}:tasks.toml") == BOTH.removesuffix("\n")


def test_pull_merges_what_another_clone_pushed(driven: Driven, tmp_path: Path) -> None:
    driven.fork(BASE, OURS, THEIRS)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "-b", "theirs", str(driven.top), str(clone))
    git(driven.top, "remote", "add", "peer", str(clone))
    assert driven.git("pull", "-q", "--no-rebase", "--no-edit", "peer", "theirs").code == 0
    assert driven.text == BOTH


def test_a_linked_worktree_merges_as_well(driven: Driven, tmp_path: Path) -> None:
    driven.fork(BASE, OURS, THEIRS)
    git(driven.top, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"), "ours")
    assert driven.git("merge", "--no-edit", "theirs", where=tmp_path / "side").code == 0
    assert (tmp_path / "side" / "tasks.toml").read_text() == BOTH


def test_both_sides_adding_a_plan_is_a_merge_with_an_empty_base(driven: Driven) -> None:
    driven.fork(None, A, f"{A}\n{B}")
    assert driven.git("merge", "--no-edit", "theirs").code == 0
    assert driven.text == f"{A}\n{B}"


def test_both_sides_adding_one_task_differently_is_a_conflict_of_its_fields(driven: Driven) -> None:
    driven.fork(None, A, changed(A, ('"dev"', '"qa"')))
    assert driven.git("merge", "theirs").code == 1
    assert 'agent = "dev"\n=======\nagent = "qa"\n' in driven.text


def test_a_plan_below_the_top_with_odd_letters_in_its_path_is_merged(tmp_path: Path) -> None:
    driven = Driven(tmp_path / "r", "pläne und so/tasks.toml")
    driven.write(".gitattributes", "tasks.toml merge=tt\n")
    git(driven.top, "add", ".")
    driven.fork(BASE, OURS, CLASHING)
    done = driven.git("merge", "theirs")
    assert done.code == 1
    assert "tt: pläne und so/tasks.toml: 1 conflict: a (agent)." in done.err
    assert driven.text == MARKED


def test_line_endings_that_one_side_changed_are_no_conflict(driven: Driven) -> None:
    driven.write(".gitattributes", "/tasks.toml merge=tt -text\n")
    git(driven.top, "add", ".")
    driven.fork(BASE, OURS, THEIRS.replace("\n", "\r\n"))
    assert driven.git("merge", "--no-edit", "theirs").code == 0
    assert driven.text == BOTH.replace("\n", "\r\n")


def test_the_size_of_markers_is_the_attributes(driven: Driven) -> None:
    driven.write(".gitattributes", "/tasks.toml merge=tt conflict-marker-size=12\n")
    git(driven.top, "add", ".")
    driven.fork(BASE, OURS, CLASHING)
    assert driven.git("merge", "theirs").code == 1
    assert f"\n{'<' * 12} ours\n" in driven.text


def test_a_symlink_stays_one_and_its_file_is_merged(tmp_path: Path) -> None:
    driven = Driven(tmp_path / "r", "real.toml")
    (driven.top / "tasks.toml").symlink_to("real.toml")
    git(driven.top, "add", ".")
    driven.fork(BASE, OURS, THEIRS)
    assert driven.git("merge", "--no-edit", "theirs").code == 0
    assert (driven.top / "tasks.toml").is_symlink()
    assert (driven.top / "tasks.toml").read_text() == BOTH


def criss_cross(driven: Driven, one: str, other: str) -> None:
    """Merge two branches into each other, each keeping its own plan; be on `left`.

    They then have two merge bases, which Git merges first.
    """
    driven.commit(BASE, "base")
    tips = {}
    for name, text in (("left", one), ("right", other)):
        git(driven.top, "switch", "-q", "-c", name, "main")
        tips[name] = driven.commit(text, name)
    for name, peer, text in (("right", "left", other), ("left", "right", one)):
        git(driven.top, "switch", "-q", name)
        driven.git("merge", "--no-commit", tips[peer])
        driven.commit(text, f"{name} decides")


def test_criss_cross_histories_have_a_base_that_decides_nothing(driven: Driven) -> None:
    one, other = changed(BASE, ('"dev"', '"x"')), changed(BASE, ('"dev"', '"y"'))
    criss_cross(driven, one, other)
    assert len(git(driven.top, "merge-base", "--all", "left", "right").split()) == 2
    done = driven.git("merge", "right")
    assert done.code == 1
    assert 'agent = "x"\n=======\nagent = "y"\n' in driven.text
    assert done.err.count("tt: ") == 1  # the merge of the bases is Git's own business


def test_criss_cross_sides_that_agree_merge_clean(driven: Driven) -> None:
    one, other = changed(BASE, ('"dev"', '"x"')), changed(BASE, ('"dev"', '"y"'))
    criss_cross(driven, one, other)
    driven.commit(changed(other, ('"B"', '"B!"')), "agree")
    assert driven.git("merge", "--no-edit", "right").code == 0
    assert driven.text == changed(other, ('"B"', '"B!"'))


def test_a_merge_of_three_branches_at_once_asks_no_driver_and_stops_in_conflict(
    driven: Driven,
) -> None:
    driven.fork(BASE, OURS, THEIRS)
    git(driven.top, "switch", "-q", "-c", "third", "base")
    driven.commit(f'{BASE}\n[[tasks]]\nid = "c"\ndescription = "C"\n')
    git(driven.top, "switch", "-q", "ours")
    assert driven.git("merge", "--no-edit", "theirs", "third").code != 0
    git(driven.top, "reset", "-q", "--hard", "ours")
    assert driven.git("merge", "--no-edit", "theirs").code == 0
    assert driven.git("merge", "--no-edit", "third").code == 0
    assert driven.text == f'{BOTH}\n[[tasks]]\nid = "c"\ndescription = "C"\n'


def test_another_tools_file_is_merged_by_lines(driven: Driven) -> None:
    base = '[build]\ncommand = "make"\n\n\n\n[test]\ncommand = "t"\n'
    driven.fork(base, changed(base, ("make", "cmake")), changed(base, ('"t"', '"u"')))
    done = driven.git("merge", "--no-edit", "theirs")
    assert (done.code, done.err) == (0, "")
    assert driven.text == changed(base, ("make", "cmake"), ('"t"', '"u"'))


def test_a_broken_plan_gets_gits_own_markers(driven: Driven) -> None:
    driven.fork(BASE, changed(OURS, ('"a"', '"a')), THEIRS)
    assert driven.git("merge", "theirs").code == 1
    assert "<<<<<<< ours" in driven.text
    assert ">>>>>>> theirs" in driven.text
    assert '"running"' in driven.text


def test_lines_that_merge_into_no_plan_stay_unmerged_and_are_told(driven: Driven) -> None:
    new = '[[tasks]]\nid = "n"\ndescription = "N"\n'
    sound = f'title = "t"\n\n\n\n{A}\n{B}'
    driven.fork(
        changed(sound, ('"t"', '"t')),
        changed(sound, (B, f"{new}\n{B}")),
        f"{sound}\n{new}",
    )
    done = driven.git("merge", "theirs")
    assert done.code == 1
    assert "tt: tasks.toml was merged line by line: the merged lines are no plan." in done.err
    assert driven.staged() == ["1", "2", "3"]


# The command itself


def drive(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tt", "merge-driver", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_file_that_is_missing_is_a_failure_in_words(tmp_path: Path) -> None:
    (tmp_path / "A").write_text(OURS)
    done = drive("O", "A", "B", "tasks.toml", cwd=tmp_path)
    assert done.returncode == 129
    assert done.stderr.startswith("tt: ")
    assert "Traceback" not in done.stderr
    assert (tmp_path / "A").read_text() == OURS


@pytest.mark.parametrize("arguments", [[], ["O", "A", "B"], ["O", "A", "B", "p", "7", "more"]])
def test_a_wrong_call_is_a_failure_and_not_a_conflict(arguments: list[str], tmp_path: Path) -> None:
    done = drive(*arguments, cwd=tmp_path)
    assert done.returncode == 129
    assert "tt merge-driver BASE OURS THEIRS PATH" in done.stderr


@pytest.mark.parametrize("size", [[], ["%L"], ["7"]])
def test_a_size_that_git_does_not_fill_in_is_gits_own(size: list[str], tmp_path: Path) -> None:
    for name, text in (("O", BASE), ("A", OURS), ("B", CLASHING)):
        (tmp_path / name).write_text(text)
    assert drive("O", "A", "B", "tasks.toml", *size, cwd=tmp_path).returncode == 1
    assert (tmp_path / "A").read_text() == MARKED


def test_a_bug_leaves_both_sides_in_the_file(tmp_path: Path) -> None:
    for name, text in (("O", BASE), ("A", OURS), ("B", CLASHING)):
        (tmp_path / name).write_text(text)
    code = (
        "import sys, tt.core.treemerge as t\n"
        "def broken(*_): raise KeyError('bug')\n"
        "t.merge_trees = broken\n"
        "from tt.cli.main import main\n"
        "sys.exit(main(['merge-driver', 'O', 'A', 'B', 'tasks.toml', '7']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 129
    assert "This is a bug in tt: KeyError." in done.stderr
    text = (tmp_path / "A").read_text()
    assert all(word in text for word in ("<<<<<<< ours", '"ops"', '"qa"', ">>>>>>> theirs"))
