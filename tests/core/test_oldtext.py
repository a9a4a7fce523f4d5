"""JSON texts of earlier tinytowns as fields of a hash: all of it, or a reason why not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tt.core.oldtext import BadTextError, hash_fields

UUID = "0b0b0b0b-0000-4000-8000-000000000001"


def text(**fields: object) -> bytes:
    return json.dumps({"id": UUID, **fields}, ensure_ascii=False).encode()


def test_texts_are_themselves_lists_are_json_and_null_is_absent() -> None:
    found = hash_fields(
        text(description="Größe", tags=["plan:a", 'q"'], result=None, tasks_completed=3),
        UUID,
        "task",
    )
    assert found == {
        "id": UUID, "description": "Größe", "tags": '["plan:a","q\\""]', "tasks_completed": "3",
    }  # fmt: skip


def test_what_no_tinytown_wrote_is_kept_too() -> None:
    raw = text(mine={"a": [1, None, True]}, flag=False, empty="")
    found = hash_fields(raw, UUID, "agent")
    assert found == {"id": UUID, "mine": '{"a":[1,null,true]}', "flag": "false", "empty": ""}


@pytest.mark.parametrize("number", ["1.10", "1e400", "-0.0", "9" * 5000, "1E-7"])
def test_a_number_keeps_its_digits(number: str) -> None:
    raw = f'{{"id": "{UUID}", "n": {number}, "list": [{number}]}}'.encode()
    found = hash_fields(raw, UUID, "task")
    assert (found["n"], found["list"]) == (number, f"[{number}]")


def test_a_state_that_tinytown_reads_under_another_name_is_written_as_it_writes_it() -> None:
    assert hash_fields(text(state="in_flight"), UUID, "task")["state"] == "running"
    assert hash_fields(text(state="in_flight"), UUID, "agent")["state"] == "in_flight"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "no JSON object"),
        (b"\xff", "no JSON object"),
        (b"[1]", "no JSON object"),
        (b'"text"', "no JSON object"),
        (b'{"id": NaN}', "no JSON object"),
        (b'{"id": "a"} x', "no JSON object"),
        (b"\xef\xbb\xbf{}", "no JSON object"),
        (b'{"id": "\\ud800"}', "no JSON object"),
        (b'{"a": ' + b"[" * 100_000, "no JSON object"),
        (b'{"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "no JSON object"),
        (b"{}", "its `id` is not the uuid"),
        (b'{"id": "other"}', "its `id` is not the uuid"),
        (b'{"id": "a", "id": "b"}', "a field twice"),
    ],
)
def test_what_cannot_be_kept_whole_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(BadTextError, match=why):
        hash_fields(raw, UUID, "task")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON))
def test_nothing_of_an_object_is_lost(fields: dict[str, object]) -> None:
    fields = {**fields, "id": UUID}
    found = hash_fields(json.dumps(fields).encode(), UUID, "agent")
    assert found.keys() == {name for name, value in fields.items() if value is not None}
    for name, told in found.items():
        value = fields[name]
        assert told == value if isinstance(value, str) else json.loads(told) == value
