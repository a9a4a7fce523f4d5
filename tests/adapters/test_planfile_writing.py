"""Writing a plan file: at one stroke, with its rights, and never over somebody else's change."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tt.adapters.planfile import TomlPlanFile, read_plan
from tt.adapters.planfile_write import replace_bytes
from tt.core.diff import Added, Change, Edited, Removed
from tt.core.model import META_ID, Task
from tt.core.values import ABSENT
from tt.errors import FileMovedError, TTError
from tt.ports import Snapshot

A = '[[tasks]]\nid = "a"\ndescription = "A"\nstatus = "pending"\n'
RUNNING = [Edited("a", "status", "pending", "running")]
EDITED = A.replace("pending", "running")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "tree" / "tasks.toml"
    made.parent.mkdir()
    made.write_text(A)
    return made


def file(path: Path) -> TomlPlanFile:
    return TomlPlanFile(path, "tasks.toml")


def read(path: Path) -> Snapshot:
    found = file(path).read()
    assert found is not None
    return found


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


class TestTheContent:
    def test_a_change_is_written_and_the_new_snapshot_is_the_files(self, path: Path) -> None:
        after = file(path).write(read(path), RUNNING)
        assert path.read_text() == EDITED
        assert after == read(path)
        assert names(path) == ["tasks.toml"]

    def test_preview_shows_what_write_writes(self, path: Path) -> None:
        before = read(path)
        assert file(path).preview(before, RUNNING) == EDITED.encode()
        assert path.read_text() == A

    def test_a_snapshot_after_many_changes_can_be_written_on(self, path: Path) -> None:
        path.write_text(A + '\n[[tasks]]\nid = "b"\ndescription = "B"\n')
        task = Task("a", {"description": "again", "status": "failed", "tags": []})
        was = read(path).plan.tasks["a"]
        changes = [Removed(was), Added(task), Edited(META_ID, "owner", ABSENT, "me")]
        after = file(path).write(read(path), changes)
        assert after == read(path)
        assert list(after.plan.tasks) == ["a", "b"]
        file(path).write(after, [Edited("b", "status", "pending", "running")])
        assert read(path).plan.tasks["b"].status == "running"

    def test_made_ids_are_written_even_without_a_change(self, path: Path) -> None:
        path.write_text('[[tasks]]\ndescription = "Do it"\n')
        before = read(path)
        after = file(path).write(before, [])
        assert f'id = "{before.named[0]}"' in path.read_text()
        assert after == read(path)
        assert after.named == {}

    def test_where_nothing_changes_nothing_is_written(self, path: Path) -> None:
        before, was = read(path), path.stat()
        assert file(path).write(before, []) == before
        assert file(path).write(before, [Edited("a", "status", "failed", "pending")]) == before
        assert (path.stat().st_mtime_ns, path.stat().st_ino) == (was.st_mtime_ns, was.st_ino)
        assert file(path.with_name("new.toml")).write(None, []).data == b""
        assert names(path) == ["tasks.toml"]

    def test_a_file_is_made_where_there_was_none(self, path: Path) -> None:
        path.unlink()
        task = Task("a", {"description": "A", "status": "pending"})
        changes: list[Change] = [Edited(META_ID, "description", ABSENT, "Plan"), Added(task)]
        after = file(path).write(None, changes)
        assert path.read_text() == f'[meta]\ndescription = "Plan"\n\n{A}'
        assert after == read(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class TestSomebodyElse:
    def test_a_file_that_moved_on_is_left_alone(self, path: Path) -> None:
        before = read(path)
        path.write_text(A + "# mine\n")
        with pytest.raises(FileMovedError, match=r"^tasks\.toml was changed by somebody else"):
            file(path).write(before, RUNNING)
        assert path.read_text() == A + "# mine\n"
        assert names(path) == ["tasks.toml"]

    def test_a_file_that_vanished_is_not_made_again(self, path: Path) -> None:
        before = read(path)
        path.unlink()
        with pytest.raises(FileMovedError):
            file(path).write(before, RUNNING)
        assert names(path) == []

    def test_a_file_that_appeared_is_left_alone(self, path: Path) -> None:
        with pytest.raises(FileMovedError):
            file(path).write(None, [Added(Task("b", {"description": "B", "status": "pending"}))])
        assert path.read_text() == A

    def test_a_reader_sees_the_old_bytes_or_the_new(self, path: Path) -> None:
        with path.open("rb") as held:
            file(path).write(read(path), RUNNING)
            assert held.read() == A.encode()


class TestLinksAndRights:
    def test_a_symlink_stays_one_and_its_target_is_replaced(self, path: Path) -> None:
        link = path.parent.parent / "link.toml"
        link.symlink_to(Path("tree", "tasks.toml"))
        file(link).write(read(link), RUNNING)
        assert link.is_symlink()
        assert path.read_text() == EDITED
        assert names(link) == ["link.toml", "tree"]

    def test_a_link_to_nowhere_gets_its_target(self, path: Path) -> None:
        link = path.parent / "link.toml"
        link.symlink_to("made.toml")
        file(link).write(None, [Added(Task("b", {"description": "B", "status": "pending"}))])
        assert link.is_symlink()
        assert 'id = "b"' in (path.parent / "made.toml").read_text()

    @pytest.mark.parametrize("mode", [0o640, 0o755, 0o600])
    def test_the_rights_stay(self, path: Path, mode: int) -> None:
        path.chmod(mode)
        file(path).write(read(path), RUNNING)
        assert stat.S_IMODE(path.stat().st_mode) == mode

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_the_owner_stays(self, path: Path) -> None:
        os.chown(path, 1234, 4321)
        file(path).write(read(path), RUNNING)
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)

    def test_a_read_only_file_is_left_alone(self, path: Path) -> None:
        path.chmod(0o444)
        with pytest.raises(TTError, match=r"^tasks\.toml is read-only") as caught:
            file(path).write(read(path), RUNNING)
        assert "chmod u+w tasks.toml" in str(caught.value.hint)
        assert path.read_text() == A

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_read_only_directory_is_said(self, path: Path) -> None:
        path.parent.chmod(0o555)
        try:
            with pytest.raises(TTError, match=r"^tasks\.toml cannot be written: there is no perm"):
                file(path).write(read(path), RUNNING)
        finally:
            path.parent.chmod(0o755)
        assert path.read_text() == A

    def test_a_directory_that_is_not_there_is_said(self, path: Path) -> None:
        with pytest.raises(
            TTError, match=r"^tasks\.toml cannot be written: its directory does not"
        ):
            file(path.parent / "no" / "tasks.toml").write(
                None, [Added(Task("b", {"description": "B", "status": "pending"}))]
            )


@contextmanager
def small_disk(where: Path, size: str) -> Iterator[None]:
    """Mount a file system of a few pages; skips where that is not allowed."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount")
    mounting = [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(where)]
    if subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(where)], check=True)


