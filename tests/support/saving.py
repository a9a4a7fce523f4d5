"""How editors save, as system calls, and an ear that notes what it is told and what it saw then."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tt.core.watching import Happening

LIMIT_SECONDS = 20.0


class Listener:
    """Notes each happening with the plan's content at that time."""

    def __init__(self, plan: Path) -> None:
        self.plan = plan
        self.told: list[tuple[Happening, str | None]] = []
        self._news = threading.Condition()

    def __call__(self, what: Happening) -> None:
        with self._news:
            self.told.append((what, content_of(self.plan)))
            self._news.notify_all()

    def count(self, what: Happening) -> int:
        with self._news:
            return sum(1 for told, _ in self.told if told is what)

    def forget(self) -> None:
        with self._news:
            self.told.clear()

    def wait(
        self, what: Happening, content: str | None = ..., limit: float = LIMIT_SECONDS
    ) -> None:  # type: ignore[assignment]
        """Wait until `what` was told, at a moment when the plan had that content."""

        def came() -> bool:
            return any(told is what and content in (..., found) for told, found in self.told)

        with self._news:
            assert self._news.wait_for(came, limit), f"no {what} with {content!r}: {self.told}"


def content_of(plan: Path) -> str | None:
    try:
        return plan.read_text("utf-8")
    except OSError:
        return None


def until(fact: Callable[[], bool], limit: float = LIMIT_SECONDS) -> None:
    """Wait until something that nobody tells of is so."""
    deadline = time.monotonic() + limit
    while not fact():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.005)


def in_place(plan: Path, text: str) -> None:
    """Open, truncate, write, close: nano, a shell's `>`, VS Code."""
    plan.write_text(text, encoding="utf-8")


def in_place_synced(plan: Path, text: str) -> None:
    """VS Code where the file exists: open, truncate, write in pieces, fdatasync, close."""
    file = os.open(plan, os.O_WRONLY | os.O_CREAT)
    os.ftruncate(file, 0)
    for start in range(0, len(text), 4):
        os.write(file, text[start : start + 4].encode())
    os.fdatasync(file)
    os.close(file)


def renamed_over(plan: Path, text: str) -> None:
    """Python's `os.replace`, `sed -i`, helix, Kate."""
    new = plan.with_name(".new-" + plan.name)
    new.write_text(text, encoding="utf-8")
    new.replace(plan)


def moved_in(plan: Path, text: str) -> None:
    """A temporary file of another directory, renamed over the plan."""
    room = plan.parent / "room"
    room.mkdir(exist_ok=True)
    (room / "new").write_text(text, encoding="utf-8")
    (room / "new").replace(plan)


def backup_renamed(plan: Path, text: str) -> None:
    """vim with `backupcopy=no`, emacs: the old file becomes the backup, a new one is written."""
    swap = plan.with_name(f".{plan.name}.swp")
    swap.write_text("swap", encoding="utf-8")
    probe = plan.with_name("4913")
    probe.touch()
    probe.unlink()
    backup = plan.with_name(plan.name + "~")
    plan.rename(backup)
    plan.write_text(text, encoding="utf-8")
    plan.chmod(0o644)
    backup.unlink()
    swap.unlink()


def backup_copied(plan: Path, text: str) -> None:
    """vim with `backupcopy=yes`: a copy becomes the backup, the file is written in place."""
    backup = plan.with_name(plan.name + "~")
    backup.write_bytes(plan.read_bytes())
    in_place(plan, text)
    plan.chmod(0o644)
    backup.unlink()


def linked(plan: Path, text: str) -> None:
    """Unlink the plan, link the new file there, unlink its first name."""
    new = plan.with_name(".linked")
    new.write_text(text, encoding="utf-8")
    plan.unlink()
    os.link(new, plan)
    new.unlink()


def jetbrains(plan: Path, text: str) -> None:
    """JetBrains' safe write: the old file steps aside for the new one, and is removed."""
    new, old = (plan.with_name(f"{plan.name}___jb_{kind}___") for kind in ("tmp", "old"))
    new.write_text(text, encoding="utf-8")
    plan.rename(old)
    new.rename(plan)
    old.unlink()


def deleted_first(plan: Path, text: str) -> None:
    """Git's way: unlink, then make a new file exclusively."""
    plan.unlink()
    with plan.open("x", encoding="utf-8") as file:
        file.write(text)


WAYS: tuple[Callable[[Path, str], None], ...] = (
    in_place,
    in_place_synced,
    renamed_over,
    moved_in,
    backup_renamed,
    backup_copied,
    linked,
    jetbrains,
    deleted_first,
)
