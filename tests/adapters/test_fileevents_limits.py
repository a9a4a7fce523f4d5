"""Where events do not come, or too many: limits, lost events, other filesystems, 10,000 files."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.permissions import needs_permissions
from tests.support.saving import Listener, in_place, renamed_over, until
from tests.support.tools import missing
from tt.adapters import fileevents
from tt.adapters.fileevents import Eyes
from tt.adapters.fileevents_fs import silent_filesystem
from tt.core.watching import Happening

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")

BLIND = """
import pathlib, sys, threading
from tt.adapters.fileevents import Eyes
eyes = Eyes()
told = threading.Event()
sight = eyes.look_at(pathlib.Path(sys.argv[1]), None, lambda what: told.set())
print(sight.blind, flush=True)
sys.stdin.readline()
print(sight.is_current(), sight.blind, flush=True)
pathlib.Path(sys.argv[1]).write_text("x")
print(told.wait(20), flush=True)
eyes.close()
"""


@pytest.fixture
def eyes() -> Iterator[Eyes]:
    eyes = Eyes()
    yield eyes
    eyes.close()


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    plan = tmp_path / "tasks.toml"
    plan.write_text("first", encoding="utf-8")
    return plan


def spent() -> float:
    """Return the seconds of processor time of this process so far, all threads."""
    return time.process_time()


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("max_inotify_watches", "limit of inotify watches is reached"),
        ("max_inotify_instances", "limit of inotify instances"),
    ],
)
def test_a_limit_of_the_system_makes_blind_until_there_is_room_again(
    plan: Path, limit: str, words: str
) -> None:
    """A real limit, in a user namespace of its own."""
    knob = f"/proc/sys/user/{limit}"
    script = f'echo 0 > {knob}; exec "$0" -c "$1" "$2"'
    if subprocess.run(["unshare", "-Ur", "test", "-w", knob], check=False).returncode:
        missing("no user namespaces here")
    with subprocess.Popen(
        ["unshare", "-Ur", "sh", "-c", script, sys.executable, BLIND, str(plan)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert words in process.stdout.readline()
        enter = ["nsenter", "-U", "--preserve-credentials", "-t", str(process.pid)]
        subprocess.run([*enter, "sh", "-c", f"echo 100 > {knob}"], check=True)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "True None\n"
        assert process.stdout.readline() == "True\n"
    assert process.returncode == 0


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO])
def test_each_refusal_has_words_and_is_no_error(
    plan: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused() -> fileevents.Ear:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fileevents, "_open_ear", refused)
    eyes = Eyes()
    sight = eyes.look_at(plan, None, lambda _: None)
    assert sight.blind
    assert sight.is_current()
    eyes.close()


@needs_permissions
def test_a_directory_that_may_not_be_read_makes_blind_until_it_may(
    eyes: Eyes, tmp_path: Path
) -> None:
    plan = tmp_path / "closed" / "tasks.toml"
    plan.parent.mkdir()
    plan.touch()
    plan.parent.chmod(0o300)
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    assert sight.blind == f"{plan.parent} may not be read"
    plan.parent.chmod(0o700)
    assert sight.is_current()
    assert sight.blind is None
    renamed_over(plan, "heard")
    listener.wait(Happening.SAVED, "heard")


def test_a_refused_permission_makes_blind_until_it_is_given(
    eyes: Eyes, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for root, who may read everything: the kernel's answer is made up."""
    from watchdog.observers import inotify_c

    real = inotify_c.inotify_add_watch
    refuse = True

    def add(descriptor: int, path: bytes, mask: int) -> inotify_c.WatchDescriptor:
        if refuse:
            import ctypes

            ctypes.set_errno(errno.EACCES)
            return inotify_c.WatchDescriptor(-1)
        return real(descriptor, path, mask)

    monkeypatch.setattr(inotify_c, "inotify_add_watch", add)
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    assert sight.blind is not None
    assert sight.blind.endswith("may not be read")
    refuse = False
    assert sight.is_current()
    assert sight.blind is None
    in_place(plan, "heard")
    listener.wait(Happening.SAVED, "heard")


