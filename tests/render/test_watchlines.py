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
from tt.render.text import Look
from tt.render.watchlines import news_json, news_lines

PLAIN = Look()
DONE = Edited("lint", "status", "running", "completed")
GIVEN = Edited("docs", "agent", ABSENT, "writer")


def lines(*, to_store: tuple[Change, ...] = (), where: str = "", **more: Any) -> list[str]:
    report = SyncReport(
        direction=Direction.MERGE, town="t", file="tasks.toml", in_step=5, to_store=to_store, **more
    )
    return news_lines(News(Event.SYNCED, "tasks.toml", where, report=report), PLAIN)


def test_a_sync_says_which_way_what_went() -> None:
    assert lines(to_store=(GIVEN,), to_file=(DONE,)) == [
        "⬆️  docs agent: none → writer ⬇️  lint completed"
    ]


def test_many_changes_are_named_and_counted() -> None:
    added = tuple(Added(Task(f"t{number}", {"description": "x"})) for number in range(9))
    assert lines(to_store=added) == ["⬆️  t0 added, t1 added, t2 added, t3 added and 5 more"]


def test_a_sync_without_changes_says_that_all_is_in_step_and_where() -> None:
    assert lines(where="the town t") == ["✓ 5 tasks in step with Redis (the town t)"]


def test_what_a_sync_left_has_lines_of_its_own() -> None:
    told = lines(
        conflicts=(Conflict("lint", "agent"),),
        kept=(Kept("docs", "pending", "completed"),),
        faults=(Fault("tt:t:task:x", "it is not a hash"),),
    )
    assert told[1].strip().startswith("1 conflict")
    assert "tt reopen docs" in told[2]
    assert "it is not a hash" in told[3]


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
