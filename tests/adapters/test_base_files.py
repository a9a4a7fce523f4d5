"""What only the base in files must hold: bounded history, damage, crashes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.permissions import needs_permissions
from tt.adapters.base_files import FileBaseStore
from tt.core.base import Base
from tt.core.model import Task
from tt.core.report import SyncRecord
from tt.errors import BaseMovedError, TTError
from tt.record import replace

RECORD = SyncRecord("", "2026-01-31T10:00:00+00:00", "merge")


def base_of(seq: int, count: int = 3) -> Base:
    fields = {"description": "x" * 90, "status": "pending"}
    return Base(
        tasks={f"t{number}": Task(f"t{number}", fields) for number in range(count)}, seq=seq
    )


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "town").iterdir())


def fill(store: FileBaseStore, count: int, size: int = 3) -> Base | None:
    saved = store.load()
    for seq in range(count):
        saved = store.save(saved, base_of(seq, size), replace(RECORD, conflicts=seq))
    return saved


def test_a_version_is_a_private_file_and_nothing_else_is_left(tmp_path: Path) -> None:
    fill(FileBaseStore(tmp_path, "town"), 3)
    assert names(tmp_path) == ["1.json", "2.json", "3.json"]
    assert (tmp_path / "town" / "1.json").stat().st_mode & 0o777 == 0o600


def test_old_versions_go_and_the_others_can_be_undone(tmp_path: Path) -> None:
    store = FileBaseStore(tmp_path, "town", most=4)
    saved = fill(store, 9)
    assert names(tmp_path) == ["6.json", "7.json", "8.json", "9.json"]
    assert store.load() == saved
    assert [record.name for record in store.history()] == ["9", "8", "7"]
    assert all(store.version(record.name) is not None for record in store.history())
    assert store.version("6") is None
    assert store.history(0) == []


def test_large_versions_are_few_and_two_at_least(tmp_path: Path) -> None:
    store = FileBaseStore(tmp_path, "town", room=50_000)
    fill(store, 12, size=100)
    size = (tmp_path / "town" / "12.json").stat().st_size
    assert len(names(tmp_path)) == 50_000 // size
    tight = FileBaseStore(tmp_path, "town", room=1)
    fill(tight, 2)
    assert names(tmp_path) == ["13.json", "14.json"]


def test_tens_are_newer_than_nines(tmp_path: Path) -> None:
    store = FileBaseStore(tmp_path, "town")
    saved = fill(store, 12)
    assert FileBaseStore(tmp_path, "town").load() == saved


def test_other_files_are_no_versions(tmp_path: Path) -> None:
    store = FileBaseStore(tmp_path, "town")
    saved = fill(store, 1)
    for name in (".2.json.17.abcd", "2.json~", "x.json", "007.json", "²3.json", "-5.json", "9"):
        (tmp_path / "town" / name).write_text("no base")
    assert store.load() == saved


@pytest.mark.parametrize("damage", ["empty", "cut", "garbage", "fewer"])
def test_a_damaged_base_is_never_taken_for_none_or_for_the_one_before(
    tmp_path: Path, damage: str
) -> None:
    store = FileBaseStore(tmp_path, "town")
    saved = fill(store, 2)
    file = tmp_path / "town" / "2.json"
    lines = file.read_bytes().split(b"\n")
    file.write_bytes(
        {
            "empty": b"",
            "cut": file.read_bytes()[:-10],
            "garbage": b"{}\n\xff\n[]\n",
            "fewer": b"\n".join([lines[0], lines[1], b'["plain",{}]', b""]),
        }[damage]
    )
    with pytest.raises(TTError, match="cannot be read") as caught:
        store.load()
    assert str(tmp_path / "town") in caught.value.message
    assert caught.value.hint
    assert saved is not None


def test_a_directory_made_anew_has_other_versions(tmp_path: Path) -> None:
    store = FileBaseStore(tmp_path, "town")
    before = fill(store, 1)
    (tmp_path / "town" / "1.json").unlink()
    after = fill(store, 1)
    assert (before, store.newest()) == (after, after.version)
    assert before.version != after.version
    with pytest.raises(BaseMovedError):
        store.save(before, base_of(2), RECORD)


def test_a_base_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    store = FileBaseStore(tmp_path, "town")
    fill(store, 1)
    file = tmp_path / "town" / "1.json"
    file.write_bytes(file.read_bytes().replace(b'"format":1', b'"format":2'))
    with pytest.raises(TTError, match="newer tt"):
        store.load()


def test_a_version_that_appears_meanwhile_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two writers that both saw version 1 as the newest: the second to write is refused."""
    store = FileBaseStore(tmp_path, "town")
    saved = fill(store, 1)
    theirs = FileBaseStore(tmp_path, "town").save(saved, base_of(7), RECORD)
    monkeypatch.setattr(FileBaseStore, "_numbers", lambda _: [1])
    with pytest.raises(BaseMovedError):
        store.save(saved, base_of(8), RECORD)
    monkeypatch.undo()
    assert store.load() == theirs


def test_on_a_filesystem_without_links_a_taken_name_is_still_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    store = FileBaseStore(tmp_path, "town")
    saved = fill(store, 2)
    assert store.load() == saved
    monkeypatch.setattr(FileBaseStore, "_numbers", lambda _: [1])
    with pytest.raises(BaseMovedError):
        store.save(replace(base_of(1), version=store._version(1)), base_of(8), RECORD)
    assert names(tmp_path) == ["1.json", "2.json"]


def test_a_file_in_the_way_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "base").write_text("")
    store = FileBaseStore(tmp_path / "base", "town")
    with pytest.raises(TTError, match=r"cannot be read.*base/town"):
        store.save(None, base_of(1), RECORD)


@needs_permissions
def test_a_read_only_directory_can_be_read_and_says_so_when_written(tmp_path: Path) -> None:
    store = FileBaseStore(tmp_path, "town")
    saved = fill(store, 1)
    (tmp_path / "town").chmod(0o500)
    assert store.load() == saved
    with pytest.raises(TTError, match="Permission denied"):
        store.save(saved, base_of(2), RECORD)
    (tmp_path / "town").chmod(0o700)
    assert names(tmp_path) == ["1.json"]
