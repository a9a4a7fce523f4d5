"""Reports as lines: calm, scannable, and never a control character."""

from __future__ import annotations

import json

from tt.core.answers import PlanView
from tt.core.diff import Added, Change, Edited, Removed
from tt.core.groups import groups, tree
from tt.core.model import META_ID, Plan, Task
from tt.core.report import (
    Conflict,
    Direction,
    Duplicate,
    Fault,
    Kept,
    StatusReport,
    SyncRecord,
    SyncReport,
    UndoReport,
)
from tt.core.values import ABSENT, Literal
from tt.errors import Located, PlanError
from tt.record import replace
from tt.render.changes import change_lines, tally
from tt.render.conflicts import conflict_lines, resolve_command
from tt.render.history import history_lines, undo_lines
from tt.render.jsonout import envelope, error_envelope
from tt.render.problems import problem_lines
from tt.render.status import status_lines
from tt.render.syncreport import sync_lines
from tt.render.text import Look
from tt.render.tree import plan_lines

PLAIN = Look()
TERMINAL = Look(color=True, symbols=True, width=60)
EVIL = "x\x1b]0;owned\x07\u202e"


def task(name: str, **fields: object) -> Task:
    values = {"description": f"Do {name}", "status": "pending", **fields}
    return Task(name, values)  # type: ignore[arg-type]


def status_of(name: str, old: str, new: str) -> Edited:
    return Edited(name, "status", old, new)


IN_STEP = SyncReport(Direction.PUSH, "town", "tasks.toml", 5)


def test_the_first_lines_are_those_of_tinytowns_documentation() -> None:
    assert sync_lines(IN_STEP, PLAIN) == ["⬆️  Pushed 5 tasks from tasks.toml to Redis"]
    pulled = replace(IN_STEP, direction=Direction.PULL)
    assert sync_lines(pulled, TERMINAL) == ["⬇️  Pulled 5 tasks from Redis to tasks.toml"]
    merged = replace(IN_STEP, direction=Direction.MERGE)
    assert sync_lines(merged, PLAIN) == ["🔄  Merged 5 tasks of tasks.toml and Redis"]


def test_the_number_of_tasks_stays_a_bare_number_for_scripts() -> None:
    assert "Pushed 10000 tasks" in sync_lines(replace(IN_STEP, in_step=10_000), PLAIN)[0]
    assert "Pushed 1 tasks" in sync_lines(replace(IN_STEP, in_step=1), PLAIN)[0]


def test_a_dry_run_says_that_it_is_one() -> None:
    assert sync_lines(replace(IN_STEP, dry_run=True), PLAIN)[0].startswith("⬆️  Would push 5")


def test_each_task_that_changes_is_one_line() -> None:
    changes: tuple[Change, ...] = (
        Added(task("new")),
        status_of("implement", "pending", "completed"),
        Edited("implement", "agent", ABSENT, "dev"),
        Removed(task("gone")),
        Edited(META_ID, "description", "a b", "c d"),
    )
    assert change_lines(changes, PLAIN) == [
        "  + new        Do new",
        "  ~ implement  status: pending → completed, agent: none → dev",
        "  - gone       Do gone",
        '  ~ [meta]     description: "a b" → "c d"',
    ]
    assert tally(changes) == "1 added, 2 changed, 1 removed"


def test_lists_tell_what_came_and_went() -> None:
    edit = Edited("t", "tags", ["a", "b"], ["b", "c"])
    assert change_lines([edit], PLAIN) == ["  ~ t  tags: +c -a"]
    reordered = Edited("t", "tags", ["a", "b"], ["b", "a"])
    assert change_lines([reordered], PLAIN) == ["  ~ t  tags: [a, b] → [b, a]"]


def test_many_changes_are_counted_after_the_first_twenty() -> None:
    changes = [Added(task(f"t{number}")) for number in range(60)]
    report = replace(IN_STEP, to_store=tuple(changes))
    lines = sync_lines(report, PLAIN)
    assert len(lines) == 22
    assert lines[-1] == "  … and 40 more (tt sync log)"
    assert len(sync_lines(report, Look(all=True))) == 61


def test_a_merge_tells_the_sides_apart() -> None:
    report = replace(
        IN_STEP,
        direction=Direction.MERGE,
        to_store=(Added(task("a")),),
        to_file=(status_of("b", "pending", "failed"),),
    )
    assert sync_lines(report, PLAIN)[1:] == [
        "  tasks.toml → Redis: 1 added",
        "  + a  Do a",
        "  Redis → tasks.toml: 1 changed",
        "  ~ b  status: pending → failed",
    ]


def test_what_the_direction_left_out_is_told_with_the_command_that_brings_it() -> None:
    waiting = tuple(status_of(f"t{n}", "pending", "failed") for n in range(7))
    lines = sync_lines(replace(IN_STEP, waiting_file=waiting), PLAIN)
    assert (
        lines[1] == "  Redis has what tasks.toml has not: 7 changed; `tt sync pull` brings it over"
    )
    assert lines[-1] == "    … and 2 more"


