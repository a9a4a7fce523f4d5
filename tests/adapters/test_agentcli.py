"""The program of an agent: whether it is there, and how it is given a prompt."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tt.adapters.agentcli import (
    Bench,
    Place,
    find_program,
    own_words,
    plain_program,
    prepare_logs,
)
from tt.core.clis import BUILT_IN, read_cli
from tt.errors import TTError


def own(command: str, **keys: str) -> dict[str, str]:
    return {"command": command, **keys}


def test_a_program_is_looked_for_where_the_agent_would_find_it(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "claude"
    program.write_text("#!/bin/sh\n")
    environment = {"PATH": str(tmp_path / "bin")}
    with pytest.raises(TTError) as caught:
        find_program(BUILT_IN["claude"], environment, tmp_path)
    assert caught.value.message == "The CLI `claude` runs `claude`, which is not there."
    assert "npm install -g @anthropic-ai/claude-code" in str(caught.value.hint)
    program.chmod(0o755)
    assert find_program(BUILT_IN["claude"], environment, tmp_path) == str(program)


@pytest.mark.parametrize("command", ["cd x && y", "exit 3", "if true; then x; fi", "X=1 true"])
def test_what_a_shell_knows_by_itself_is_there(tmp_path: Path, command: str) -> None:
    find_program(read_cli("mine", own(command), "f"), dict(os.environ), tmp_path)


@pytest.mark.parametrize("command", ["no-such-program-at-all x", "./no.sh", "X=1 /no/such"])
def test_a_users_own_that_is_not_there_is_said(tmp_path: Path, command: str) -> None:
    with pytest.raises(TTError, match=r"The CLI `mine` runs .*, which is not there\."):
        find_program(read_cli("mine", own(command), "f"), dict(os.environ), tmp_path)


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("./run.sh --fast", "./run.sh"),  # wherever the agent works: maybe in another worktree
        ("tool x", "{bin}/tool"),
        ("true", ""),  # a shell does that itself
        ("if x", ""),
        ("tool x | tee y", ""),
        ("X=1 ./run.sh", ""),
    ],
)
def test_a_shell_runs_what_only_a_shell_knows(tmp_path: Path, command: str, program: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for path in (tmp_path / "run.sh", *(folder / name for name in ("tool", "true", "if"))):
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    environment = {"PATH": str(folder)}
    cli = read_cli("mine", own(command), "f")
    found = find_program(cli, environment, tmp_path)
    wanted = program.format(bin=folder)
    assert plain_program(cli, found, environment, tmp_path) == wanted


def test_a_script_whose_first_line_says_nothing_is_run_by_a_shell(tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_text("exit 7\n")
    script.chmod(0o755)
    bench = Bench("dev", read_cli("m", own(str(script)), "f"), Place(tmp_path, tmp_path / "l"), {})
    child = bench.begin("x", 1, {})
    assert os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1]) == 7


ONE_AFTER_ANOTHER = """
import os, sys
from pathlib import Path
from tt.adapters.agentcli import Bench, Place
from tt.core.clis import read_cli

top = Path(sys.argv[1])
cli = read_cli("m", {"command": "cat"}, "f")
bench = Bench("dev", cli, Place(top, top / "logs"), dict(os.environ))
for prompt in ("long " * 1000 + "\\n", "short\\n"):
    file = top / "logs" / "dev.prompt"
    child = bench.begin(prompt, 1, {})
    assert os.waitpid(child.pid, 0)[1] == 0
    assert file.read_text() == prompt
    assert file.stat().st_mode & 0o777 == 0o600
    child.kill()
"""


def test_a_short_prompt_after_a_long_one_is_all_there_is(tmp_path: Path) -> None:
    # In a process of its own: to end a child is to end all that descends from whoever started it.
    words = [sys.executable, "-c", ONE_AFTER_ANOTHER, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_that_cannot_be_run_is_said(tmp_path: Path) -> None:
    (tmp_path / "claude").write_bytes(b"\x7fELF no program")
    (tmp_path / "claude").chmod(0o755)
    place = Place(tmp_path, tmp_path / "logs")
    bench = Bench("dev", BUILT_IN["claude"], place, {"PATH": str(tmp_path)})
    with pytest.raises(TTError, match="claude cannot be started: Exec format error"):
        bench.begin("x", 1, {})


def test_a_prompt_that_is_too_long_for_an_argument_is_said(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "logs")
    cli = read_cli("m", own("true", prompt="argument"), "f")
    bench = Bench("dev", cli, place, dict(os.environ))
    with pytest.raises(TTError, match="Argument list too long"):
        bench.begin("x" * 3_000_000, 1, {})


def test_the_logs_are_no_business_of_gits(tmp_path: Path) -> None:
    prepare_logs(tmp_path / ".tt" / "logs")
    assert (tmp_path / ".tt" / "logs" / ".gitignore").read_text() == "*\n"
    (tmp_path / "file").write_text("")
    with pytest.raises(TTError, match="cannot be written"):
        prepare_logs(tmp_path / "file" / "logs")


def test_tt_is_called_by_an_absolute_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "my tools" / "tt"
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert own_words() == f"'{program}'"
