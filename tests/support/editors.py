"""Real editors at work on a plan, and the system calls of those that cannot be had here.

Each takes one text for another and saves, as often as it is asked to; an editor with a session
stays open meanwhile, with its swap files and locks beside the plan.
"""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Final

from tests.support.tools import require_tool

SECONDS: Final = 20.0
Replace = Callable[[str, str], None]
"""Takes one word for another in the plan, and saves."""
Editor = Callable[[Path], "contextmanager[Replace]"]

_QUIET: Final = {"TERM": "dumb", "EMACS_INHIBIT_NATIVE_COMPILATION": "1"}


@contextmanager
def _session(words: list[str], command: str, end: str, plan: Path) -> Iterator[Replace]:
    """Run an editor that takes commands on its standard input; `command` has the two words."""
    editor = subprocess.Popen(
        [require_tool(words[0]), *words[1:]],
        cwd=plan.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, **_QUIET},
    )
    assert editor.stdin is not None

    def replace(old: str, new: str) -> None:
        assert editor.stdin is not None
        editor.stdin.write(command.format(old=old, new=new) + "\n")
        editor.stdin.flush()

    try:
        yield replace
        _, complaint = editor.communicate(end, SECONDS)
        assert editor.returncode == 0, complaint
    finally:
        editor.kill()
        editor.wait()
        editor.stdin.close()


def vim(options: str) -> Editor:
    """Open vim, with a swap file, and these of its options."""

    def edit(plan: Path) -> contextmanager[Replace]:
        words = ["vim", "-N", "-u", "NONE", "-i", "NONE", "-es", "-c", f"set {options}", plan.name]
        return _session(words, "%s/{old}/{new}/\nw", "q\n", plan)

    return edit


def ex(plan: Path) -> contextmanager[Replace]:
    """Open the ex of this machine, which may be vim."""
    return _session(["ex", "-s", plan.name], "%s/{old}/{new}/\nw", "q\n", plan)


def ed(plan: Path) -> contextmanager[Replace]:
    """Open ed."""
    return _session(["ed", "-s", plan.name], "g/{old}/s/{old}/{new}/\nw", "q\n", plan)


def emacs(*settings: str) -> Editor:
    """Open emacs with some variables set: its lock and its backups are beside the plan."""
    # By default it makes no backups of what is in a directory for temporary files.
    always = "backup-enable-predicate (lambda (_) t)"
    sets = "".join(f"(setq {setting})" for setting in (always, *settings))
    program = (
        f'(progn {sets} (let (said) (while (not (equal (setq said (read-string "")) "end"))'
        " (goto-char (point-min)) (let ((words (split-string said)))"
        " (search-forward (car words)) (replace-match (cadr words) t t)) (save-buffer))))"
    )

    def edit(plan: Path) -> contextmanager[Replace]:
        words = ["emacs", "-Q", "--batch", plan.name, "--eval", program]
        return _session(words, "{old} {new}", "end\n", plan)

    return edit


def nano(*options: str) -> Editor:
    """Open nano in a terminal of its own, and type."""

    @contextmanager
    def edit(plan: Path) -> Iterator[Replace]:
        words = [require_tool("nano"), "-I", *options, plan.name]
        ours, theirs = pty.openpty()
        editor = subprocess.Popen(
            words,
            cwd=plan.parent,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm"},
            start_new_session=True,
        )
        os.close(theirs)

        def replace(old: str, new: str) -> None:
            for keys in ("\x1c", f"{old}\r", f"{new}\r", "a", "\x13"):  # replace all; save
                os.write(ours, keys.encode())
                _read(ours, b"Wrote" if keys == "\x13" else b"\x1b")

        try:
            _read(ours, b"Exit")
            yield replace
            os.write(ours, b"\x18")
            assert editor.wait(SECONDS) == 0
        finally:
            editor.kill()
            editor.wait()
            os.close(ours)

    return edit


