"""Tasks as Redis hashes and back, with no server: the pure part of the store."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tt.adapters.redis.codec import UNNOTICED, BadHashError, decode, split_tags
from tt.adapters.redis.encoding import Encoder, status_writes, tags_text
from tt.adapters.redis.hashes import HashTexts, Shapes
from tt.adapters.redis.keys import UUID, TownKeys, glob, split_key
from tt.adapters.redis.texts import list_text, read_list, read_value, value_text
from tt.core.ids import task_uuid
from tt.core.model import RUN_FIELDS, STATUSES, TASK_FIELDS, Task
from tt.core.times import rfc3339
from tt.core.values import ABSENT, Literal, Value

TOWN = "town"
NOW = 1_795_000_000_123_456_789
ENCODER = Encoder(TownKeys(TOWN), lambda plan_id: task_uuid(TOWN, plan_id))

texts = st.text(st.characters(codec="utf-8"), max_size=30)
plan_ids = st.from_regex(r"[\w./-]+", fullmatch=True)
tags = st.lists(
    texts | plan_ids.map(lambda name: f"plan:{name}") | st.just('","'), min_size=1, max_size=4
)
literals = st.sampled_from(
    ["true", "false", "1.50", "-0.0", "1e9", "nan", "-inf", "+1.5", "1_000.0", "2026-01-31",
     "07:32:00", "1979-05-27T07:32:00+00:00", "1979-05-27T07:32:00.999000-07:00"]
).map(Literal)  # fmt: skip
values: st.SearchStrategy[Value] = st.recursive(
    texts | st.integers() | literals,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
user_keys = (texts | st.sampled_from(["$toml", "x:", "result", "tt", "created_at"])).filter(
    lambda key: key not in {"id", *TASK_FIELDS}
)


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Any task in canonical form."""
    fields: dict[str, Value] = {
        "description": draw(texts),
        "status": draw(st.sampled_from(sorted(STATUSES))),
    }
    for name, strategy in {"agent": texts, "parent": plan_ids}.items():
        if text := draw(strategy | st.just("")):
            fields[name] = text
    for name, items in {
        "tags": tags,
        "depends_on": st.lists(plan_ids, min_size=1, max_size=3),
    }.items():
        if draw(st.booleans()):
            fields[name] = cast("Value", draw(items))
    return Task(draw(plan_ids), fields | draw(st.dictionaries(user_keys, values, max_size=3)))


def arrived(raw: dict[str, str]) -> HashTexts:
    """Return a hash as it comes from a server."""
    flat = [part.encode(errors="surrogateescape") for pair in raw.items() for part in pair]
    return Shapes(UNNOTICED | RUN_FIELDS).hash(flat)


def hash_of(task: Task) -> dict[str, str]:
    return ENCODER.create(task, NOW)


def plain(name: str = "a", **fields: Value) -> Task:
    return Task(name, {"description": "Do it", "status": "pending", **fields})


def without_parent(task: Task) -> dict[str, Value]:
    return {name: value for name, value in task.fields.items() if name != "parent"}


@given(tasks())
def test_every_task_is_read_back_from_its_hash(task: Task) -> None:
    raw = hash_of(task)
    uuid = task_uuid(TOWN, task.id)
    for read in (raw, arrived(raw)):
        assert decode(uuid, read) == (task.id, without_parent(task))
    parent = task.parent
    assert raw.get("parent_id") == (task_uuid(TOWN, parent) if parent else None)


@given(tasks())
def test_unknown_fields_of_a_hash_change_nothing(task: Task) -> None:
    raw = {**hash_of(task), "mission": "m", "agent_note": "{", "\udcff": "\udcff"}
    uuid = task_uuid(TOWN, task.id)
    assert decode(uuid, raw) == decode(uuid, arrived(raw)) == (task.id, without_parent(task))


