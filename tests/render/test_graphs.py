"""Pictures of a plan: whatever is in its texts, nothing but a picture comes of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.test_network import EPIC, plan_of
from tt.core.convoys import epics
from tt.core.model import Plan
from tt.core.network import network
from tt.render.epics import epic_lines
from tt.render.graphs import graph_lines
from tt.render.graphs_dot import dot_lines
from tt.render.graphs_mermaid import mermaid_lines
from tt.render.graphs_svg import svg_lines
from tt.render.text import Look, safe

SVG = "{http://www.w3.org/2000/svg}"
NASTY = (
    '"', "\\", '\\"', "]", "[[", "end", "subgraph", "-->", "%%", "`", "#quot;", "&amp;", "<b>",
    "</text>", "<script>alert(1)</script>", "\n", "\r\n", "\x1b[31m", "\x00", "\u202e", "\ufffe",
    "\ud800", "]]>", "{", "|", ";", "\\N", "\\", "1. one", "- one", "__proto__", "javascript:x",
)  # fmt: skip
texts = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=20), st.lists(st.sampled_from(NASTY)).map("".join)
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    names = draw(st.lists(texts.filter(bool), min_size=1, max_size=8, unique=True))
    tasks = {
        name: {
            "description": draw(texts),
            "parent": draw(st.sampled_from([*names, ""])),
            "depends_on": draw(st.lists(st.sampled_from(names), max_size=3)),
            "agent": draw(st.one_of(st.just(""), texts)),
            "status": draw(st.sampled_from(["pending", "failed", "odd"])),
        }
        for name in names
    }
    bare = {
        name: {key: value for key, value in fields.items() if value or key == "description"}
        for name, fields in tasks.items()
    }
    return plan_of(bare, description=draw(texts))


@given(plans())
def test_an_svg_is_well_formed_has_no_script_and_leads_nowhere(plan: Plan) -> None:
    found = network(plan)
    root = ET.fromstring("\n".join(svg_lines(found)))
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds <= {"svg", "title", "style", "defs", "marker", "path", "rect", "g", "text"}
    for element in root.iter():
        assert not any(name.startswith("on") or "href" in name for name in element.attrib)
    shown = [element.text for element in root.iter(f"{SVG}text") if element.get("class") == "name"]
    assert len(shown) == len(found.groups) + len(found.tasks)
    assert len(root.findall(f".//{SVG}path[@class]")) == len(found.arrows())


LINE = re.compile(
    r"""flowchart\ LR
    | \ +subgraph\ g\d+\["[^"<>\[\]{}`\\]*"\]
    | \ +end
    | \ +n\d+\["(?:[^"<>\[\]{}`\\]|<br/>)*"\](?::::\w+)?
    | \ +[gn]\d+\ (?:-->|==>)\ [gn]\d+
    | \ +classDef\ \w+\ [\w:\#,\-]+""",
    re.VERBOSE,
)


@given(plans())
def test_no_text_breaks_mermaids_syntax(plan: Plan) -> None:
    found = network(plan)
    lines = mermaid_lines(found)
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert sum(line.strip() == "end" for line in lines) == len(found.groups)
    assert sum("-->" in line or "==>" in line for line in lines) == len(found.arrows())


def test_mermaids_source_stays_readable() -> None:
    tasks = {"sign-up": {"agent": "dev", "description": "- a_b www.x.y/z 1. @ home"}}
    (line,) = [one for one in mermaid_lines(network(plan_of(tasks))) if "n0[" in one]
    assert line.strip() == (
        'n0["sign-up<br/>#45; a#95;b www#46;x#46;y/z 1#46; #64; home<br/>pending @dev"]:::pending'
    )


def test_mermaid_gets_back_what_was_written() -> None:
    (line,) = [one for one in mermaid_lines(network(plan_of({'a"]': {}}))) if "n0[" in one]
    label = line.partition('"')[2].partition('"')[0]
    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label).startswith('a"]<br/>')


QUOTED = r'"(?:[^"\\\n]|\\.)*"'
DOT = re.compile(
    rf"""digraph\ plan\ {{
    | \ +(?:rankdir|node|edge)[^&]*;
    | \ +label={QUOTED};\ labelloc=t;
    | \ +subgraph\ cluster_g\d+\ {{
    | \ +label={QUOTED};\ labeljust=l;\ margin=12;
    | \ +g\d+\ \[shape=point,\ style=invis,\ label=""\];
    | \ +n\d+\ \[label={QUOTED}(?:,\ \w+=(?:"[\#\w,]+"|\w+))+\];
    | \ +[gn]\d+\ ->\ [gn]\d+(?:\ \[[\w=,\ ]+\])?;
    | \ *}}""",
    re.VERBOSE,
)


