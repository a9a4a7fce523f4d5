"""A plan in the middle of a merge: what commands say of it, and how its conflicts end."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import PLAN, Ran
from tests.support.git_repos import git
from tests.test_imports import loaded_by_tt
from tt.core.markers import hunk

HUNK = hunk('agent = "qa"\n', 'agent = "ops"  # why\n')
MARKED = PLAN.replace('agent = "architect"\n', HUNK)
TWO = MARKED.replace('tags = ["backend"]\n', hunk('notes = "x"\n', 'notes = "y"\n'))


@pytest.fixture(autouse=True)
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks Redis for anything here fails at once."""
    monkeypatch.setenv("REDIS_URL", "unix:///nowhere/at/all.sock")


@pytest.fixture
def file(project: Path) -> Path:
    return project / "tasks.toml"


def test_conflicts_lists_both_sides_and_needs_no_redis(file: Path, tt: Callable[..., Ran]) -> None:
    file.write_text(TWO)
    ran = tt("conflicts")
    assert ran.code == 3
    assert ran.lines == [
        "2 conflicts of a merge in tasks.toml",
        "  design",
        "    agent  ours    qa  (lines 12 to 16)",
        "    agent  theirs  ops",
        "    keep one:  tt resolve design --ours  or  tt resolve design --theirs",
        "  implement",
        "    notes  ours    x  (lines 26 to 30)",
        "    notes  theirs  y",
        "    keep one:  tt resolve implement --ours  or  tt resolve implement --theirs",
    ]


def test_conflicts_are_data_for_programs(file: Path, tt: Callable[..., Ran]) -> None:
    file.write_text(MARKED)
    ran = tt("conflicts", "--json")
    assert ran.code == 3
    assert ran.data["conflicts"] == [
        {"id": "design", "field": "agent", "ours": "qa", "theirs": "ops", "line": 12, "last": 16}
    ]


@pytest.mark.parametrize(("side", "line"), [("--ours", '"qa"'), ("--theirs", '"ops"  # why')])
def test_resolve_takes_one_side_and_says_what_comes_next(
    side: str, line: str, file: Path, tt: Callable[..., Ran]
) -> None:
    file.write_text(MARKED)
    ran = tt("resolve", "design", side)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines == [
        f"design: agent as {side[2:]} has it.",
        "No conflict is left in tasks.toml: look at it, then `git add tasks.toml`.",
    ]
    assert file.read_text() == PLAN.replace('"architect"', line)
    assert git(file.parent, "diff", "--cached", "--name-only") == ""


def test_resolve_leaves_other_tasks_open_and_ends_with_3(
    file: Path, tt: Callable[..., Ran]
) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + TWO.replace("\n", "\r\n").encode())
    ran = tt("resolve", "design", "--ours")
    assert ran.code == 3
    assert "1 conflict of a merge in tasks.toml" in ran.lines
    wanted = TWO.replace(HUNK, 'agent = "qa"\n').replace("\n", "\r\n")
    assert file.read_bytes() == b"\xef\xbb\xbf" + wanted.encode()
    assert tt("resolve", "implement", "--theirs", "--json").data["conflicts"] == []


@pytest.mark.parametrize("side", ["--file", "--store"])
def test_the_sides_of_redis_are_not_those_of_a_merge(
    side: str, file: Path, tt: Callable[..., Ran]
) -> None:
    file.write_text(MARKED)
    ran = tt("resolve", "design", side)
    assert ran.code == 2
    assert "--ours or --theirs" in ran.err
    assert file.read_text() == MARKED


def test_the_sides_of_a_merge_need_markers(file: Path, tt: Callable[..., Ran]) -> None:
    ran = tt("resolve", "design", "--ours")
    assert ran.code == 1
    assert ran.err == (
        "tt: There are no conflict markers in tasks.toml.\n"
        "    Between the file and Redis, `tt resolve ID --file` or `--store` decides.\n"
    )
    assert file.read_text() == PLAN


