"""The JSON Schema of a plan file, for editors (draft 7: what Taplo and Tombi both read)."""

from __future__ import annotations

from typing import Final

from tt.core.model import Status

SCHEMA_NAME: Final = "tasks.schema.json"
SCHEMA_TITLE: Final = "A plan of tasks for tt"
_ID: Final = r"^[\w./-]+$"
_ABOUT_STATUS: Final = (
    "How far the task is. Agents move it in Redis and `tt sync` brings it here; write it yourself "
    "to say that something is done, or to start it again."
)


def plan_schema() -> dict[str, object]:
    """Return the schema. Keys it does not know are allowed everywhere: they are the user's."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": SCHEMA_TITLE,
        "description": "tasks.toml: what is to be done. `tt check` says what is wrong in it.",
        "type": "object",
        "additionalProperties": True,
        "properties": {
            "meta": _meta(),
            "tasks": {
                "description": "The tasks, in reading order.",
                "type": "array",
                "items": _task(),
            },
        },
    }


def _meta() -> dict[str, object]:
    return {
        "description": "What the plan is about.",
        "type": "object",
        "additionalProperties": True,
        "properties": {
            "description": {"description": "What the plan is for.", "type": "string"},
            "default_agent": {"description": "Who does tasks without an agent.", "type": "string"},
        },
    }


def _task() -> dict[str, object]:
    identifier = "Unique in the file: letters, digits and . _ - / only. Made for you when missing."
    return {
        "type": "object",
        "required": ["description"],
        "additionalProperties": True,
        "properties": {
            "id": {"description": identifier, "type": "string", "pattern": _ID},
            "description": {"description": "What is to be done.", "type": "string"},
            "agent": {"description": "Who does it.", "type": "string"},
            "status": {
                "description": _ABOUT_STATUS,
                "type": "string",
                "enum": [str(status) for status in Status],
                "default": "pending",
            },
            "parent": {
                "description": "Another task's id: the group this belongs to, or the stage before.",
                "type": "string",
            },
            "tags": _words("Words to filter by, such as `tt plan tag:backend`."),
            "depends_on": _words("Ids of the tasks that must be completed first."),
            "retries": {
                "description": "After how many failures it is tried again.",
                "type": "integer",
                "minimum": 0,
            },
            "timeout": {
                "description": "How many seconds one attempt may take; 0: for ever.",
                "type": "number",
                "minimum": 0,
            },
        },
    }


def _words(about: str) -> dict[str, object]:
    return {"description": about, "type": "array", "items": {"type": "string"}}