class TestRefusals:
    def test_a_full_disk_leaves_the_file_and_nothing_else(self, tmp_path: Path) -> None:
        with small_disk(tmp_path, "64k"):
            path = tmp_path / "tasks.toml"
            path.write_text(A + "# filled\n" * 4000)
            was = path.read_bytes()
            with pytest.raises(
                TTError, match=r"^tasks\.toml cannot be written: the disk is full\."
            ):
                file(path).write(read(path), RUNNING)
            assert path.read_bytes() == was
            assert names(path) == ["tasks.toml"]

    def test_a_file_size_limit_leaves_the_file_and_nothing_else(self, path: Path) -> None:
        path.write_text(A + "# filled\n" * 4000)
        was = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
        try:
            with pytest.raises(
                TTError, match=r"^tasks\.toml cannot be written: it would be larger"
            ):
                file(path).write(read(path), RUNNING)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.read_bytes() == was
        assert names(path) == ["tasks.toml"]

    def test_a_read_only_file_system_is_said(self, tmp_path: Path) -> None:
        with small_disk(tmp_path, "64k"):
            path = tmp_path / "tasks.toml"
            path.write_text(A)
            subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
            with pytest.raises(TTError, match=r"^tasks\.toml cannot be written: the file sys"):
                file(path).write(read(path), RUNNING)
            assert path.read_text() == A


_WRITER = """
import sys
from pathlib import Path
from tt.adapters.planfile import TomlPlanFile
from tt.core.diff import Edited
file = TomlPlanFile(Path(sys.argv[1]), "tasks.toml")
before = file.read()
print("ready", flush=True)
while True:
    for status in ("running", "pending"):
        old = before.plan.tasks["a"].status
        before = file.write(before, [Edited("a", "status", old, status)])
        print(status, flush=True)
"""


class TestKilled:
    def test_a_writer_that_is_killed_leaves_a_whole_file(self, path: Path) -> None:
        rest = "".join(A.replace('"a"', f'"t{n}"') for n in range(300))
        path.write_text(A + rest)
        wanted = {path.read_text(), EDITED + rest}
        for writes in (1, 2, 3, 5, 8, 13):
            process = subprocess.Popen(
                [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            for _ in range(writes):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert path.read_text() in wanted
            read_plan(path.read_bytes(), "f")

    def test_what_a_killed_writer_left_is_swept_up_an_hour_later(self, path: Path) -> None:
        old, new = path.parent / ".tasks.toml.0123.tmp", path.parent / ".tasks.toml.4567.tmp"
        other = path.parent / ".tasks.toml.swp"
        for made in (old, new, other):
            made.touch()
        for aged in (old, other):
            os.utime(aged, times=(time.time() - 4000,) * 2)
        replace_bytes(path, "tasks.toml", A.encode(), b"new")
        assert names(path) == [".tasks.toml.4567.tmp", ".tasks.toml.swp", "tasks.toml"]

    def test_an_interrupt_leaves_no_temporary_file(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(descriptor: int) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            file(path).write(read(path), RUNNING)
        assert names(path) == ["tasks.toml"]
        assert path.read_text() == A
