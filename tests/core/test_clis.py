"""How each command line is called, and what its ending means."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tt.core.clis import BUILT_IN, Cli, Prompting, Reporting, read_cli
from tt.core.endings import Ending, judged
from tt.errors import UsageError

NASTY = "\"; touch pwned; ' $(touch pwned) `touch pwned` $1 \\ \n--help"


def test_the_built_in_ones_are_called_as_was_measured() -> None:
    words = {name: cli.call("PROMPT", "/file") for name, cli in BUILT_IN.items()}
    assert words["claude"] == ("claude", "--print", "--dangerously-skip-permissions")
    assert words["auggie"] == ("auggie", "--print", "--instruction-file", "/file")
    assert words["codex"][:3] == ("codex", "exec", "--dangerously-bypass-approvals-and-sandbox")
    assert words["codex-mini"][-3:] == ("gpt-5.4-mini", "-c", 'model_reasoning_effort="medium"')
    assert words["aider"][-2:] == ("--message-file", "/file")
    assert words["copilot"][-2:] == ("-p", "PROMPT")
    assert words["cursor"][-1] == "PROMPT"
    assert "PROMPT" not in words["gemini"]
    assert set(words) == {
        "claude", "auggie", "codex", "codex-mini", "gemini", "aider", "copilot", "cursor"
    }  # fmt: skip


def test_every_built_in_one_says_how_it_is_installed() -> None:
    assert all(cli.install and cli.program for cli in BUILT_IN.values())


def test_root_alone_is_said_to_be_in_a_sandbox() -> None:
    assert dict(BUILT_IN["claude"].env_as_root) == {"IS_SANDBOX": "1"}
    assert not BUILT_IN["claude"].env


@pytest.mark.parametrize("prompt", list(Prompting))
@pytest.mark.parametrize("command", ["./see.sh", "./see.sh $1", 'X=1 ./see.sh "$1"'])
def test_no_prompt_is_ever_part_of_a_shells_text(
    tmp_path: Path, prompt: Prompting, command: str
) -> None:
    (tmp_path / "see.sh").write_text('#!/bin/sh\nprintf "%s" "$1" >arg\ncat >in\n')
    (tmp_path / "see.sh").chmod(0o755)
    (tmp_path / "p").write_text(NASTY)
    words = read_cli("mine", {"command": command, "prompt": str(prompt)}, "f").call(NASTY, "p")
    assert NASTY not in words[2]
    with (tmp_path / "p").open() as stdin:
        subprocess.run(words, cwd=tmp_path, stdin=stdin, check=True)
    assert not (tmp_path / "pwned").exists()
    if prompt == "argument" and command != "./see.sh $1":
        assert (tmp_path / "arg").read_text() == NASTY


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("./run.sh", ("./run.sh",)),
        (" \t./run.sh  --fast a=", ()),
        (" \t./run.sh \t --fast ", ("./run.sh", "--fast")),
        ("./run.sh\n./then.sh", ()),
        ("X=1 ./run.sh", ()),
        ("~/run.sh", ()),
        ("./run.sh *.py", ()),
        ("./run.sh;", ()),
        ("./run\N{NO-BREAK SPACE}x", ()),
    ],
)
def test_a_command_in_which_a_shell_would_change_nothing_is_known(
    command: str, words: tuple[str, ...]
) -> None:
    assert read_cli("mine", {"command": command}, "f").plain_words == words


@pytest.mark.parametrize("prompt", list(Prompting))
@pytest.mark.parametrize("name", ["mine", "auggie", "copilot"])
def test_a_plain_command_has_the_same_words_without_a_shell(
    tmp_path: Path, name: str, prompt: Prompting
) -> None:
    (tmp_path / "see.sh").write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n')
    (tmp_path / "see.sh").chmod(0o755)
    cli = read_cli(name, {"command": "./see.sh --fast", "prompt": str(prompt)}, "f")
    said = [
        subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout
        for words in (cli.call(NASTY, "/p"), cli.plain_call(NASTY, "/p"))
    ]
    assert said[0] == said[1] != b""


def test_a_users_own_is_run_by_a_shell_and_its_exit_code_decides() -> None:
    cli = read_cli("mine", {"command": "FOO=1 ./run.sh | tee x", "env": {"A": "b"}}, "f")
    assert cli.call("PROMPT", "/file") == ("/bin/sh", "-c", "FOO=1 ./run.sh | tee x", "sh")
    assert (cli.report, cli.prompt, cli.program) == (Reporting.EXIT, "stdin", "./run.sh")
    assert dict(cli.env) == {"A": "b"}


def test_tinytowns_own_defaults_are_taken_for_ours() -> None:
    for name, command in {"auggie": "auggie --print", "copilot": "gh copilot"}.items():
        assert read_cli(name, {"command": command, "name": name, "env": {}}, "f") == BUILT_IN[name]


def test_another_command_for_a_known_program_is_given_its_prompt_as_that_is() -> None:
    cli = read_cli("auggie", {"command": "auggie --print -m x"}, "f")
    assert cli.call("P", "/file")[2:] == (
        'auggie --print -m x --instruction-file "$1"', "sh", "/file",
    )  # fmt: skip
    assert cli.report is Reporting.SELF
    other = read_cli("auggie", {"command": "a", "prompt": "stdin", "report": "exit"}, "f")
    assert other.call("P", "/file")[2] == "a"
    assert other.report is Reporting.EXIT


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("x", "must be a table"),
        ({}, "has no command"),
        ({"command": " "}, "has no command"),
        ({"command": 3}, "must be text"),
        ({"command": "a\0b"}, "must be text"),
        ({"command": "a", "prompt": "mail"}, "must be `stdin` or `argument` or `file`"),
        ({"command": "a", "report": []}, "must be `self` or `exit`"),
        ({"command": "a", "env": {"A": 1}}, "must be a table of texts"),
        ({"command": "a", "env": {"A=": "1"}}, "must be a table of texts"),
        ({"command": "a", "promt": "stdin"}, "has no `promt`; did you mean `prompt`"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(table: object, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_cli("mine", table, "conf.toml")
    assert said in caught.value.message
    assert "conf.toml: `agent_clis.mine`" in caught.value.message


def test_the_program_of_a_shells_command_is_known_where_it_is_plain() -> None:
    assert read_cli("m", {"command": "A=1 B=2 prog -x"}, "f").program == "prog"
    assert read_cli("m", {"command": '"$HOME/x" y'}, "f").program == ""
    assert read_cli("m", {"command": "(cd x; y)"}, "f").program == ""


PLAIN = Cli("plain", shell="x", report=Reporting.EXIT)


@pytest.mark.parametrize(
    ("cli", "ending", "state", "result"),
    [
        (PLAIN, Ending(0, "ok"), "completed", "ok"),
        (PLAIN, Ending(3, "no"), "failed", "ended with exit code 3\nno"),
        (PLAIN, Ending(-9, ""), "failed", "ended by SIGKILL"),
        (PLAIN, Ending(-99, ""), "failed", "ended by signal 99"),
        (PLAIN, Ending(0, "x", "stopped"), "failed", "stopped\nx"),
        (BUILT_IN["claude"], Ending(0, ""), "failed", "ended without a report (exit 0)"),
        (
            BUILT_IN["claude"], Ending(1, "Not logged in · Please run /login"), "failed",
            (
                "ended with exit code 1\nNot logged in · Please run /login\n"
                "Run `claude` once and log in, or set ANTHROPIC_API_KEY."
            ),
        ),
    ],
)  # fmt: skip
def test_an_ending_that_nobody_reported_is_judged(
    cli: Cli, ending: Ending, state: str, result: str
) -> None:
    assert judged(cli, ending) == (state, result)
