"""`tt plan`, `tt prime`, `tt schema` and `tt check`: what works without Redis."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Tt = Callable[..., Ran]
pytestmark = pytest.mark.usefixtures("project")


def test_the_plan_is_a_tree(tt: Tt) -> None:
    ran = tt("plan")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines == [
        "User Profile Feature Pipeline",
        "epic         pending    Implement user profile feature  1/2 done #epic",
        "  design     completed  Design profile API schema  @architect",
        "  implement  pending    Implement profile endpoints  @developer #backend",
        "3 tasks: 2 pending, 1 completed",
    ]


def test_a_filter_that_begins_with_a_minus_is_no_option(tt: Tt) -> None:
    ran = tt("plan", "-status:completed", "-tag:epic", "--json")
    assert [task["id"] for task in ran.data["tasks"]] == ["implement"]


def test_a_bad_filter_is_wrong_usage(tt: Tt) -> None:
    ran = tt("plan", "stat:x")
    assert (ran.code, ran.out) == (2, "")
    assert "Did you mean `status:`?" in ran.err
    assert tt("plan", "--jsn").code == 2


def test_a_listing_for_programs_has_the_tasks_that_were_asked_for(tt: Tt) -> None:
    data = tt("plan", "--json", "tag:backend").data
    assert data["file"] == "tasks.toml"
    assert data["tasks"] == [
        {
            "id": "implement",
            "description": "Implement profile endpoints",
            "agent": "developer",
            "status": "pending",
            "parent": "epic",
            "tags": ["backend"],
        }
    ]
    assert data["groups"]["epic"] == {
        "done": 1,
        "total": 2,
        "by_status": {"completed": 1, "pending": 1},
    }


def test_from_below_the_plan_is_called_by_the_path_to_it(
    tt: Tt, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "sub").mkdir()
    monkeypatch.chdir(project / "sub")
    assert tt("plan", "--json").data["file"] == "../tasks.toml"


def test_another_directory_can_be_named(
    tt: Tt, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tt("-t", "shop", "plan", "--json").data["file"] == "shop/tasks.toml"
    missing = tt("--town", "nowhere", "plan")
    assert (missing.code, missing.err) == (2, "tt: There is no directory `nowhere`.\n")


def test_without_a_plan_the_next_step_is_named(tt: Tt, project: Path) -> None:
    (project / "tasks.toml").unlink()
    for command in ("plan", "check"):
        ran = tt(command)
        assert ran.code != 0
        assert "tt plan --init" in ran.err
    assert "tt plan --init" in tt("prime").out


def test_a_plan_is_begun_once(tt: Tt, project: Path) -> None:
    (project / "tasks.toml").unlink()
    ran = tt("plan", "--init")
    assert ran.code == 0
    assert (project / "tasks.toml").read_text().startswith("#:schema ./tasks.schema.json")
    schema = json.loads((project / "tasks.schema.json").read_text())
    assert schema == json.loads(tt("schema").out)
    assert tt("check").code == 0
    again = tt("plan", "--init")
    assert again.code == 1
    assert "already" in again.err


def test_prime_tells_an_agent_the_state_and_the_commands(tt: Tt) -> None:
    page = tt("prime").out
    assert "3 tasks: 2 pending, 1 completed." in page
    assert "- epic: 1/2 done" in page
    assert "Agents named: architect, developer." in page


def test_prime_names_only_commands_and_options_that_exist(tt: Tt) -> None:
    from tt.cli.table import COMMANDS

    page = tt("prime").out
    named = {line.split()[1] for line in page.splitlines() if line.startswith("    tt ")}
    assert named
    assert named <= set(COMMANDS)


def test_a_valid_plan_passes_the_check(tt: Tt) -> None:
    ran = tt("check")
    assert (ran.code, ran.out) == (0, "3 tasks, nothing wrong.\n")


def test_every_fault_is_told_with_its_place(tt: Tt, project: Path) -> None:
    (project / "bad.toml").write_text(
        '[[tasks]]\nid = "a"\ndescription = "x"\nstatus = "runing"\nparent = "b"\n'
    )
    ran = tt("check", "bad.toml", "tasks.toml")
    assert ran.code == 5
    assert ran.lines[0].startswith("bad.toml:4:")
    assert "did you mean `running`?" in ran.lines[0]
    assert ran.lines[1].startswith("bad.toml:5:")
    assert ran.lines[-1] == "2 problems in 1 file."


def test_faults_are_there_for_programs(tt: Tt, project: Path) -> None:
    (project / "bad.toml").write_text('[[tasks]]\nid = "a"\ndescription = 1\n')
    ran = tt("check", "--json", "bad.toml")
    assert ran.code == 5
    (problem,) = ran.data["problems"]
    assert (problem["file"], problem["line"], problem["code"]) == ("bad.toml", 3, "type")


@pytest.mark.parametrize("content", ["", "a = \n", "[scripts]\nx = 1\n", "<<<<<<< HEAD\n"])
def test_a_file_that_is_no_plan_is_told_so(tt: Tt, project: Path, content: str) -> None:
    (project / "tasks.toml").write_text(content)
    ran = tt("check")
    assert ran.code == 5
    assert ran.lines[0].startswith("tasks.toml:")
    for command in (("plan",), ("sync",), ("prime",)):
        other = tt(*command)
        assert (other.code, other.out) == (5, "")
        assert other.err.startswith("tt: tasks.toml")


def test_an_invalid_plan_is_an_envelope_with_its_problems(tt: Tt, project: Path) -> None:
    (project / "tasks.toml").write_text('[[tasks]]\nid = "a"\ndescription = 1\n')
    ran = tt("plan", "--json")
    assert ran.code == 5
    assert ran.json["error"]["exit_code"] == 5
    assert ran.json["error"]["problems"][0]["line"] == 3
    assert ran.err.startswith("tt: tasks.toml")


def test_other_tools_files_are_passed_over_only_where_that_is_asked(tt: Tt, project: Path) -> None:
    theirs = project / "site" / "tasks.toml"
    theirs.parent.mkdir()
    theirs.write_text("[scripts]\nx = 1\n")
    assert tt("check", "site/tasks.toml").code == 5
    ran = tt("check", "--plans-only", "site/tasks.toml", "tasks.toml")
    assert (ran.code, ran.out) == (0, "3 tasks, nothing wrong.\n")
    theirs.write_text("[scripts\n")
    assert tt("check", "--plans-only", "site/tasks.toml").code == 5


def test_a_file_that_is_named_is_checked_without_git_and_settings(
    tt: Tt, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "tinytown.toml").write_text("broken")
    monkeypatch.setenv("PATH", str(project))
    assert tt("check", "tasks.toml").code == 0
    assert tt("check").code == 1


def test_the_projects_own_plan_is_never_passed_over(tt: Tt, project: Path) -> None:
    (project / "tasks.toml").write_text('[[task]]\nid = "a"\ndescription = "x"\n')
    assert tt("check", "--plans-only", "tasks.toml").code == 5
    assert tt("check", "--plans-only", str(project / "tasks.toml")).code == 5
    (project / "tinytown.toml").write_text('[sync]\nfile = "plan/tasks.toml"\n')
    assert tt("check", "--plans-only", "tasks.toml").code == 0


def test_a_directory_is_no_file_to_check(tt: Tt, project: Path) -> None:
    ran = tt("check", ".")
    assert ran.code == 1
    assert "cannot be read" in ran.err


def test_no_control_character_of_a_plan_reaches_the_terminal(tt: Tt, project: Path) -> None:
    (project / "tasks.toml").write_text(
        '[[tasks]]\nid = "a"\ndescription = "x\\u001b[2Jy\\u202ez"\nagent = "\\u0007"\n'
    )
    for command in (["plan"], ["prime"], ["sync"], ["status"]):
        assert all(line.isprintable() for line in tt(*command).out.splitlines())
