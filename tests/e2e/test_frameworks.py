"""The hooks through the real pre-commit framework and prek, in whole Git commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import PLAN
from tests.support.commands import Place
from tests.support.frameworks import Framework, Hooked
from tests.support.git_repos import git
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.slow

BAD = PLAN.replace('status = "pending"', 'status = "pendign"', 1)


def hooked(framework: Framework, top: Path, server: RedisServer, config: str) -> Hooked:
    """Make a repository with a committed plan, and install the hooks of a configuration."""
    place = Place.make(top, server, PLAN)
    (top / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    (top / "other.txt").write_text("1\n", encoding="utf-8")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "A plan")
    installed = framework.run(top, "install")
    assert installed.returncode == 0, installed.stdout
    return Hooked(framework, place)


@pytest.fixture
def repository(
    framework: Framework, tmp_path: Path, server: RedisServer, from_source: str
) -> Hooked:
    """A repository that takes the hooks from this project, as a hook source."""
    return hooked(framework, tmp_path / "here", server, from_source)


def test_a_bad_plan_stops_the_commit_and_is_told_with_its_place(repository: Hooked) -> None:
    repository.place.write(BAD)
    refused = repository.git("commit", "--all", "--message", "Bad")
    assert refused.returncode == 1
    assert "tasks.toml:8:10: unknown status `pendign`" in refused.stdout
    assert "did you mean `pending`?" in refused.stdout
    assert repository.show("log", "--format=%s") == "A plan"


def test_a_good_plan_is_committed(repository: Hooked) -> None:
    repository.place.write(PLAN.replace("Design it", "Design it well"))
    assert "the plan is valid" in repository.done("commit", "--all", "--message", "Good")
    assert "Design it well" in repository.show("show", "HEAD:tasks.toml")


def test_every_file_of_that_name_is_checked_unless_it_is_another_tools(repository: Hooked) -> None:
    top = repository.place.top
    for name, text in {"mine": PLAN, "theirs": '[scripts]\nbuild = "make"\n', "bad": BAD}.items():
        (top / name).mkdir()
        (top / name / "tasks.toml").write_text(text, encoding="utf-8")
    repository.show("add", "--all")
    refused = repository.git("commit", "--message", "Three plans")
    assert refused.returncode == 1
    assert "bad/tasks.toml:8:10:" in refused.stdout
    assert "1 problem in 1 file." in refused.stdout
    assert "theirs" not in refused.stdout
    repository.show("rm", "-q", "--cached", "bad/tasks.toml")
    repository.done("commit", "--message", "Two plans")


def test_what_is_staged_is_checked_and_not_what_is_left_unstaged(repository: Hooked) -> None:
    repository.place.write(PLAN.replace("Design it", "Design it well"))
    repository.show("add", "tasks.toml")
    repository.place.write(BAD)
    repository.done("commit", "--message", "Good")
    assert repository.place.file.read_text() == BAD


def test_a_commit_without_the_plan_checks_nothing(repository: Hooked) -> None:
    repository.place.write(BAD)
    (repository.place.top / "other.txt").write_text("2\n", encoding="utf-8")
    assert "Skipped" in repository.done("commit", "--message", "Other", "--", "other.txt")