def test_what_was_seen_on_the_way_is_told() -> None:
    report = replace(
        IN_STEP,
        kept=(Kept("lint", "pending", "completed"),),
        faults=(Fault("tt:town:task:1", "not UTF-8"),),
        duplicates=(Duplicate("a", "k1", "pending", "k0"), Duplicate("a", "k2", "pending", "k0")),
        named=("write-docs-ab12cd",),
        notes=("a note",),
    )
    assert sync_lines(report, PLAIN)[1:] == [
        (
            "  kept completed for lint: tasks.toml went back to pending without an edit"
            " (tt reopen lint says it on purpose)"
        ),
        "  set aside tt:town:task:1: not UTF-8",
        "  Redis has 2 more copies of 1 task; the furthest along counts (tt dedupe)",
        "  ids made for 1 task: write-docs-ab12cd",
        "  a note",
    ]


CONFLICTS = (
    Conflict("impl", "description", "old", "from file", "from redis"),
    Conflict("impl", "agent", ABSENT, "a", ABSENT),
    Conflict("gone", None, "Do it", ABSENT, "Do it again"),
    Conflict("loop", "parent", "a", "b", "c", "these tasks wait for each other: `a` → `b`"),
)


def test_conflicts_show_both_values_and_the_commands_that_decide() -> None:
    assert conflict_lines(CONFLICTS, "tasks.toml", PLAIN) == [
        "4 conflicts: both sides stay as they are until you decide",
        "  impl",
        '    description  tasks.toml  "from file"',
        '    description  Redis       "from redis"',
        "    agent  tasks.toml  a",
        "    agent  Redis       none",
        "    keep one:  tt resolve impl --file  or  tt resolve impl --store",
        "  gone",
        "    tasks.toml  (removed)",
        '    Redis       "Do it again"',
        "    keep one:  tt resolve gone --file  or  tt resolve gone --store",
        "  loop",
        "    these tasks wait for each other: `a` → `b`",
        "    parent  tasks.toml  b",
        "    parent  Redis       c",
        "    keep one:  tt resolve loop --file  or  tt resolve loop --store",
    ]


def test_commands_can_be_pasted_whatever_the_id() -> None:
    assert resolve_command(META_ID, "file") == "tt resolve '[meta]' --file"
    assert resolve_command("-x", "store") == "tt resolve --store -- -x"
    assert resolve_command("a/b.c_d", "file") == "tt resolve a/b.c_d --file"


def test_the_tree_is_plain_in_a_pipe_and_drawn_on_a_terminal() -> None:
    tasks = {
        "epic": task("epic", tags=["epic"]),
        "a": task("a", parent="epic", agent="dev", status="completed"),
        "b": task("b", parent="epic", status="failed", depends_on=["a"]),
    }
    plan = Plan({"description": "The plan", "default_agent": "any"}, tasks)
    view = PlanView("tasks.toml", plan, tree(plan), list(tasks.values()), groups(plan))
    assert plan_lines(view, PLAIN) == [
        "The plan",
        "epic  pending    Do epic  1/2 done, 1 failed #epic",
        "  a   completed  Do a  @dev",
        "  b   failed     Do b  @any after a",
        "3 tasks: 1 pending, 1 completed, 1 failed",
    ]
    drawn = plan_lines(view, Look(symbols=True, width=100))
    assert drawn[2].startswith("├─ a  ● completed")
    assert drawn[3].startswith("└─ b  ✗ failed")


def test_a_problem_is_told_as_a_compiler_tells_it() -> None:
    problem = Located(2, 11, "status", "unknown status `runing`", "did you mean `running`?")
    source = b'[[tasks]]\nstatus =\t"runing"\n'
    line = "tasks.toml:2:11: unknown status `runing`; did you mean `running`?"
    assert problem_lines("tasks.toml", source, [problem], PLAIN) == [line]
    shown = problem_lines("tasks.toml", source, [problem], Look(symbols=True, width=80))
    assert shown == [line, '    2 | status = "runing"', "        " + " " * 10 + "^"]


RECORD = SyncRecord(
    "1f3a", "2026-01-31T12:00:05.123456789+00:00", "merge", (Added(task("a")),), (), 2, 7
)


def test_history_names_each_sync_and_what_it_changed() -> None:
    assert history_lines([RECORD], PLAIN) == [
        "1f3a  2026-01-31 12:00:05 UTC  merge, 2 conflicts",
        "  to Redis: 1 added",
        "    + a  Do a",
        "    … and 7 more changes",
    ]
    assert history_lines([], PLAIN) == ["No sync has changed anything here yet."]


