"""The agents that docs/agents.md shows how to write do what it says of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agents import TT, Crew
from tests.support.commands import Place

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    (found,) = [text for text in blocks if containing in text]
    return str(found)


@pytest.fixture
def crew(place: Place, town: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    programs = place.top / "bin"
    programs.mkdir()
    (programs / "tt").write_text(f'#!/bin/sh\nexec {TT} "$@"\n')
    (programs / "tt").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    with Crew(place, town) as crew:
        yield crew


def test_the_shell_script_reports_what_it_did(crew: Crew) -> None:
    crew.script("agent", block("sh", "# agent.sh"))
    (crew.top / "deploy.sh").write_text("#!/bin/sh\nexit 3\n")
    (crew.top / "deploy.sh").chmod(0o755)
    agent = crew.spawn("dev", "agent")
    assert crew.until(crew.task(agent, "Rest a while"), "completed").result == ""
    failed = crew.until(crew.task(agent, "Deploy it"), "failed")
    assert failed.result == "deploy.sh ended with 3"
    assert [note.text for note in failed.notes] == ["about to deploy"]
    (crew.top / "deploy.sh").write_text("#!/bin/sh\nexit 0\n")
    assert crew.until(crew.task(agent, "Deploy it again"), "completed").result == "deployed"


def test_the_python_program_does_what_is_in_the_backlog(crew: Crew) -> None:
    jobs = [crew.shop.make(text) for text in ("water plants", "feed the cat")]
    env = {**os.environ, "REDIS_URL": crew.place.server.url}
    words = [sys.executable, "-c", block("python", "backlog")]
    subprocess.run(words, cwd=crew.top, env=env, check=True, timeout=60)
    assert [crew.job(job).result for job in jobs] == ["WATER PLANTS", "FEED THE CAT"]
    assert not crew.shop.backlog()


def test_the_prompt_of_ones_own_is_used(crew: Crew) -> None:
    path = crew.top / ".tt" / "prompts" / "task.md"
    path.parent.mkdir(parents=True)
    path.write_text(block("markdown", "{{description}}"))
    crew.script("reader", "cat >seen")
    agent = crew.spawn("dev", "reader", "--role", "tester")
    job = crew.until(crew.task(agent, "Test {{uuid}}"), "completed")
    seen = (crew.top / "seen").read_text()
    assert seen.startswith("You are dev. Your role: tester.\n\nTest {{uuid}}\n\nWhen it is done: ")
    assert f"task complete {job.uuid} --result" in seen
    path.write_text("{{descripton}}")
    refused = crew.tt("spawn", "other", "--cli", "reader")
    assert refused.code == 2
    assert "nothing is known by the name `{{descripton}}`" in refused.err