def test_a_text_in_a_plan_that_looks_like_markers_is_the_users(
    file: Path, tt: Callable[..., Ran]
) -> None:
    plan = f"{PLAN}notes = '''\n{HUNK}'''\n"
    file.write_text(plan)
    assert "There are no conflict markers" in tt("resolve", "design", "--ours").err
    assert file.read_text() == plan


def test_a_task_that_is_not_in_conflict_is_guessed_at(file: Path, tt: Callable[..., Ran]) -> None:
    file.write_text(MARKED)
    ran = tt("resolve", "desing", "--ours")
    assert ran.code == 1
    assert ran.err.splitlines()[1] == "    Did you mean `design`?"


def test_markers_around_several_tasks_are_for_a_person(file: Path, tt: Callable[..., Ran]) -> None:
    tail = PLAN[PLAN.index('[[tasks]]\nid = "design"') :]
    other = tail.replace('"architect"', '"qa"').replace('"developer"', '"ops"')
    file.write_text(PLAN.replace(tail, hunk(tail, other)))
    ran = tt("resolve", "design", "--ours")
    assert ran.code == 1
    assert "are about `design` and `implement` together." in ran.err
    assert "Edit these lines" in ran.err


def test_no_side_is_wrong_usage(file: Path, tt: Callable[..., Ran]) -> None:
    ran = tt("resolve", "design")
    assert ran.code == 2
    assert "--file or --store" in ran.err
    assert "--ours or --theirs" in ran.err


def test_check_says_where_the_markers_are_and_what_shows_them(
    file: Path, tt: Callable[..., Ran]
) -> None:
    file.write_text(TWO)
    ran = tt("check")
    assert ran.code == 5
    line, summary = ran.lines
    assert line.startswith(
        "tasks.toml:12:1: conflict markers of an unfinished merge (lines 12, 14, 16, 26, 28, 30), "
        "in `design`, `implement`; `tt conflicts` shows both sides"
    )
    assert summary == "1 problem in 1 file."


@pytest.mark.parametrize("direction", ["push", "pull", "merge"])
def test_sync_refuses_markers_and_names_the_tasks(
    direction: str, file: Path, tt: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL")
    file.write_text(TWO)
    ran = tt("sync", direction)
    assert ran.code == 5
    assert "in `design`, `implement`" in ran.err
    assert "tt conflicts" in ran.err
    assert file.read_text() == TWO


@pytest.mark.parametrize("direction", ["push", "pull", "merge"])
def test_sync_refuses_what_git_has_not_merged_yet_and_names_the_tasks(
    direction: str, file: Path, tt: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL")
    git(file.parent, "switch", "-qc", "side")
    file.write_text(PLAN.replace('"architect"', '"ops"'))
    git(file.parent, "commit", "-qam", "theirs")
    git(file.parent, "switch", "-q", "main")
    file.write_text(PLAN.replace('"architect"', '"qa"'))
    git(file.parent, "commit", "-qam", "ours")
    merged = subprocess.run(
        ["git", "merge", "side"], cwd=file.parent, capture_output=True, check=False
    )
    assert merged.returncode == 1
    file.write_text(PLAN.replace('"architect"', '"qa"'))
    ran = tt("sync", direction)
    assert ran.code == 5
    assert ran.err == (
        "tt: tasks.toml is not merged yet: conflicts in `design`.\n"
        "    Nothing was synced. Look at it, and tell Git with `git add tasks.toml`.\n"
    )
    git(file.parent, "add", "tasks.toml")
    assert tt("sync", direction).code == 0


def test_a_merge_loads_no_library_but_the_parser(tmp_path: Path) -> None:
    for name, text in (("O", PLAN), ("A", PLAN + "x = 1\n"), ("B", PLAN.replace('"m', '"M'))):
        (tmp_path / name).write_text(text)
    loaded = loaded_by_tt("merge-driver", "O", "A", "B", "tasks.toml", "7", cwd=tmp_path)
    packages = {name.partition(".")[0] for name in loaded}
    assert "tomli" in packages
    assert not packages & {
        "click",
        "hiredis",
        "socket",
        "subprocess",
        "redis",
        "git",
        "json",
        "ssl",
    }
    assert not {name for name in loaded if name.startswith("tt.config")}
