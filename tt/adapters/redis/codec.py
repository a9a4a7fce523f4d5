"""A Redis hash read as a task; pure. The fields are tinytown's, and these of ours:

- `agent`, `depends_on` (a JSON list of plan ids), `x:<key>` (a key of the user's, as JSON);
- `tt` = "1": every field of ours is in this hash, so that one that is not there is none;
- `agent_for`: the assignment (`assigned_to`) that stood when `agent` was written. One that came
  later overrides `agent`; an agent named in the file after the assignment does not lose to it;
- `run:*`: how the work on it goes (see `RUN_MARKS`), which is no part of any plan.

What comes out of Redis is untrusted: nothing here lets a value through that a plan cannot hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeAlias, cast

from tt.adapters.redis.hashes import HashTexts
from tt.adapters.redis.texts import is_utf8, read_list, read_value, shown
from tt.core.model import RUN_FIELDS, STATUSES, TASK_FIELDS
from tt.core.values import Value

Hash: TypeAlias = Mapping[str, str]
MARKER: Final = "tt"
PLAN_TAG: Final = "plan:"
USER_KEY: Final = "x:"
MAX_TEXT: Final = 1024 * 1024
"""The longest value, in characters, that is taken for part of a plan."""

RUN_CLAIM: Final = "run:claim"
RUN_MARKS: Final = frozenset(
    {RUN_CLAIM, "run:handed", "run:ended", "run:failures", "run:deaths"}
    | {"run:retries", "run:timeout", "run:by", "run:unsaid", "run:why"}
)
"""What the workshop keeps in a task's hash; a sync leaves it alone, but where it starts it anew."""
NOTES: Final = "run:notes"
"""What was written beside the task; a sync leaves it alone always."""

_NO_FIELDS: Final[frozenset[str]] = frozenset()
_PLAN_ID: Final = re.compile(r"[\w./-]+")
_STATES: Final = {status: status for status in STATUSES}  # one text object for all tasks
_STATES_READ: Final = {status.encode(): status for status in STATUSES}
_NOT_USERS: Final = frozenset({"id", *TASK_FIELDS})
_OURS: Final = frozenset(
    {"id", "description", "state", "created_at", "updated_at", "tags", "parent_id", MARKER}
    | {"agent", "agent_for", "depends_on", "made", NOTES, *RUN_FIELDS, *RUN_MARKS}
)


UNNOTICED: Final = RUN_MARKS | {
    NOTES, "created_at", "updated_at", "parent_id", MARKER, "agent_for", "made"
}  # fmt: skip
"""Hash fields that `decode` does not look at; nor at those of RUN_FIELDS that are not wanted."""


class BadHashError(ValueError):
    """A hash that cannot be read as a task; the text says why."""


def decode(
    uuid: str, raw: Hash, run_fields: frozenset[str] = _NO_FIELDS
) -> tuple[str | None, dict[str, Value]]:
    """Read a hash: the plan id that its tags name (None: no plan tag), and the task's fields.

    `parent`, and an `agent` that an assignment overrides, take the whole town to know: see
    `reading`. Raises BadHashError.
    """
    quick = _decode_plain(uuid, raw) if type(raw) is HashTexts and raw.shape.plain else None
    return quick or _decode_any(uuid, raw, run_fields)


def _decode_any(
    uuid: str, raw: Hash, run_fields: frozenset[str]
) -> tuple[str | None, dict[str, Value]]:
    if raw.get("id") != uuid:
        raise BadHashError("its field `id` is not the uuid of its key")
    state = _STATES.get(raw.get("state", ""))
    if state is None:
        raise BadHashError(f"unknown state {_quote(raw.get('state'))}")
    fields: dict[str, Value] = {"description": _text(raw, "description"), "status": state}
    if raw.get("agent"):
        fields["agent"] = _text(raw, "agent")
    plan_id, tags = split_tags(raw.get("tags", "[]"))
    if tags:
        fields["tags"] = tags
    if "depends_on" in raw:
        _read_depends_on(raw, fields)
    if not raw.keys() <= _OURS:
        _read_user_keys(raw, fields, run_fields)
    for name in run_fields:
        if name in raw:
            fields[name] = _text(raw, name)
    return plan_id, fields