@given(plans())
def test_no_text_breaks_dots_syntax(plan: Plan) -> None:
    found = network(plan)
    lines = dot_lines(found)
    assert [line for line in lines if not DOT.fullmatch(line)] == []
    assert sum(line.strip() == "}" for line in lines) == len(found.groups) + 1
    assert sum(" -> " in line for line in lines if '"' not in line) == len(found.arrows())


@settings(max_examples=30, deadline=None)
@given(plans())
def test_dot_accepts_any_text_and_shows_it_as_it_is(plan: Plan) -> None:
    dot = shutil.which("dot")
    if dot is None:
        pytest.skip("there is no dot here")
    found = network(plan)
    text = "\n".join(dot_lines(found))
    done = subprocess.run(
        [dot, "-Tdot_json"], input=text.encode(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b""), text
    drawn = json.loads(done.stdout)
    objects = {one["name"]: one for one in drawn["objects"]}
    for number, (name, _) in enumerate(found.tasks.items()):
        label = objects[f"n{number}"]["label"]
        assert label.replace("\\\\", "\\").replace("&amp;", "&").startswith(safe(name))
    assert len(drawn.get("edges", [])) == len(found.arrows())


@given(plans())
def test_no_text_moves_a_cursor(plan: Plan) -> None:
    found = network(plan)
    for look in (Look(), Look(symbols=True, width=80, all=True)):
        lines = graph_lines(found, look) + epic_lines(epics(plan, {}), epics(plan, {}), look)
        assert all(safe(line) == line for line in lines)


def test_a_graph_reads_like_a_log() -> None:
    assert graph_lines(network(EPIC), Look(symbols=True)) == [
        "All of it",
        "○  spike   ○ pending    SPIKE  @ann",
        "↓",
        "○  design  ○ pending    DESIGN  @ann",
        "↓",
        "○  build   ○ pending    BUILD  @bob",
        "↓",
        "○  polish  ○ pending    POLISH  @bob",
        "↓",
        "▣  epic    ○ pending    EPIC  0/3 done",
        "↓",
        "○  ship    ○ pending    SHIP  @eve",
        "5 tasks, 5 levels, 1 group: 5 pending",
    ]


def test_tasks_that_wait_for_nothing_stand_beside_the_lane_of_their_group() -> None:
    plan = plan_of({
        "g": {}, "a": {"parent": "g"}, "b": {"parent": "g"}, "c": {"depends_on": ["a", "b"]},
    })  # fmt: skip
    assert graph_lines(network(plan), Look()) == [
        "o      a  pending    A",
        "+-.",
        "| | o  b  pending    B",
        "+-+-'",
        "o |    c  pending    C",
        "  #    g  pending    G  0/2 done",
        "3 tasks, 2 levels, 1 group: 3 pending",
    ]


def test_lanes_part_and_join_without_a_gap() -> None:
    plan = plan_of({
        "a": {}, "b": {}, "c": {"depends_on": ["a", "b"]}, "d": {"depends_on": ["a"]},
        "e": {"depends_on": ["c", "d"]},
    })  # fmt: skip
    lines = graph_lines(network(plan), Look(symbols=True))
    assert [line[:7].rstrip() for line in lines[:-1]] == [
        "○", "├─╮", "│ ○", "│ ↓", "├←│─○", "○ │", "╰─┤", "  ○",
    ]  # fmt: skip


def test_only_so_many_lines_are_shown_unless_all_are_asked_for() -> None:
    plan = plan_of({f"t{number}": {} for number in range(500)})
    short, full = (graph_lines(network(plan), Look(all=wanted)) for wanted in (False, True))
    assert (len(short), len(full)) == (402, 501)
    assert short[-2] == "… and 100 more; `tt -v graph` shows all."


def test_groups_are_listed_with_who_is_at_them() -> None:
    found = epics(EPIC, {})
    assert epic_lines(found, found, Look()) == [
        "epic  open    0/3 done  EPIC",
        "    waits for: spike",
        "1 group: 1 open",
    ]