def _read(terminal: int, awaited: bytes) -> None:
    """Read what is drawn until that is there."""
    drawn, deadline = b"", monotonic() + SECONDS
    while awaited not in drawn:
        ready, _, _ = select.select([terminal], [], [], deadline - monotonic())
        assert ready, drawn
        drawn += os.read(terminal, 65536)


def command(*words: str) -> Editor:
    """Run a program for each save; in its words {old} and {new} are the two, {plan} its name."""

    @contextmanager
    def edit(plan: Path) -> Iterator[Replace]:
        program = require_tool(words[0])

        def replace(old: str, new: str) -> None:
            said = [word.format(old=old, new=new, plan=plan.name) for word in words[1:]]
            subprocess.run(
                [program, *said],
                cwd=plan.parent,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=SECONDS,
            )

        yield replace

    return edit


def patched(*words: str) -> Editor:
    """Give a program a patch."""

    @contextmanager
    def edit(plan: Path) -> Iterator[Replace]:
        program = require_tool(words[0])

        def replace(old: str, new: str) -> None:
            new_file = plan.with_name("new")
            new_file.write_text(plan.read_text().replace(old, new))
            diff = subprocess.run(
                [
                    "diff",
                    "-u",
                    "--label",
                    "a/tasks.toml",
                    "--label",
                    "b/tasks.toml",
                    plan,
                    new_file,
                ],
                capture_output=True,
                check=False,
                timeout=SECONDS,
            ).stdout
            new_file.unlink()
            subprocess.run(
                [program, *words[1:]], cwd=plan.parent, input=diff, check=True, timeout=SECONDS
            )

        yield replace

    return edit


def replayed(save: Callable[[Path, str], None]) -> Editor:
    """Save with system calls as an editor does."""

    @contextmanager
    def edit(plan: Path) -> Iterator[Replace]:
        yield lambda old, new: save(plan, plan.read_text().replace(old, new))

    return edit


