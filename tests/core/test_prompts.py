"""What an agent is told: everything that it needs, and data as data."""

from __future__ import annotations

import pytest

from tt.core.jobs import Job
from tt.core.messages import Message
from tt.core.model import Task
from tt.core.prompts import (
    NAMES,
    TEMPLATE,
    Brief,
    Teller,
    check_template,
    errand_prompt,
    fill,
    task_prompt,
)
from tt.errors import UsageError

TELLER = Teller("dev", "backend", "shop", "'/opt/my tt/tt'")


def job(name: str = "lint", description: str = "Lint it", **more: str) -> Job:
    fields = {"description": description, "status": "completed"}
    return Job(f"uuid-of-{name}", Task(name, fields), **more)  # type: ignore[arg-type]


def test_a_prompt_has_the_task_and_how_to_report_it() -> None:
    text = task_prompt(TEMPLATE, TELLER, Brief(job()))
    assert "You are `dev`, an agent of the town `shop`.\n\nYour role: backend.\n" in text
    assert "# Task `lint`\n\nLint it\n" in text
    assert "    '/opt/my tt/tt' task complete uuid-of-lint --result " in text
    assert "    '/opt/my tt/tt' task fail uuid-of-lint --result " in text
    assert "counts as failed" in text
    assert "{{" not in text
    assert "\n\n\n" not in text


def test_a_prompt_has_what_came_before_and_what_it_is_a_part_of() -> None:
    brief = Brief(
        job(why="exit 3\nboom"),
        [job("epic", "The whole")],
        [job("design", "Design it", result="see\nd.md"), job("idea", "An idea")],
        [Message("1", "u-bob", "u", "query", {"question": "Why?", "n": [1]})],
        {"u-bob": "bob"},
    )
    text = task_prompt(TEMPLATE, TELLER, brief)
    assert "- `epic`: The whole\n" in text
    assert "`design` (completed): Design it\n\n> see\n> d.md\n\n`idea` (completed): An idea" in text
    assert "It ended without success:\n\n> exit 3\n> boom\n" in text
    assert "From bob (query):\n\n> Why?\n> [1]\n" in text


NASTY = "{{uuid}} {{tt}} {0} %s $HOME ${x} \\1 \\g<0> {{nothing}}\n{{group}}\n\n\n\nend"


def test_texts_are_data_whatever_stands_in_them() -> None:
    text = task_prompt(TEMPLATE, TELLER, Brief(job(description=NASTY)))
    assert NASTY in text
    inside = Brief(job(why=NASTY), [], [job("b", result=NASTY)])
    assert task_prompt(TEMPLATE, TELLER, inside).count("> {{uuid}} {{tt}} {0} %s $HOME") == 2


def test_what_no_program_could_be_given_is_replaced() -> None:
    text = task_prompt(TEMPLATE, TELLER, Brief(job(description="a\0b \ud800 c")))
    assert "a\ufffdb ? c" in text


def test_endless_texts_are_shortened() -> None:
    text = task_prompt(TEMPLATE, TELLER, Brief(job(), [], [job("b", result="x" * 100_000)]))
    assert len(text) < 7_000
    assert "[…]" in text


def test_a_template_of_the_users_may_use_every_name_and_no_other() -> None:
    check_template(" ".join(f"{{{{{name}}}}}" for name in NAMES), "mine.md")
    with pytest.raises(
        UsageError, match=r"mine\.md: nothing is known by the name `\{\{descripton\}\}`"
    ):
        check_template("{{descripton}}", "mine.md")
    text = task_prompt("Do {{description}}!\n{{before}}\nBye {{agent}}", TELLER, Brief(job()))
    assert text == "Do Lint it!\nBye dev\n"


def test_a_line_that_is_the_name_of_nothing_goes_away_with_the_gap_behind_it() -> None:
    assert fill("a\n\n{{x}}\n\nb", {"x": ""}) == "a\n\nb\n"
    assert fill("a\n\n{{x}}\n\nb", {"x": "y\n"}) == "a\n\ny\n\nb\n"
    assert fill("{{x}}", {"x": "y"}) == "y\n"
    assert fill("a {{x}} b", {"x": ""}) == "a  b\n"


def test_a_round_without_a_task_is_about_the_messages() -> None:
    text = errand_prompt(TELLER, [Message("1", "u", "d", "query", {"question": "Why?"})], {})
    assert "> Why?" in text
    assert "'/opt/my tt/tt' send NAME" in text
