"""What the page on watching tells people to put into their editors, in those editors."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Final

import pytest

from tests.support.commands import tasks_of, write_hash
from tests.support.redis_server import RedisServer, wait_until
from tests.support.tools import require_tool
from tests.support.watch_yard import WatchYard, plan_text, says
from tt.adapters.watchpost import WatchPost

pytestmark = pytest.mark.slow

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "watching.md"
TOWN: Final = "here-main"
SECONDS: Final = 30.0
EDITORS: Final = {
    "vim": ("vim", ["vim", "-N", "-i", "NONE", "-n", "-u"], "\x1b:qa!\r"),
    "neovim": ("lua", ["nvim", "-i", "NONE", "-n", "-u"], "\x1b:qa!\r"),
    "emacs": ("elisp", ["emacs", "-nw", "-Q", "-l"], "\x18\x03"),
}
"""For each: how its setup is marked on the page, its command up to that, and the keys that end."""


@pytest.fixture
def yard(tmp_path: Path, server: RedisServer) -> WatchYard:
    return WatchYard.make(tmp_path, server, plan_text("lint", "docs"))


def setup(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return block


class Screen:
    """An editor in a terminal of its own, which somebody has to read."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._drawn = b""

    def shows(self, text: str) -> bool:
        """Say whether a text was drawn since this was asked last."""
        return text.encode() in self._drawn

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def wait(self, true: Callable[[], bool], what: str) -> None:
        deadline = monotonic() + SECONDS
        while not true():
            assert monotonic() < deadline, f"not within {SECONDS:g} s: {what}\n{self._drawn!r}"
            if select.select([self._terminal], [], [], 0.05)[0]:
                try:
                    self._drawn += os.read(self._terminal, 65536)
                except OSError:  # the editor has ended
                    return


@contextmanager
def in_terminal(yard: WatchYard, words: list[str], end: str = "") -> Iterator[Screen]:
    """Run a program in a terminal of its own; it ends when `end` is typed, or is killed."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    program = subprocess.Popen(
        [require_tool(words[0]), *words[1:]], cwd=yard.top, stdin=theirs, stdout=theirs,
        stderr=theirs, start_new_session=True, env={**yard.shell.environment, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    screen = Screen(ours)
    try:
        yield screen
        if end:
            screen.type(end)
            screen.wait(lambda: program.poll() is not None, "it to end")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        os.close(ours)


@pytest.mark.parametrize("name", list(EDITORS))
def test_an_editor_as_the_page_sets_it_up_watches_and_shows_what_agents_do(
    yard: WatchYard, name: str, tmp_path: Path
) -> None:
    language, words, end = EDITORS[name]
    if name == "neovim" and shutil.which(words[0]) is None:
        pytest.skip("there is no Neovim here")
    settings = tmp_path / ("init.lua" if language == "lua" else "settings")
    settings.write_text(setup(language))
    post = WatchPost(yard.top / ".git" / "tt")

    def is_in_step() -> bool:
        found = post.watching()
        return bool(found and found.state and found.state.state == "in step")

    with in_terminal(yard, [*words, str(settings), "tasks.toml"], end) as screen:
        screen.wait(is_in_step, "a watcher")
        uuid = tasks_of(yard.shell.server, TOWN)["lint"]["id"]
        write_hash(yard.shell.server, f"tt:{TOWN}:task:{uuid}", description="Zebra")
        screen.wait(lambda: screen.shows("Zebra"), "what the agent did")
    wait_until(lambda: post.holder() is None, "the watcher to end with the editor", SECONDS)


def test_one_sync_a_save_works_in_vim_without_a_watcher(yard: WatchYard, tmp_path: Path) -> None:
    (line,) = re.findall(r"`(autocmd BufWritePost\s.*?)`", PAGE.read_text("utf-8"), re.DOTALL)
    settings = tmp_path / "settings"
    settings.write_text(f"{' '.join(line.split())}\n")
    _, words, end = EDITORS["vim"]
    with in_terminal(yard, [*words, str(settings), "tasks.toml"], end) as screen:
        for word in ("Zebra", "Gnu"):
            screen.type(f'\x1b:g/^description/s/".*"/"{word}"/\r:w\r')
            screen.wait(lambda: yard.says("lint") == word, f"{word} in Redis")  # noqa: B023


def test_entr_as_the_page_calls_it_syncs_each_save(yard: WatchYard) -> None:
    if shutil.which("entr") is None:
        pytest.skip("there is no entr here")
    (line,) = re.findall(r"^(echo tasks.toml .*?)\s*(?:#.*)?$", PAGE.read_text(), re.MULTILINE)
    with in_terminal(yard, ["sh", "-c", line]) as screen:
        screen.wait(lambda: screen.shows("2 tasks"), "its first sync")
        saved, words = 0.0, ""

        def is_synced() -> bool:
            nonlocal saved, words
            if monotonic() > saved + 1:  # what is saved while a sync runs is not seen
                saved, words = monotonic(), f"Zebra {monotonic()}"
                yard.file.write_text(says("lint", words)(yard.file.read_text()))
            return yard.says("lint") == words

        screen.wait(is_synced, "a save in Redis")
