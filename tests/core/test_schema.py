"""The JSON Schema of a plan agrees with what `tt` itself accepts."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema
import pytest

from tt.core.model import STATUSES, TASK_FIELDS
from tt.core.schema import plan_schema

FIXTURES = Path(__file__).resolve().parents[2] / "../shared/fixtures"
VALIDATOR = jsonschema.Draft7Validator(plan_schema())


def faults(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))]


def test_the_schema_is_a_valid_schema() -> None:
    jsonschema.Draft7Validator.check_schema(plan_schema())


@pytest.mark.parametrize("name", ["profile-epic", "code-review"])
def test_the_documented_plans_are_valid(name: str) -> None:
    path = FIXTURES / f"{name}.tasks.toml"
    if not path.exists():
        pytest.skip("the fixtures are not here")
    assert faults(path.read_text(encoding="utf-8")) == []


def test_keys_of_the_users_own_are_allowed_everywhere() -> None:
    text = "other = 1\n[meta]\nowner = 'x'\n[[tasks]]\ndescription = 'd'\npriority = 1\n"
    assert faults(text) == []


@pytest.mark.parametrize(
    "task",
    [
        "status = 'done'\ndescription = 'd'",
        "id = 'a b'\ndescription = 'd'",
        "id = 'a'",
        "description = 1",
        "description = 'd'\ntags = 'x'",
        "description = 'd'\ndepends_on = [1]",
    ],
)
def test_what_tt_refuses_is_refused(task: str) -> None:
    assert faults(f"[[tasks]]\n{task}\n")


def test_every_field_and_state_is_described() -> None:
    task = plan_schema()["properties"]["tasks"]["items"]["properties"]  # type: ignore[index]
    assert set(task) == {"id", *TASK_FIELDS, "retries", "timeout"}
    assert set(task["status"]["enum"]) == STATUSES
    assert all(field["description"] for field in task.values())
