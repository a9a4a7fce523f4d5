"""Commands that run beside a conductor, as real processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.redis_server import wait_until
from tt.adapters.errandproc import ErrandProcess
from tt.errors import TTError

PLAN = '[[tasks]]\nid = "a"\ndescription = "A"\n'


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))


def ended(process: ErrandProcess) -> ErrandProcess:
    wait_until(process.is_over, "the errand to be over", 30)
    return process


def test_what_a_command_answers_is_there_when_it_is_over(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(PLAN)
    process = ended(ErrandProcess(["plan", "--json"], {}, tmp_path))
    found = process.answer()
    assert isinstance(found["tasks"], list)
    assert [task["id"] for task in found["tasks"]] == ["a"]


def test_what_a_command_says_is_wrong_is_raised_with_its_hint(tmp_path: Path) -> None:
    process = ended(ErrandProcess(["commit", "--json"], {}, tmp_path))
    with pytest.raises(TTError, match="no Git repository"):
        process.answer()


def test_settings_go_by_the_environment(tmp_path: Path) -> None:
    process = ended(ErrandProcess(["config", "--json"], {"TT_NAME": "elsewhere"}, tmp_path))
    assert "elsewhere" in str(process.answer())


def test_a_command_that_ends_without_an_answer_is_a_failure(tmp_path: Path) -> None:
    process = ErrandProcess(["plan", "--json"], {"PYTHONPATH": ""}, tmp_path)
    os.kill(process.pid, 9)
    with pytest.raises(TTError, match="exit code"):
        ended(process).answer()


def test_one_that_is_killed_is_gone(tmp_path: Path) -> None:
    process = ErrandProcess(["plan", "--json"], {}, tmp_path)
    process.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
