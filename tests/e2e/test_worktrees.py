"""Agents in Git worktrees of their own: one town, branches apart, and nothing lost at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Place, tasks_of
from tests.support.git_repos import git
from tests.support.redis_server import RedisServer, wait_until
from tests.support.stopping import stop_agents

PLAN = """\
[[tasks]]
id = "one"
description = "Do one"
agent = "dev"

[[tasks]]
id = "two"
description = "Do two"
agent = "ops"
"""
# What an agent does: it commits in the directory that it finds itself in, and asks for its plan.
SETTINGS = """\
[agent_clis.mine]
command = '''
echo work >"$TINYTOWN_AGENT_NAME.txt" && git add . && git commit -qm Work
$TT plan --json >"$OUT.$TINYTOWN_AGENT_NAME"
'''
"""


@pytest.fixture
def place(tmp_path: Path, server: RedisServer) -> Iterator[Place]:
    place = Place.make(tmp_path / "shop", server, PLAN)
    (place.top / "tinytown.toml").write_text(SETTINGS)
    git(place.top, "add", ".")
    git(place.top, "commit", "-qm", "Plan")
    yield place
    stop_agents(server)


def crew(place: Place, *names: str) -> dict[str, str]:
    """Start agents in worktrees of their own; return the environment that they got."""
    environment = {"TT": f"{sys.executable} -P -m tt", "OUT": str(place.top.parent / "out")}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    for name in names:
        ended = place.process("spawn", name, "--cli", "mine", "--worktree", **environment)
        assert ended.code == 0, ended
        assert f"Worktree: {place.top}-{name}" in ended.out
    return environment


def test_agents_work_apart_and_the_conductor_says_what_is_ready_to_merge(place: Place) -> None:
    environment = crew(place, "dev", "ops")
    place.done("sync", "push")
    ended = place.process("conductor", **environment)
    assert ended.code == 0, ended
    assert ended.out.splitlines()[-3:] == [
        "Branches of agents:",
        "    tt/dev is ready to merge (1 commit): `git merge tt/dev`",
        "    tt/ops is ready to merge (1 commit): `git merge tt/ops`",
    ]
    assert git(place.top, "status", "--porcelain", "--untracked-files=no") == ""
    assert (place.top.with_name("shop-dev") / "dev.txt").exists()
    assert not (place.top / "dev.txt").exists()


def test_in_its_worktree_an_agent_has_the_plan_and_the_town_that_it_works_for(place: Place) -> None:
    environment = crew(place, "dev")
    place.write(PLAN.replace("Do one", "Do one, uncommitted"))
    place.done("sync", "push")
    out = Path(environment["OUT"] + ".dev")
    assert place.process("assign", "dev", "one").code == 0
    wait_until(
        lambda: tasks_of(place.server, "shop-main")["one"]["state"] == "completed", "its end"
    )
    seen = json.loads(out.read_text())["data"]
    assert [task["description"] for task in seen["tasks"]] == ["Do one, uncommitted", "Do two"]
    assert [town["name"] for town in place.done("towns", "--json").data["towns"]] == ["shop-main"]


def test_the_branch_goes_on_being_that_of_an_agent_that_starts_again(place: Place) -> None:
    crew(place, "dev")
    assert place.process("stop").code == 0
    assert place.process("wait", "dev", "--timeout", "30").code == 0
    again = place.process("restart", "dev")
    assert f"Worktree: {place.top}-dev" in again.out
    assert place.process("stop").code == 0
    assert place.process("wait", "dev", "--timeout", "30").code == 0
    aside = place.process("restart", "dev", "--no-worktree", TT="x", OUT="x")
    assert (aside.code, "Worktree" in aside.out) == (0, False)


def test_a_worktree_is_not_removed_while_somebody_works_or_work_is_in_it(place: Place) -> None:
    crew(place, "dev")
    path = place.top.with_name("shop-dev")
    said = place.tt("worktree", "remove", "dev").complaint(1)
    assert "The agent dev is idle, and its worktree is where it works." in said
    assert place.process("stop").code == 0
    assert place.process("wait", "dev", "--timeout", "30").code == 0

    (path / "new.txt").write_text("new")
    said = place.tt("worktree", "remove", "dev").complaint(1)
    assert "has uncommitted work in it (1 file)." in said
    git(path, "add", ".")
    git(path, "commit", "-qm", "New")
    said = place.tt("worktree", "remove", "dev").complaint(1)
    assert "The branch tt/dev has 1 commit that is not merged." in said
    assert "`git merge tt/dev` brings it in" in said

    git(place.top, "merge", "-q", "tt/dev")
    assert place.done("worktree", "remove", "dev").out == f"Removed {path}, and its branch.\n"
    assert place.done("worktree", "list").out.startswith("No agent has a worktree")
    assert place.tt("worktree", "remove", "dev").complaint(1)


def test_an_agent_that_cannot_be_started_gets_no_worktree(place: Place) -> None:
    (place.top / "tinytown.toml").write_text('[agent_clis.none]\ncommand = "no-such-program"\n')
    ended = place.process("spawn", "dev", "--cli", "none", "--worktree")
    assert (ended.code, "no-such-program" in ended.err) == (1, True)
    assert not place.top.with_name("shop-dev").exists()


def test_worktrees_are_listed_with_how_they_stand(place: Place) -> None:
    place.done("worktree", "add", "dev")
    assert place.done("worktree", "add", "dev").out.startswith("There is already ")
    top = place.top
    assert place.done("worktree", "list").out == f"dev  tt/dev  has nothing new  {top}-dev\n"
    (data,) = place.done("worktree", "list", "--json").data["worktrees"]
    assert (data["agent"], data["ready"], data["merge"]) == ("dev", False, "nothing")


def test_a_name_that_is_none_makes_no_worktree(place: Place) -> None:
    assert place.tt("worktree", "add", "../out").code == 2
    assert place.tt("worktree", "add", "a..b").complaint(1)
    assert [path.name for path in place.top.parent.iterdir()] == ["shop"]


def test_without_git_there_is_nothing_to_work_apart_in(tmp_path: Path, server: RedisServer) -> None:
    (tmp_path / "bare").mkdir()
    place = Place(tmp_path / "bare", server)
    assert "There is no Git repository here" in place.tt("worktree", "list").complaint(1)
