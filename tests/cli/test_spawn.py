"""What starting agents, and talking to them, refuses and says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tt.cli.agentorders import Orders, words_for
from tt.cli.main import main
from tt.cli.spawn import check_name
from tt.errors import UsageError


@pytest.mark.parametrize(
    "name", ["", "-x", ".hidden", "../up", "a/b", "a b", "a\nb", "a\0b", "x" * 65, "a:b", "a*"]
)
def test_a_name_that_is_no_files_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be an agent's name"):
        check_name(name)


@pytest.mark.parametrize("name", ["dev", "worker-1", "a.b_c", "Zoë", "7"])
def test_ordinary_names_are_taken(name: str) -> None:
    check_name(name)


def test_what_an_agent_is_started_with_is_data_and_has_no_secret() -> None:
    words = words_for(Orders("dev", "mine", rounds=3, timeout=1.5))
    assert words == [
        "agent-impl",
        '{"name": "dev", "cli": "mine", "rounds": 3, "timeout": 1.5, "how": "background"}',
    ]


@pytest.mark.parametrize("cli", ["clade", "mine"])
def test_an_unknown_cli_is_named_with_what_was_meant(
    project: Path, cli: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["spawn", "dev", "--cli", cli]) == 2
    said = capsys.readouterr().err
    assert f"There is no CLI called `{cli}`; " in said
    assert ("did you mean `claude`" in said) == (cli == "clade")
    assert "[agent_clis.NAME]" in said
    assert not (project / ".tt").exists()


@pytest.mark.parametrize("words", [["--rounds", "0"], ["--timeout", "0"], ["--rounds", "x"]])
def test_what_cannot_be_meant_is_refused(project: Path, words: list[str]) -> None:
    assert main(["spawn", "dev", *words]) == 2


@pytest.mark.parametrize("command", ["kill", "close", "interrupt", "resume", "restart", "wait"])
def test_an_agent_that_is_not_there_is_said(
    project: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "nobody"]) == 1
    assert "has no agent `nobody`" in capsys.readouterr().err


def test_stopping_nobody_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stop"]) == 0
    assert capsys.readouterr().out == "No agent is at work in town 'shop-main'.\n"
