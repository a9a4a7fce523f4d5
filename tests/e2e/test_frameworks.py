"""The hooks through the real pre-commit framework and prek, in whole Git commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import PLAN
from tests.support.commands import Place, tasks_of, write_hash
from tests.support.frameworks import ROOT, Framework, Hooked, in_shell
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
    place.done("sync")
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


# tt-sync


def agent_completes(repository: Hooked, task: str, town: str = "here-main") -> None:
    """Write into Redis what an agent does when it is done."""
    raw = tasks_of(repository.place.server, town)[task]
    key = f"tt:{town}:task:{raw['id']}"
    write_hash(repository.place.server, key, state="completed")


def edit(repository: Hooked, old: str, new: str) -> None:
    """Edit the plan as a person does."""
    text = repository.place.file.read_text(encoding="utf-8")
    assert old in text
    repository.place.write(text.replace(old, new, 1))


def stage_other(repository: Hooked) -> None:
    (repository.place.top / "other.txt").write_text("2\n", encoding="utf-8")
    repository.show("add", "other.txt")


def test_what_agents_did_stops_the_commit_until_it_is_added(repository: Hooked) -> None:
    agent_completes(repository, "design")
    stage_other(repository)
    before = repository.place.everything()
    stopped = repository.git("commit", "--message", "Other")
    assert stopped.returncode == 1
    assert "files were modified by this hook" in stopped.stdout
    after = repository.place.everything()
    assert (after.keys, after.refs) == (before.keys, before.refs)
    assert repository.place.file.read_text() == PLAN.replace("pending", "completed", 1)
    assert repository.show("diff", "--cached", "--name-only") == "other.txt"
    repository.show("add", "tasks.toml")
    repository.done("commit", "--message", "Other, with the plan")
    assert 'status = "completed"' in repository.show("show", "HEAD:tasks.toml")
    assert repository.show("status", "--porcelain") == ""


def test_a_commit_with_nothing_new_in_redis_goes_through_at_once(repository: Hooked) -> None:
    stage_other(repository)
    assert "Failed" not in repository.done("commit", "--message", "Other")


def test_edits_elsewhere_in_the_plan_that_are_not_staged_stay(repository: Hooked) -> None:
    agent_completes(repository, "design")
    repository.place.write(repository.place.file.read_text() + "\n# mine\n")
    stage_other(repository)
    assert repository.git("commit", "--message", "Other").returncode == 1
    assert repository.place.file.read_text() == (
        PLAN.replace("pending", "completed", 1) + "\n# mine\n"
    )
    assert repository.show("diff", "--cached", "--name-only") == "other.txt"


def test_edits_in_the_same_place_that_are_not_staged_are_never_lost(repository: Hooked) -> None:
    agent_completes(repository, "design")
    edit(repository, 'status = "pending"', 'status = "pending"   # mine')
    mine = repository.place.file.read_text()
    stage_other(repository)
    assert repository.git("commit", "--message", "Other").returncode == 1
    assert repository.place.file.read_text() == mine
    assert repository.show("diff", "--cached", "--name-only") == "other.txt"
    repository.show("add", "tasks.toml")
    assert repository.git("commit", "--message", "Both").returncode == 1
    assert 'status = "completed"   # mine' in repository.place.file.read_text()
    repository.show("add", "tasks.toml")
    repository.done("commit", "--message", "Both")
    assert 'status = "completed"   # mine' in repository.show("show", "HEAD:tasks.toml")


def test_a_redis_that_is_down_does_not_stop_a_commit(repository: Hooked) -> None:
    stage_other(repository)
    down = {**repository.environment, "REDIS_URL": "redis://127.0.0.1:1"}
    ended = in_shell(repository.place.top, ["git", "commit", "--message", "Other"], down)
    assert ended.returncode == 0, ended.stdout


# tt-push


def description(repository: Hooked, task: str, town: str = "here-main") -> str:
    """Return what Redis says of a task."""
    return tasks_of(repository.place.server, town)[task]["description"]


def unhooked(repository: Hooked, *arguments: str) -> None:
    """Run Git without any hook."""
    repository.show("-c", "core.hooksPath=/dev/null", *arguments)


def test_a_commit_pushes_what_it_changed(repository: Hooked) -> None:
    edit(repository, "Design it", "Design it well")
    repository.done("commit", "--all", "--message", "Better")
    assert description(repository, "design") == "Design it well"


def test_a_merge_pushes_what_it_brought(repository: Hooked) -> None:
    unhooked(repository, "switch", "--quiet", "--create", "side")
    edit(repository, "Design it", "Design it well")
    unhooked(repository, "commit", "--quiet", "--all", "--message", "Better")
    unhooked(repository, "switch", "--quiet", "main")
    repository.done("merge", "--quiet", "--no-ff", "--message", "Merge", "side")
    assert description(repository, "design") == "Design it well"
    assert repository.show("status", "--porcelain") == ""


def on_side(repository: Hooked) -> None:
    """Give the branch `side` a town, and go back to `main`."""
    repository.done("switch", "--quiet", "--create", "side")
    repository.place.done("sync")
    repository.done("switch", "--quiet", "main")


def test_a_switch_pushes_what_the_branch_has_and_its_town_has_not(repository: Hooked) -> None:
    on_side(repository)
    unhooked(repository, "switch", "--quiet", "side")
    edit(repository, "Ship it", "Ship it soon")
    unhooked(repository, "commit", "--quiet", "--all", "--message", "Sooner")
    unhooked(repository, "switch", "--quiet", "main")
    repository.done("switch", "--quiet", "side")
    assert description(repository, "ship", "here-side") == "Ship it soon"
    assert description(repository, "ship") == "Ship it"


def test_the_end_of_a_rebase_pushes_what_it_brought(repository: Hooked) -> None:
    on_side(repository)
    edit(repository, "Design it", "Design it well")
    unhooked(repository, "commit", "--quiet", "--all", "--message", "Better")
    repository.done("switch", "--quiet", "side")
    stage_other(repository)
    unhooked(repository, "commit", "--quiet", "--message", "Other")
    repository.done("rebase", "--quiet", "main")
    assert description(repository, "design", "here-side") == "Design it well"
    assert repository.show("status", "--porcelain") == ""


# For those who have `tt` installed


def documented(title: str) -> str:
    """Return the configuration below a title of the page on frameworks."""
    page = (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8")
    section = page.partition(f"### {title}\n")[2]
    return section.partition("```yaml\n")[2].partition("```\n")[0]


def test_an_installed_tt_serves_as_a_hook_of_the_repositorys_own(
    framework: Framework, tmp_path: Path, server: RedisServer
) -> None:
    here = hooked(framework, tmp_path / "here", server, documented("With the `tt` that you have"))
    here.place.write(BAD)
    assert "tasks.toml:8:10:" in here.git("commit", "--all", "--message", "Bad").stdout
    here.place.write(PLAN)
    agent_completes(here, "design")
    edit(here, "Build it", "Build it fast")
    assert here.git("commit", "--all", "--message", "Faster").returncode == 1
    here.done("commit", "--all", "--message", "Faster")
    plan = here.show("show", "HEAD:tasks.toml")
    assert 'status = "completed"' in plan
    assert "Build it fast" in plan
    assert description(here, "build") == "Build it fast"


def test_both_recipes_are_the_hooks_that_there_are() -> None:
    yaml = pytest.importorskip("yaml")
    offered = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (source,) = yaml.safe_load(documented("From this repository"))["repos"]
    (local,) = yaml.safe_load(documented("With the `tt` that you have"))["repos"]
    assert [hook["id"] for hook in source["hooks"]] == [hook["id"] for hook in offered]
    for ours, theirs in zip(offered, local["hooks"], strict=True):
        assert theirs["language"] == "system"
        same = theirs.keys() - {"language"}
        assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}