@given(tasks())
def test_each_field_alone_is_written_like_the_whole(task: Task) -> None:
    raw = hash_of(task)
    for name, value in task.fields.items():
        hash_field, text = ENCODER.field(task.id, name, value)
        assert raw[hash_field] == text
        without = ENCODER.field(task.id, name, ABSENT)
        assert without == (hash_field, tags_text(task.id, []) if name == "tags" else None)
    assert ENCODER.fields(task).items() <= raw.items()


HOSTILE = (
    ["", "[", "[]", '["a"]', '["a","plan:b"]', '["plan:b","a"]', '[ "a", "plan:b" ]',
     '["plan:a b"]', '["a\\"plan:b"]', '["a,"plan:b"]', '["a","plan:b",]', '[,"plan:b"]',
     '["a""plan:b"]', '[["plan:b"]]', '["a",1,"plan:b"]', '["a\x00","plan:b"]', "null",
     '["\\ud800","plan:b"]', '["\\u00e4","plan:b"]', '["plan:b"', '"plan:b"]', '{"plan:b"]',
     '["\udcff","plan:b"]', '[""," plan:b"]', '["a","plan:b"]x',
     '["a","plan:bxx', '["a" "plan:b"]', '["a";"plan:b"]', '["plan:bxx', '["a","plan:b")]']
)  # fmt: skip
hostile = st.sampled_from(HOSTILE)


@given(
    st.dictionaries(
        st.sampled_from(["description", "state", "tags", "agent", "depends_on", "id", "x:k", "tt"]),
        hostile | st.sampled_from(["pending", "running", "\udcff", "ü"]) | texts,
        max_size=4,
    )
)
def test_the_quick_reading_says_what_the_thorough_one_says(changed: dict[str, str]) -> None:
    raw = {**hash_of(plain(tags=["x"], agent="dev")), **changed}
    assert outcome(raw) == outcome(arrived(raw))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "name", ["description", "state", "tags", "agent", "depends_on", "id", "tt"]
)
def test_no_odd_text_is_read_differently_when_it_is_read_quickly(name: str, text: str) -> None:
    raw = {**hash_of(plain(tags=["x"], agent="dev")), name: text}
    assert outcome(raw) == outcome(arrived(raw))


def outcome(read: dict[str, str] | HashTexts) -> object:
    """Return what a hash at the uuid of task `a` is read as, or why it is not."""
    try:
        return decode(task_uuid(TOWN, "a"), read)
    except BadHashError as error:
        return str(error)


@given(hostile)
def test_tags_are_read_as_json_says(text: str) -> None:
    try:
        items = json.loads(text)
        "".join(items).encode()
        well = isinstance(items, list)
    except (ValueError, TypeError):
        well = False
    if not well:
        with pytest.raises(BadHashError):
            split_tags(text)
        return
    named = [item for item in items if item.startswith("plan:")]
    if named and not re.fullmatch(r"[\w./-]+", named[-1][5:]):
        with pytest.raises(BadHashError):
            split_tags(text)
        return
    plan_id, others = split_tags(text)
    assert plan_id == (named[-1][5:] if named else None)
    assert len(others) == len(items) - bool(named)


@given(st.lists(texts | hostile.filter(lambda text: "\udcff" not in text)))
def test_lists_of_texts_are_compact_json(items: list[str]) -> None:
    text = list_text(items)
    assert text == json.dumps(items, ensure_ascii=False, separators=(",", ":"))
    assert read_list(text) == items


@given(values)
def test_values_of_the_users_come_back(value: Value) -> None:
    assert read_value(value_text(value)) == value


@pytest.mark.parametrize(
    "text",
    ['{"$toml":"x"}', '{"$toml":"1\\n2"}', '{"$toml":"1 # c"}', '{"$toml":"1"}', "", "{",
     '{"$toml":"\\"t\\""}', '{"$toml":"[1]"}', '{"$toml":""}', '{"$toml":"2026-13-01"}',
     '[{"$toml":"{}"}]', "null", '"\\ud800"', '{"\\udfff":1}',
     "[" * 99999, '{"$toml":"1.0\\r"}'],
)  # fmt: skip
def test_a_value_that_no_plan_can_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_value(text)