def _decode_plain(uuid: str, raw: HashTexts) -> tuple[str, dict[str, Value]] | None:
    """Read an ordinary hash: `decode`'s own result, three times as fast; None where in doubt."""
    shape, values = raw.shape, raw.values_read
    try:
        description = values[shape.description].decode()
        tags_text = values[shape.tags].decode()
        agent = values[shape.agent].decode() if shape.agent >= 0 else ""
        wanted = read_list(values[shape.depends_on].decode()) if shape.depends_on >= 0 else None
    except ValueError:
        return None
    head, _, tail = tags_text.rpartition('"plan:')
    state, plan_id, tags = _STATES_READ.get(values[shape.state]), tail[:-2], _tags_before(head)
    if state is None or tags is None or tail[-2:] != '"]' or not _PLAN_ID.fullmatch(plan_id):
        return None
    if len(description) > MAX_TEXT or len(tags_text) > MAX_TEXT or len(agent) > MAX_TEXT:
        return None
    if values[shape.id] != uuid.encode():
        return None
    fields: dict[str, Value] = {"description": description, "status": state}
    if agent:
        fields["agent"] = agent
    if tags:
        fields["tags"] = tags
    if wanted:
        fields["depends_on"] = cast("list[Value]", wanted)
    return plan_id, fields


@lru_cache(maxsize=4096)
def _tags_before(head: str) -> list[Value] | None:
    """Return the tags in what comes before a last tag: `["a","b",`; None where it is not that.

    Cached: tasks have few different sets of tags, beside the plan tag that is each one's own.
    """
    if head == "[":
        return []
    if head[-1:] != "," or len(head) > MAX_TEXT:
        return None
    try:
        return cast("list[Value]", read_list(head[:-1] + "]")) or None
    except ValueError:
        return None


def split_tags(text: str) -> tuple[str | None, list[Value]]:
    """Split the text of `tags` into the plan id that its last `plan:` tag names, and the others."""
    tags = cast("list[Value]", _list(text, "tags"))
    for index in range(len(tags) - 1, -1, -1):
        tag = cast("str", tags[index])
        if tag.startswith(PLAN_TAG):
            plan_id = tag[len(PLAN_TAG) :]
            if not _PLAN_ID.fullmatch(plan_id):
                raise BadHashError(f"its plan tag {_quote(tag)} names no plan id")
            del tags[index]
            return plan_id, tags
    return None, tags


def _text(raw: Hash, name: str) -> str:
    text = raw.get(name)
    if text is None:
        raise BadHashError(f"it has no `{name}`")
    _check_text(text, name)
    return text


def _check_text(text: str, name: str) -> None:
    if len(text) > MAX_TEXT:
        raise BadHashError(f"its `{name}` is absurdly large: {len(text):,} characters")
    if not is_utf8(text):
        raise BadHashError(f"its `{shown(name)}` is not UTF-8")


def _list(text: str, name: str) -> list[str]:
    _check_text(text, name)
    try:
        return read_list(text)
    except ValueError as error:
        raise BadHashError(f"its `{name}` is no JSON list of texts: {error}") from error


def _read_depends_on(raw: Hash, fields: dict[str, Value]) -> None:
    wanted = _list(raw["depends_on"], "depends_on")
    if wanted:
        fields["depends_on"] = cast("list[Value]", wanted)


def _read_user_keys(raw: Hash, fields: dict[str, Value], run_fields: frozenset[str]) -> None:
    for name in raw:
        key = name[len(USER_KEY) :]
        if not name.startswith(USER_KEY) or key in _NOT_USERS or key in run_fields:
            continue
        _check_text(name, name)
        text = _text(raw, name)
        try:
            fields[key] = read_value(text)
        except ValueError as error:
            raise BadHashError(f"its `{name}` is no value of a plan: {error}") from error


def _quote(text: str | None) -> str:
    return "(none)" if text is None else repr(text[:40])
