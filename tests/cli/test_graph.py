"""`tt graph` and `tt epics` from the file; both need no Redis."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Run = Callable[..., Ran]


@pytest.mark.usefixtures("project")
def test_a_graph_is_text_unless_something_else_is_asked_for(tt: Run) -> None:
    assert tt("graph").lines[1].startswith(".<*  design")
    assert tt("graph", "--format", "mermaid").lines[0] == "flowchart LR"
    assert tt("graph", "--format", "dot").lines[0] == "digraph plan {"
    assert tt("graph", "--format", "svg").lines[0].startswith("<svg ")


@pytest.mark.usefixtures("project")
def test_a_filter_chooses_what_is_drawn(tt: Run) -> None:
    ran = tt("graph", "-status:completed", "id:implement")
    assert [line.split()[1:2] for line in ran.lines[1:-1]] == [["implement"], [], ["epic"]]
    assert ran.lines[-1] == "1 task, 1 level, 1 group: 1 pending; 1 more in the plan"


def test_a_picture_is_written_whole_and_nothing_is_printed(tt: Run, project: Path) -> None:
    ran = tt("graph", "--format", "svg", "-o", "plan.svg")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert (project / "plan.svg").read_text().endswith("</svg>\n")


def test_a_picture_goes_where_a_link_leads(tt: Run, project: Path) -> None:
    (project / "link.txt").symlink_to("real.txt")
    assert tt("graph", "-o", "link.txt").code == 0
    assert (project / "link.txt").is_symlink()
    assert "●  design" in (project / "real.txt").read_text()


@pytest.mark.usefixtures("project")
def test_a_place_that_cannot_be_written_is_named(tt: Run) -> None:
    ran = tt("graph", "-o", "none/plan.txt")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "tt: none/plan.txt cannot be written: No such file or directory.\n"


@pytest.mark.usefixtures("project")
def test_programs_get_nodes_and_edges(tt: Run) -> None:
    data = tt("graph", "--json").data
    assert [(task["id"], task["group"]) for task in data["tasks"]] == [
        ("design", "epic"), ("implement", "epic"),
    ]  # fmt: skip
    assert (data["edges"], data["progress"]["epic"]["done"]) == ([], 1)
    assert tt("graph", "--json", "--format", "dot").code == 2


def test_too_many_arrows_for_mermaid_are_told(tt: Run, project: Path) -> None:
    tasks = ['[[tasks]]\nid = "a"\ndescription = "A"\n']
    tasks += [
        f'[[tasks]]\nid = "t{number}"\ndescription = "T"\ndepends_on = ["a"]\n'
        for number in range(501)
    ]
    (project / "tasks.toml").write_text("\n".join(tasks))
    assert (
        "no more than 500 arrows by default, and these are 501"
        in tt("graph", "--format", "mermaid").err
    )


def test_groups_that_are_closed_are_listed_when_asked_for(tt: Run, project: Path) -> None:
    assert tt("epics").lines[0].startswith("epic  open    1/2 done")
    file = project / "tasks.toml"
    file.write_text(
        file.read_text()
        .replace('status = "pending"', 'status = "completed"')
        .replace('tags = ["epic"]', 'tags = ["epic"]\nstatus = "completed"')
    )
    assert tt("epics").lines == ["1 group: 1 closed; --all lists the closed ones"]
    assert tt("epics", "--all").lines[0].startswith("epic  closed (completed)  2/2 done")
    (epic,) = tt("epics", "--all", "--json").data["epics"]
    assert (epic["state"], epic["done"], epic["total"]) == ("closed", 2, 2)


@pytest.mark.usefixtures("project")
def test_a_group_says_what_can_be_begun(tt: Run) -> None:
    assert tt("epics").lines[1] == "    ready: implement"