def test_a_hash_has_what_tinytown_requires_and_no_more_than_is_set() -> None:
    raw = hash_of(plain(tags=["backend"]))
    stamp = "2026-11-18T11:06:40.123456789+00:00"
    assert raw == {
        "id": task_uuid(TOWN, "a"), "description": "Do it", "state": "pending", "created_at": stamp,
        "updated_at": stamp, "tags": '["backend","plan:a"]', "made": "1", "tt": "1",
    }  # fmt: skip
    assert UUID.fullmatch(raw["id"])


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_times_are_rfc_3339_with_nanoseconds(now: int) -> None:
    text = rfc3339(now)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+00:00", text)
    read = datetime.fromisoformat(text[:26] + text[29:])
    assert int(read.timestamp()) == now // 10**9
    assert int(text[20:29]) == now % 10**9


def test_bytes_that_are_no_utf8_are_kept_and_matter_only_where_they_are_read() -> None:
    raw = hash_of(plain()) | {"result": "\udcff"}
    read = arrived(raw)
    assert read["result"].encode(errors="surrogateescape") == b"\xff"
    assert decode(task_uuid(TOWN, "a"), read)[0] == "a"
    with pytest.raises(BadHashError, match="`result` is not UTF-8"):
        decode(task_uuid(TOWN, "a"), raw, frozenset({"result"}))
    with pytest.raises(BadHashError, match="`description` is not UTF-8"):
        decode(task_uuid(TOWN, "a"), arrived(raw | {"description": "\udcff"}))


@given(st.dictionaries(texts | st.just("a,b"), texts, max_size=5), st.data())
def test_a_hash_that_arrived_is_a_mapping_like_any_other(
    raw: dict[str, str], data: st.DataObject
) -> None:
    shapes = Shapes(UNNOTICED)
    for names in (list(raw), data.draw(st.permutations(list(raw)))):
        flat = [part.encode() for name in names for part in (name, raw[name])]
        read = shapes.hash(flat)
        assert dict(read) == raw == read
        assert (len(read), list(read)) == (len(raw), names)
        assert all(name in read and read.get(name) == text for name, text in raw.items())
        absent = "".join(raw) + "+"
        assert read.get(absent) is None
        assert absent not in read


def test_names_that_join_to_the_same_are_not_confused() -> None:
    shapes = Shapes(UNNOTICED)
    for names in ([b"a,b", b"c"], [b"a", b"b,c"], [b"a", b"b", b"c"], [b"a,b,c"], [b"a,b", b"c"]):
        flat = [part for name in names for part in (name, b"v")]
        assert list(shapes.hash(flat)) == [name.decode() for name in names]


def test_what_comes_with_a_status_is_the_same_for_all_finished_ones() -> None:
    assert {str(status_writes(name, "t", {})) for name in ("completed", "failed", "cancelled")} == {
        "{'completed_at': 't', 'run:claim': None}"
    }
    assert status_writes("running", "t", {"started_at": "s"})["started_at"] == "s"


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("tt:a:plan", ("a", "plan")),
        ("tt:a:plan:plan", ("a:plan", "plan")),
        ("tt:{x}-main:tombstones", ("{x}-main", "tombstones")),
        (f"tt:a:b:task:{task_uuid('a', 'b')}", ("a:b", "task")),
        (f"tt:a\nb:agent:{task_uuid('a', 'b')}", ("a\nb", "agent")),
        (f"tt:a:events:agent:{task_uuid('a', 'b')}", None),
        ("tt:a:task:x", None),
        ("tt::plan", None),
        ("other", None),
    ],
)
def test_a_key_tells_its_town(key: str, found: tuple[str, str] | None) -> None:
    assert split_key(key) == found


def test_a_pattern_takes_names_as_they_are() -> None:
    assert glob("tt:a*?[b]\\:{c}:task:") == "tt:a\\*\\?\\[b\\]\\\\:{c}:task:*"
