"""What a watcher says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tt.core.diff import Added, Change, Edited
from tt.core.model import META_ID, Task
from tt.core.report import Conflict, Direction, Fault, Kept, SyncReport
from tt.core.values import ABSENT
from tt.core.watching import Event, News
from tt.render.text import Look, columns
from tt.render.watchlines import news_json, news_lines, short_names

PLAIN = Look()
DONE = Edited("lint", "status", "running", "completed")
GIVEN = Edited("docs", "agent", ABSENT, "writer")


LONG = Edited("lint", "description", "x" * 50, "y" * 50)


def report(**more: Any) -> SyncReport:
    return SyncReport(direction=Direction.MERGE, town="t", file="tasks.toml", in_step=5, **more)


def lines(*, to_store: tuple[Change, ...] = (), where: str = "", **more: Any) -> list[str]:
    said = report(to_store=to_store, **more)
    return news_lines(News(Event.SYNCED, "tasks.toml", where, report=said), PLAIN)


def test_a_sync_says_which_way_what_went() -> None:
    assert lines(to_store=(GIVEN,), to_file=(DONE,)) == [
        "⬆️  docs agent: none → writer  ⬇️  lint completed"
    ]


def test_many_changes_are_named_and_counted() -> None:
    added = tuple(Added(Task(f"t{number}", {"description": "x"})) for number in range(9))
    assert lines(to_store=added) == ["⬆️  t0 added, t1 added, t2 added, t3 added and 5 more"]


def test_a_sync_without_changes_says_that_all_is_in_step_and_where() -> None:
    assert lines(where="the town t") == ["✓ 5 tasks in step with Redis (the town t)"]


def test_what_a_sync_left_has_lines_of_its_own() -> None:
    told = lines(
        to_store=(GIVEN,),
        conflicts=(Conflict("lint", "agent"),),
        kept=(Kept("docs", "pending", "completed"),),
        faults=(Fault("tt:t:task:x", "it is not a hash"),),
    )
    assert told[1].strip().startswith("1 conflict")
    assert "tt reopen docs" in told[2]
    assert "it is not a hash" in told[3]


def test_a_conflict_alone_is_said_first_and_nothing_is_called_in_step() -> None:
    (told,) = lines(conflicts=(Conflict("lint", "agent"),))
    assert told.startswith("! 1 conflict between tasks.toml and Redis: lint (agent)")
    first, second = lines(conflicts=(Conflict("lint", "agent"),), where="the town t")
    assert first == "✓ 5 tasks in step with Redis (the town t)"
    assert second.startswith("    1 conflict")


def test_much_that_is_left_or_wrong_takes_a_few_lines() -> None:
    told = lines(kept=tuple(Kept(f"t{number}", "pending", "completed") for number in range(50)))
    assert len(told) == 5
    assert told[-1] == "    and 46 more"
    faults = "\n".join(f"tasks.toml:{number}:1: it is wrong" for number in range(50))
    told = news_lines(News(Event.INVALID, "tasks.toml", faults, "Look."), PLAIN)
    assert len(told) == 7
    assert told[5:] == ["    and 45 more; `tt check` shows them", "    Look."]


@pytest.mark.parametrize("used", [0, 10, 25])
def test_no_line_is_broken_by_the_terminal(used: int) -> None:
    words = "one two three four five " * 20
    look = Look(width=60)
    told = news_lines(News(Event.INVALID, "tasks.toml", f"{words}\n{words}", words), look, used)
    assert max(map(columns, told)) <= 60 - used
    assert " ".join(" ".join(told).split()) == f"✗ {words}{words}{words}".strip()
    assert sum(not line.startswith(" ") for line in told) == 1
    (told[0],) = news_lines(
        News(Event.SYNCED, "tasks.toml", report=report(to_store=(LONG,))), look, used
    )
    assert columns(told[0]) <= 60 - used
    assert told[0].endswith("…")


def test_what_is_known_to_do_is_not_said_again() -> None:
    news = News(Event.OFFLINE, "tasks.toml", "It is away.", "Start it.")
    assert news_lines(news, PLAIN, hint=False) == news_lines(news, PLAIN)[:1]


def test_directories_are_told_from_each_other_in_few_words() -> None:
    assert short_names(["/a/shop", "/b/shop", "/c/site", "/"]) == {
        "/a/shop": "a/shop", "/b/shop": "b/shop", "/c/site": "site", "/": "",
    }  # fmt: skip
    assert short_names(["/x/a", "/a"]) == {"/x/a": "x/a", "/a": "a"}


@pytest.mark.parametrize("event", list(Event))
def test_every_piece_of_news_has_words(event: Event) -> None:
    (first, *_) = news_lines(News(event, "tasks.toml", "It is so.", "Do this."), PLAIN)
    assert len(first) > 4


def test_untrusted_text_reaches_no_terminal_as_it_is() -> None:
    evil = "x\x1b[2J\x07"
    edit = Edited(evil, "agent", evil, evil)
    for told in (
        lines(to_store=(edit,)),
        lines(to_file=(edit, Edited(META_ID, evil, evil, evil))),
        news_lines(News(Event.OFFLINE, evil, evil, evil), PLAIN),
    ):
        assert not any("\x1b" in line or "\x07" in line for line in told)


def test_a_program_gets_one_document_a_line() -> None:
    text = news_json(
        News(Event.OFFLINE, "tasks.toml", "It is away.", "Wait."), "2026-01-01T00:00:00Z"
    )
    assert "\n" not in text
    assert json.loads(text) == {
        "schema_version": 1,
        "data": {
            "time": "2026-01-01T00:00:00Z", "event": "offline", "file": "tasks.toml",
            "message": "It is away.", "hint": "Wait.",
        },
    }  # fmt: skip
