"""The filter language."""

from __future__ import annotations

import pytest

from tt.core.model import Plan, Task
from tt.core.query import parse_query, select
from tt.errors import UsageError

PLAN = Plan(
    {"default_agent": "dev"},
    {
        task.id: task
        for task in (
            Task("epic", {"description": "User Login", "status": "pending", "tags": ["epic"]}),
            Task("api/login", {"description": "Endpoint", "status": "running", "agent": "backend",
                               "parent": "epic", "tags": ["backend", "type:bug"]}),
            Task("docs", {"description": "Write it up", "status": "failed", "agent": "writer"}),
            Task("ship", {"description": "Größe prüfen", "status": "completed", "parent": "epic"}),
        )
    },
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", "epic api/login docs ship"),
        ("login", "epic api/login"),
        ("LOGIN endpoint", "api/login"),
        ("GRÖSSE", "ship"),
        ("status:failed", "docs"),
        ("state:Failed", "docs"),
        ("status:failed,running", "api/login docs"),
        ("-status:failed,running", "epic ship"),
        ("!status:failed status:failed", ""),
        ("tag:backend", "api/login"),
        ("tag:type:bug", "api/login"),
        ("tag:", "docs ship"),
        ("-tag:", "epic api/login"),
        ("agent:dev", "epic ship"),
        ("agent:b*", "api/login"),
        ("parent:epic -agent:backend", "ship"),
        ("parent:", "epic docs"),
        ("id:api/*", "api/login"),
        ("id:api", ""),
        ("id:docs,ship", "docs ship"),
        ("text:type:x", ""),
        ("-login", "docs ship"),
    ],
)
def test_words_select_tasks_in_the_order_of_the_file(words: str, expected: str) -> None:
    found = select(PLAN, parse_query(words.split()))
    assert [task.id for task in found] == expected.split()


def test_a_plan_without_a_default_agent_has_tasks_without_one() -> None:
    plan = Plan({}, PLAN.tasks)
    assert [task.id for task in select(plan, parse_query(["agent:"]))] == ["epic", "ship"]


def test_an_unknown_key_is_told_what_was_meant() -> None:
    with pytest.raises(UsageError) as caught:
        parse_query(["statsu:failed"])
    assert "`statsu:`" in caught.value.message
    assert caught.value.hint == "Did you mean `status:`?"


def test_a_word_with_a_colon_that_is_no_filter_is_told_how_to_look_for_it() -> None:
    with pytest.raises(UsageError) as caught:
        parse_query(["http://example.org"])
    assert "text:http://example.org" in str(caught.value.hint)


def test_an_unknown_status_is_told_what_was_meant() -> None:
    with pytest.raises(UsageError) as caught:
        parse_query(["status:pending,runing"])
    assert caught.value.message == "There is no status `runing`."
    assert caught.value.hint == "Did you mean `running`?"


def test_a_mistyped_option_is_not_taken_for_a_filter() -> None:
    with pytest.raises(UsageError, match="--jsno"):
        parse_query(["--jsno"])