def vscode(plan: Path, text: str) -> None:
    """VS Code: open with "w", write at once, fdatasync, close.

    Source: microsoft/vscode, src/vs/platform/files/node/diskFileSystemProvider.ts.
    """
    file = os.open(plan, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.write(file, text.encode())
    os.fdatasync(file)
    os.close(file)


def vscode_truncate(plan: Path, text: str) -> None:
    """VS Code where it unlocks or is on Windows: truncate by name, then open with "r+" and write.

    Source: as of `vscode`.
    """
    os.truncate(plan, 0)
    file = os.open(plan, os.O_RDWR)
    os.write(file, text.encode())
    os.fdatasync(file)
    os.close(file)


def vscode_atomic(plan: Path, text: str) -> None:
    """VS Code's atomic writes: the same beside the file, under a name with a postfix, and rename.

    Source: as of `vscode`, `doWriteFileAtomic`.
    """
    beside = plan.with_name(plan.name + ".vsctmp")
    vscode(beside, text)
    beside.rename(plan)


def jetbrains_renames(plan: Path, text: str) -> None:
    """JetBrains' safe write until 2019: the new file, the old one aside, the new one in its place.

    Source: JetBrains/intellij-community, com/intellij/util/io/SafeFileOutputStream.java of 2018.
    """
    new, old = (plan.with_name(f"{plan.name}___jb_{kind}___") for kind in ("tmp", "old"))
    new.write_text(text)
    plan.rename(old)
    new.rename(plan)
    new_mode = old.stat().st_mode
    plan.chmod(new_mode)
    old.unlink()


def jetbrains_backup(plan: Path, text: str) -> None:
    """JetBrains' safe write since: a copy as `name~`, the file written in place, the copy removed.

    Source: the same file in its later versions, as what watchers that pass by `name~` tell.
    """
    backup = plan.with_name(plan.name + "~")
    shutil.copy2(plan, backup)
    vscode(plan, text)
    backup.unlink()


def helix(plan: Path, text: str) -> None:
    """Helix with `atomic-save`: the file is renamed to a backup, a new one written and synced.

    Source: helix-editor/helix, helix-view/src/document.rs, `save_impl`.
    """
    backup = plan.with_name(f"{plan.name}Ab12Cd.bck")
    mode = plan.stat().st_mode
    plan.rename(backup)
    file = os.open(plan, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for start in range(0, len(text), 64):
        os.write(file, text[start : start + 64].encode())
    os.fsync(file)
    os.close(file)
    plan.chmod(mode)
    backup.unlink()


def qsavefile(plan: Path, text: str) -> None:
    """Editors of Qt (Qt Creator, many of KDE's): a file with a random ending, synced, renamed over.

    Source: Qt's documentation of QSaveFile.
    """
    beside = plan.with_name(plan.name + ".kXyZaB")
    vscode(beside, text)
    beside.chmod(plan.stat().st_mode)
    beside.rename(plan)


def gio(plan: Path, text: str) -> None:
    """Editors of GNOME: `.goutputstream-…`, the old file linked as a backup, renamed over.

    Source: GLib, gio/glocalfileoutputstream.c.
    """
    beside, backup = plan.with_name(".goutputstream-AB12CD"), plan.with_name(plan.name + "~")
    vscode(beside, text)
    backup.unlink(missing_ok=True)
    os.link(plan, backup)
    beside.rename(plan)


def os_replace(plan: Path, text: str) -> None:
    """Python's `os.replace`, and what most programs do."""
    beside = plan.with_name("new")
    beside.write_text(text)
    os.replace(beside, plan)  # noqa: PTH105  that is its name


def chmod_after(plan: Path, text: str) -> None:
    """Write in place, and set mode, owner and times after it."""
    plan.write_text(text)
    plan.chmod(0o600)
    os.chown(plan, os.getuid(), os.getgid())
    os.utime(plan)


REPLAYS: Final = (
    vscode, vscode_truncate, vscode_atomic, jetbrains_renames, jetbrains_backup, helix, qsavefile,
    gio, os_replace, chmod_after,
)  # fmt: skip

FAMILIES: Final[dict[str, tuple[Editor, ...]]] = {
    "vim": (
        vim("backupcopy=yes writebackup"),
        vim("backupcopy=no writebackup"),
        vim("backupcopy=auto backup"),
        vim("nobackup nowritebackup"),
        vim("directory=/tmp backupcopy=no"),
    ),
    "ex and ed": (ex, ed),
    "nano": (nano(), nano("-B")),
    "emacs": (
        emacs(),
        emacs("vc-handled-backends nil", "backup-by-copying t"),
        emacs("vc-handled-backends nil", "backup-by-copying nil"),
        emacs("file-precious-flag t"),
        emacs("make-backup-files nil"),
    ),
    "sed and perl": (
        command("sed", "-i", "s/{old}/{new}/", "{plan}"),
        command("sed", "-i.bak", "s/{old}/{new}/", "{plan}"),
        command("perl", "-pi", "-e", "s/{old}/{new}/", "{plan}"),
        command("perl", "-pi.bak", "-e", "s/{old}/{new}/", "{plan}"),
    ),
    "a shell": (
        command("sh", "-c", "sed s/{old}/{new}/ {plan} >new && cat new >{plan} && rm new"),
        command("sh", "-c", "sed s/{old}/{new}/ {plan} >new && mv new {plan}"),
        command("sh", "-c", "sed s/{old}/{new}/ {plan} >new && cp new {plan} && rm new"),
        command("sh", "-c", "sed s/{old}/{new}/ {plan} >new && tee {plan} <new && rm new"),
    ),
    "patches": (patched("git", "apply"), patched("patch", "-p1", "--quiet")),
    "those that cannot be had": tuple(replayed(save) for save in REPLAYS),
}