def test_an_undo_tells_what_it_did_or_what_is_in_its_way() -> None:
    change = status_of("a", "completed", "pending")
    both = UndoReport(RECORD, (change,), (change,))
    assert undo_lines(both, PLAIN)[1:] == [
        "  on both sides: 1 changed",
        "  ~ a  status: completed → pending",
    ]
    blocked = UndoReport(RECORD, blocked=(change,))
    assert "was not taken back" in undo_lines(blocked, PLAIN)[0]
    assert "already" in undo_lines(UndoReport(RECORD), PLAIN)[0]


STATUS = StatusReport(
    "shop-main", "main", "tasks.toml", "unix:///s", Plan({}, {"a": task("a")}), in_step=1
)


def test_status_is_short_when_all_is_well() -> None:
    assert status_lines(STATUS, {}, PLAIN) == [
        "Town   shop-main (branch main)",
        "Plan   tasks.toml",
        "Redis  unix:///s",
        "",
        "1 task: 1 pending",
        "",
        "In step: 1 task on both sides.",
    ]


def test_status_tells_the_drift_both_ways() -> None:
    report = replace(STATUS, to_store=(Added(task("a")),), to_file=(Removed(task("b")),))
    assert status_lines(report, {}, PLAIN)[6:] == [
        "tasks.toml has what Redis has not (tt sync): 1 added",
        "  + a  Do a",
        "Redis has what tasks.toml has not (tt sync merge): 1 removed",
        "  - b  Do b",
    ]


def test_status_without_redis_says_why_and_nothing_of_a_drift() -> None:
    report = replace(STATUS, store_error="Redis at unix:///s does not answer.")
    lines = status_lines(report, {}, PLAIN)
    assert lines[-1] == "Redis at unix:///s does not answer."
    assert not any("In step" in line for line in lines)


def test_no_report_lets_a_control_character_through() -> None:
    changes: tuple[Change, ...] = (
        Added(Task(EVIL, {"description": EVIL, "status": EVIL, "tags": [EVIL]})),
        Edited(EVIL + "2", EVIL, EVIL, [EVIL]),
        Edited(EVIL + "3", "tags", [EVIL], ["b"]),
    )
    conflict = Conflict(EVIL, EVIL, EVIL, EVIL, EVIL, EVIL)
    report = SyncReport(
        Direction.MERGE, EVIL, EVIL, 1, changes, changes, changes, changes, (conflict,),
        (Kept(EVIL, EVIL, EVIL),), (Fault(EVIL, EVIL),), (Duplicate(EVIL, EVIL, EVIL, EVIL),),
        (EVIL,), (EVIL,),
    )  # fmt: skip
    record = SyncRecord(EVIL, EVIL, EVIL, changes, changes)
    fields = {"description": EVIL, "status": "pending", "agent": EVIL, "tags": [EVIL]}
    plan = Plan({"description": EVIL}, {EVIL: Task(EVIL, fields)})
    status = StatusReport(EVIL, EVIL, EVIL, EVIL, plan, to_store=changes, last=record)
    view = PlanView(EVIL, plan, tree(plan), list(plan.tasks.values()), {})
    problem = Located(1, 1, "c", EVIL, EVIL)
    lines = [
        *sync_lines(report, PLAIN),
        *history_lines([record], PLAIN),
        *undo_lines(UndoReport(record, changes, ()), PLAIN),
        *undo_lines(UndoReport(record, blocked=changes), PLAIN),
        *status_lines(status, groups(plan), PLAIN),
        *status_lines(replace(status, store_error=EVIL), {}, PLAIN),
        *plan_lines(view, PLAIN),
        *problem_lines(EVIL, EVIL.encode(), [problem], Look(symbols=True)),
    ]
    bad = [line for line in lines if not line.isprintable()]
    assert bad == []
    assert envelope(report).isascii()


def test_json_has_one_versioned_envelope() -> None:
    changes = (Added(task("a", owner=Literal("true"))), Edited("b", "agent", ABSENT, "x"))
    report = replace(IN_STEP, to_store=changes, conflicts=CONFLICTS[:1])
    document = json.loads(envelope(report))
    assert document["schema_version"] == 1
    data = document["data"]
    assert data["direction"] == "push"
    assert data["to_store"] == [
        {
            "change": "added",
            "id": "a",
            "task": {"id": "a", "description": "Do a", "status": "pending", "owner": True},
        },
        {"change": "edited", "id": "b", "field": "agent", "old": None, "new": "x"},
    ]
    assert data["conflicts"][0]["store"] == "from redis"


def test_a_failure_is_an_envelope_too_with_the_problems_of_a_plan() -> None:
    error = PlanError("bad", "fix it", [Located(3, 1, "cycle", "around")])
    text = error_envelope(error, 5)
    assert "\n" not in text  # it may be the last line of a stream
    document = json.loads(text)
    assert document == {
        "schema_version": 1,
        "error": {
            "message": "bad",
            "hint": "fix it",
            "exit_code": 5,
            "problems": [
                {"line": 3, "column": 1, "code": "cycle", "message": "around", "hint": None}
            ],
        },
    }
