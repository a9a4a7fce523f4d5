"""Which worktrees have plans is known, and forgotten only where they are gone for good."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tt.adapters.worktrees import forget_gone, register, registered


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def make(top: Path, file: str = "tasks.toml") -> Path:
    top.mkdir(parents=True)
    (top / file).write_text("")
    return top


def entries(home: Path) -> int:
    return len(list((home / "worktrees").iterdir()))


def test_nothing_is_known_at_first(home: Path) -> None:
    assert registered(home) == []
    assert forget_gone(home) == []


def test_what_is_registered_is_listed_once_whatever_its_name(home: Path, tmp_path: Path) -> None:
    tops = [make(tmp_path / name) for name in ("b", "a b", "é\udcff", "new\nline")]
    for top in [*tops, *tops]:
        register(home, top)
    assert registered(home) == sorted(tops)
    assert entries(home) == 4
    assert (home / "worktrees").stat().st_mode & 0o777 == 0o700


def test_the_second_time_writes_nothing(home: Path, tmp_path: Path) -> None:
    register(home, make(tmp_path / "a"))
    (path,) = (home / "worktrees").iterdir()
    before = path.stat()
    register(home, tmp_path / "a")
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


def test_a_worktree_without_a_plan_is_passed_over_and_not_forgotten(
    home: Path, tmp_path: Path
) -> None:
    top = make(tmp_path / "a")
    register(home, top)
    (top / "tasks.toml").unlink()
    assert registered(home) == []
    (top / "tinytown.toml").write_text('[sync]\nfile = "plans/mine.toml"\n')
    assert registered(home) == [top]


def test_a_worktree_that_was_removed_is_forgotten(home: Path, tmp_path: Path) -> None:
    top = make(tmp_path / "a")
    register(home, top)
    shutil.rmtree(top)
    assert registered(home) == []
    assert entries(home) == 0


def test_one_that_went_with_all_around_it_is_forgotten_on_request(
    home: Path, tmp_path: Path
) -> None:
    top = make(tmp_path / "work" / "a")
    register(home, top)
    shutil.rmtree(tmp_path / "work")
    assert registered(home) == []
    assert entries(home) == 1
    assert forget_gone(home) == [top]
    assert entries(home) == 0


def test_one_on_a_disk_that_is_away_is_never_forgotten(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, mounted = tmp_path / "disk", [True]
    top = make(disk / "a")
    is_mount = Path.is_mount
    monkeypatch.setattr(
        Path, "is_mount", lambda path: mounted[0] if path == disk else is_mount(path)
    )
    register(home, top)
    register(home, disk)
    shutil.rmtree(top)
    mounted[0] = False
    assert registered(home) == []
    assert forget_gone(home) == []
    disk.rmdir()  # as where a disk's directory goes with it
    assert registered(home) == []
    assert forget_gone(home) == []
    assert entries(home) == 2
    make(disk / "a")
    assert registered(home) == [disk / "a"]


def test_a_file_that_is_none_of_ours_is_passed_over(home: Path, tmp_path: Path) -> None:
    register(home, make(tmp_path / "a"))
    (home / "worktrees" / "notes.txt").write_text("mine")
    (home / "worktrees" / "directory").mkdir()
    (home / "worktrees" / ".half").write_bytes(b"\0")
    assert registered(home) == [tmp_path / "a"]
    assert entries(home) == 4


def test_a_home_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    register(tmp_path / "home", make(tmp_path / "a"))
    assert registered(tmp_path / "home") == []