def test_lost_events_are_told_of_and_later_ones_come(eyes: Eyes, plan: Path) -> None:
    """A real overflow: the thread is kept busy until the kernel's queue is full."""
    full = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    busy, go_on = threading.Event(), threading.Event()
    listener = Listener(plan)

    def tell(what: Happening) -> None:
        if not busy.is_set():
            busy.set()
            assert go_on.wait(60)
        listener(what)

    sight = eyes.look_at(plan, None, tell)
    plan.chmod(0o600)
    assert busy.wait(20)
    other = plan.with_name("other")
    for _ in range(full // 2 + 10):
        other.touch()
        other.unlink()
    renamed_over(plan, "lost")
    go_on.set()
    listener.wait(Happening.GIT)
    listener.wait(Happening.SAVED, "lost")
    listener.forget()
    in_place(plan, "after")
    listener.wait(Happening.SAVED, "after")
    assert sight.is_current()


def wakes() -> int:
    """Return how often the thread that listens went to sleep so far."""
    thread = next(one for one in threading.enumerate() if type(one).__name__ == "InotifyEar")
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
    return int(status.partition("voluntary_ctxt_switches:")[2].split()[0])


def test_ten_thousand_files_beside_the_plan_cost_next_to_nothing(eyes: Eyes, plan: Path) -> None:
    listener = Listener(plan)
    eyes.look_at(plan, None, listener)
    code = """
import os, sys
for number in range(10_000):
    with open(f"{sys.argv[1]}/{number}", "w") as file:
        file.write("x")
for number in range(10_000):
    with open(f"{sys.argv[1]}/{number}", "a") as file:
        file.write("x")
    os.unlink(f"{sys.argv[1]}/{number}")
"""
    before, woken, started = spent(), wakes(), time.monotonic()
    subprocess.run([sys.executable, "-I", "-c", code, str(plan.parent)], check=True)
    in_place(plan, "still heard")
    listener.wait(Happening.SAVED, "still heard")
    took = time.monotonic() - started
    assert spent() - before < 1.5, "20,000 names that come and go, and as many writers"
    assert wakes() - woken < took * 600 + 50, "it sleeps 5 milliseconds after each look in vain"
    assert all(content in ("", "first", "still heard") for _, content in listener.told)


def test_who_writes_to_a_neighbour_wakes_nobody(eyes: Eyes, plan: Path) -> None:
    listener = Listener(plan)
    eyes.look_at(plan, None, listener)
    log = os.open(plan.with_name("log"), os.O_WRONLY | os.O_CREAT)
    plan.chmod(0o600)
    listener.wait(Happening.SAVED)
    before = wakes()
    for _ in range(10_000):
        os.write(log, b"x")
    os.close(log)
    assert wakes() - before <= 2


def test_eyes_that_nothing_happens_to_sleep(eyes: Eyes, plan: Path) -> None:
    sight = eyes.look_at(plan, None, lambda _: None)
    before, started = spent(), time.monotonic()
    until(lambda: time.monotonic() - started > 1)  # a wait of a known length, not for anything
    idle = spent() - before
    before = spent()
    for _ in range(100):
        assert sight.is_current()
    assert spent() - before < 0.1, "a pulse looks twice a second at most"
    assert idle < 0.2, "this loop's own looks at the clock included"


MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
30 22 0:40 / /mnt/c rw,noatime - 9p C:\134 rw,dirsync
31 22 0:41 / /mnt/cache rw - tmpfs none rw
32 22 0:42 / /home/me/far\040away rw shared:7 master:2 - fuse.sshfs me@there:/ rw
33 22 0:43 / /srv rw - nfs4 server:/export rw
34 22 0:44 / /srv/local rw - xfs /dev/vdb rw
35 22 0:45 / /over rw - nfs server:/old rw
36 22 0:46 / /over rw - ext4 /dev/vdc rw
short line
"""


@pytest.mark.parametrize(
    ("directory", "kind"),
    [
        ("/home/me/project", None),
        ("/mnt/c/project", "9p"),
        ("/mnt/c", "9p"),
        ("/mnt/cache/project", None),
        ("/home/me/far away/project", "fuse.sshfs"),
        ("/home/me/far", None),
        ("/srv/project", "nfs4"),
        ("/srv/local/project", None),
        ("/over/project", None),
    ],
)
def test_the_filesystem_is_that_of_the_nearest_mount(
    tmp_path: Path, directory: str, kind: str | None
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS, encoding="utf-8")
    assert silent_filesystem(directory, str(mounts)) == kind


def test_without_a_list_of_mounts_nothing_is_said(tmp_path: Path) -> None:
    assert silent_filesystem("/", str(tmp_path / "none")) is None


def test_on_a_silent_filesystem_the_events_that_come_are_told_of(
    eyes: Eyes, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fileevents, "silent_filesystem", lambda _: "9p")
    listener = Listener(plan)
    sight = eyes.look_at(plan, None, listener)
    assert sight.blind == f"{plan.parent} is on 9p, which does not tell of all changes"
    assert sight.is_current()
    in_place(plan, "heard")
    listener.wait(Happening.SAVED, "heard")


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no namespaces")
def test_a_directory_that_something_is_mounted_on_needs_another_look(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").touch()
    code = """
import pathlib, subprocess, sys
from tt.adapters.fileevents import Eyes
top = pathlib.Path(sys.argv[1])
eyes = Eyes()
sight = eyes.look_at(top / "tasks.toml", None, lambda _: None)
assert sight.is_current()
subprocess.run(["mount", "-t", "tmpfs", "none", str(top)], check=True)
assert not sight.is_current()
subprocess.run(["umount", str(top)], check=True)
assert sight.is_current()
eyes.close()
"""
    done = subprocess.run(
        ["unshare", "-Urm", sys.executable, "-c", code, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    if "Operation not permitted" in done.stderr:
        missing("no mounts in a user namespace here")
    assert done.returncode == 0, done.stderr
