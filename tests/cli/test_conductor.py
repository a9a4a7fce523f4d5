"""`tt ready` and `tt conductor` as a shell would call them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

TT = Callable[..., Ran]


@pytest.fixture
def pushed(project: Path, tt: TT) -> Path:
    """The plan of the project is in Redis: a group, of which one task is completed."""
    assert tt("sync", "push").code == 0
    return project


def test_what_can_be_begun_is_listed_with_whom_it_is_for(pushed: Path, tt: TT) -> None:
    ran = tt("ready")
    assert (ran.code, ran.lines) == (0, ["implement  Implement profile endpoints  @developer"])
    assert tt("ready", "--json").data == {
        "ready": [
            {
                "id": "implement",
                "description": "Implement profile endpoints",
                "agent": "developer",
            }
        ]
    }


def test_where_nothing_can_be_begun_it_is_said_who_says_why(pushed: Path, tt: TT) -> None:
    text = (pushed / "tasks.toml").read_text().replace("pending", "completed")
    (pushed / "tasks.toml").write_text(text)
    tt("sync", "push")
    assert tt("ready").lines == ["Nothing can be begun now; `tt conductor --dry-run` says why."]


def test_a_town_without_tasks_is_said_with_what_to_do(project: Path, tt: TT) -> None:
    for command in (["ready"], ["conductor"], ["conductor", "--dry-run"]):
        ran = tt(*command)
        assert ran.code == 1
        assert ran.err.splitlines() == [
            "tt: The town shop-main has no tasks.",
            "    `tt sync push` brings those of tasks.toml; `tt plan --init` begins one.",
        ]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(pushed: Path, tt: TT) -> None:
    more = '\n[[tasks]]\nid = "ship"\ndescription = "Ship"\ndepends_on = ["implement"]\n'
    with (pushed / "tasks.toml").open("a") as file:
        file.write(more)
    tt("sync", "push")
    before = tt("events", "--json").out
    ran = tt("conductor", "--dry-run", "--spawn")
    assert (ran.code, ran.lines) == (
        0,
        [
            "Now:",
            "    + developer is started",
            "Not yet:",
            "    implement waits for developer, who is started",
            "    ship waits for implement",
        ],
    )
    data = tt("conductor", "--dry-run", "--json").data
    assert (data["actions"], data["goes_on"]) == ([], False)
    assert [(wait["id"], wait["block"], wait["roots"]) for wait in data["waits"]] == [
        ("implement", "nobody", []),
        ("ship", "waits", ["implement"]),
    ]
    assert tt("events", "--json").out == before


def test_where_nothing_can_move_it_ends_with_one_and_a_safe_next_command(
    pushed: Path, tt: TT
) -> None:
    ran = tt("conductor")
    assert ran.code == 1
    assert ran.lines == [
        "✗ Nothing can move: 1 of 2 tasks completed.",
        "    implement is for developer, who is not there",
        "        `tt spawn developer --cli …` starts one.",
    ]


def test_a_plan_that_is_done_ends_with_zero_and_its_group_lands(pushed: Path, tt: TT) -> None:
    text = (pushed / "tasks.toml").read_text().replace("pending", "completed")
    (pushed / "tasks.toml").write_text(text)
    tt("sync", "push")
    ran = tt("conductor")
    assert ran.code == 0
    assert ran.lines[-1] == "✓ All is done: 2 tasks completed."
    tt("sync", "merge")
    epic = (pushed / "tasks.toml").read_text().partition("[[tasks]]")[2].partition("[[tasks]]")[0]
    assert 'status = "completed"' in epic


def test_without_git_a_commit_is_refused_and_the_conductor_says_so(
    tmp_path: Path, tt: TT, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tasks.toml").write_text('[[tasks]]\nid = "a"\ndescription = "A"\n')
    monkeypatch.chdir(tmp_path)
    text = (tmp_path / "tasks.toml").read_text()
    (tmp_path / "tasks.toml").write_text(text + 'status = "completed"\n')
    assert tt("sync", "push").code == 0
    ran = tt("conductor", "--commit")
    assert ran.code == 1
    assert "nothing is committed: There is no Git repository" in ran.out
    assert ran.lines[-1].startswith("! It is not committed: There is no Git repository")


def test_what_a_task_says_cannot_reach_the_terminal_as_code(pushed: Path, tt: TT) -> None:
    text = (pushed / "tasks.toml").read_text()
    evil = '"Do \\u001b[2J it"\nagent = "a\\u001b]0;x\\u0007b"'
    (pushed / "tasks.toml").write_text(text + f'\n[[tasks]]\nid = "evil"\ndescription = {evil}\n')
    tt("sync", "push")
    for command in (["ready"], ["conductor", "--dry-run"], ["conductor"]):
        out = tt(*command).out
        assert "evil" in out
        assert "\x1b" not in out
        assert "\x07" not in out


def test_its_log_has_what_it_said(pushed: Path, tt: TT) -> None:
    tt("conductor")
    git_dir = subprocess.run(
        ["git", "rev-parse", "--git-dir"], check=True, capture_output=True, text=True
    ).stdout.strip()
    log = (Path(git_dir) / "tt" / "conductor.log").read_text()
    assert "✗ Nothing can move: 1 of 2 tasks completed." in log


@pytest.mark.parametrize(
    "options",
    [
        ["--once", "--dry-run"],
        ["--cli", "claude", "--once"],
        ["--cli", "claude", "--max-parallel", "2"],
        ["--max-parallel", "-1"],
    ],
)
def test_options_that_mean_nothing_together_are_wrong_usage(
    pushed: Path, tt: TT, options: list[str]
) -> None:
    assert tt("conductor", *options).code == 2


def test_an_ai_conducts_with_all_that_ours_goes_by(pushed: Path, tt: TT) -> None:
    (pushed / "tinytown.toml").write_text(
        '[agent_clis.copy]\ncommand = "cat > page.md; echo $TINYTOWN_AGENT_NAME; env > env.txt"\n'
    )
    ran = tt("conductor", "--cli", "copy")
    assert (ran.code, ran.out) == (0, "conductor\n")
    page = (pushed / "page.md").read_text()
    assert page.startswith("# You conduct the town `shop-main`\n")
    assert '- `implement` pending, for developer, below epic: "Implement profile endpoints"' in page
    assert "- implement is for developer, who is not there" in page
    assert "conductor --once`" in page
    assert "TT_NAME=shop-main" in (pushed / "env.txt").read_text()


def test_an_ai_that_fails_or_is_not_there_is_a_failure(pushed: Path, tt: TT) -> None:
    (pushed / "tinytown.toml").write_text(
        '[agent_clis.bad]\ncommand = "exit 3"\n[agent_clis.gone]\ncommand = "no-such-program-1"\n'
    )
    assert tt("conductor", "--cli", "bad").code == 1
    ran = tt("conductor", "--cli", "gone")
    assert ran.code == 1
    assert "no-such-program-1" in ran.err
    assert tt("conductor", "--cli", "nobody-knows").code == 2
