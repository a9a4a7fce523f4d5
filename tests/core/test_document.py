"""Reading a parsed document: what it says as a plan, and every fault there is."""

from __future__ import annotations

from typing import Any

import pytest

from tt.core.document import Reading, canonical, did_you_mean, is_plan, read_document
from tt.core.model import Task
from tt.core.values import Literal


def task(identifier: object = "a", **fields: object) -> dict[str, object]:
    return {"id": identifier, "description": "A", **fields}


def read(*tasks: object, **top: object) -> Reading:
    return read_document({"tasks": list(tasks), **top})


def codes(reading: Reading) -> list[str]:
    return [problem.code for problem in reading.problems]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"tasks": [{"description": "x"}]}, True),
        ({"tasks": [{}, {"description": "x"}], "other": 1}, True),
        ({"meta": {}}, True),
        ({"tasks": []}, True),
        ({"tasks": [], "other": 1}, True),
        ({}, False),
        ({"other": 1}, False),
        ({"meta": {}, "other": 1}, False),
        ({"tasks": [{"name": "x"}]}, False),
        ({"tasks": ["x"]}, False),
        ({"tasks": {"description": "x"}}, False),
        ({"tasks": "x"}, False),
    ],
)
def test_a_plan_is_told_from_another_tools_file(document: dict[str, Any], expected: bool) -> None:
    assert is_plan(document) is expected
    assert read_document(document).is_plan is expected


class TestCanonicalForm:
    def test_status_is_pending_where_none_is_said(self) -> None:
        assert read(task()).plan.tasks["a"].fields == {"description": "A", "status": "pending"}

    def test_empty_is_absent_for_the_optional_fields(self) -> None:
        reading = read(task(agent="", parent="", tags=[], depends_on=[], notes="", files=[]))
        assert reading.plan.tasks["a"].fields == {
            "description": "A",
            "status": "pending",
            "notes": "",
            "files": [],
        }
        assert not reading.problems

    def test_values_of_the_users_are_made_strict(self) -> None:
        fields = read(task(done=True, ratio=Literal("1.0"), n=1, x=[[1], {"a": False}])).plan.tasks
        assert fields["a"].fields["done"] == Literal("true")
        assert fields["a"].fields["x"] == [[1], {"a": Literal("false")}]

    def test_the_document_itself_is_left_alone(self) -> None:
        document = {"tasks": [task(tags=["x"]), task("b", agent="")]}
        before = repr(document)
        read_document(document)
        assert repr(document) == before

    def test_a_task_is_brought_into_the_form_in_which_it_is_read(self) -> None:
        made = canonical(Task("a", {"agent": "", "tags": [], "parent": "p", "notes": ""}))
        fields = {"parent": "p", "notes": "", "description": "", "status": "pending"}
        assert made == Task("a", fields)
        assert canonical(made) is made


class TestIds:
    def test_a_task_without_one_gets_the_same_in_every_clone(self) -> None:
        one, other = read({"description": "Do it"}), read({"description": "Do it"})
        assert one.named == other.named == {0: next(iter(one.plan.tasks))}
        assert one.indexes == {one.named[0]: 0}

    def test_the_same_description_gets_another_one(self) -> None:
        reading = read({"description": "Do it"}, {"description": "Do it"})
        assert len(set(reading.named.values())) == 2

    def test_a_made_one_leaves_an_id_further_down_to_its_owner(self) -> None:
        made = read({"description": "Do it"}).named[0]
        reading = read({"description": "Do it"}, task(made))
        assert not reading.problems
        assert reading.named[0] != made
        assert reading.indexes[made] == 1

    @pytest.mark.parametrize("identifier", ["a", "A.b/c_d-9", "größe", "7"])
    def test_letters_digits_and_a_few_marks_make_one(self, identifier: str) -> None:
        assert not read(task(identifier)).problems

    @pytest.mark.parametrize("identifier", ["", "a b", "[meta]", "a\n", "a:b", "é́?"])
    def test_anything_else_is_no_id(self, identifier: str) -> None:
        reading = read(task(identifier))
        assert codes(reading) == ["id"]
        assert not reading.plan.tasks

    def test_a_second_one_names_the_first(self) -> None:
        [problem] = read(task(), task("b"), task()).problems
        assert problem.code == "duplicate"
        assert (problem.place, problem.also) == (("tasks", 2, "id"), ("tasks", 0, "id"))

    def test_a_number_is_no_id(self) -> None:
        [problem] = read(task(3)).problems
        assert (problem.code, problem.hint) == ("type", 'write `id = "…"`')


class TestProblems:
    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("description", 3, "`description` must be text, not a number"),
            ("description", Literal("1.5"), "`description` must be text, not a number"),
            ("status", ["pending"], "`status` must be text, not a list"),
            ("agent", True, "`agent` must be text, not a boolean"),
            ("parent", {}, "`parent` must be text, not a table"),
            ("tags", "x", "`tags` must be a list of texts, not text"),
            ("tags", [1], "`tags` must be a list of texts, not a list of other things"),
            ("depends_on", {"a": 1}, "`depends_on` must be a list of texts, not a table"),
        ],
    )
    def test_a_wrong_type_is_named(self, field: str, value: object, said: str) -> None:
        reading = read(task(**{field: value}), task("b"))
        [problem] = reading.problems
        assert (problem.code, problem.message) == ("type", said)
        assert problem.place == ("tasks", 0, field)
        assert list(reading.plan.tasks) == ["a", "b"]

    def test_an_unknown_status_comes_with_what_was_meant(self) -> None:
        [near, far] = read(task(status="Runing"), task("b", status="x" * 99)).problems
        assert (near.code, near.hint) == ("status", "did you mean `running`?")
        assert str(far.hint).startswith("it is one of pending, assigned,")
        assert far.message == f"unknown status `{'x' * 60}…`"

    def test_a_missing_description_is_one_fault(self) -> None:
        [problem] = read({"id": "a", "descrption": "x"}, task("b")).problems
        assert problem.code == "description"
        assert "`descrption`" in str(problem.hint)

    def test_an_entry_that_is_no_table_is_one_fault(self) -> None:
        reading = read("x", task())
        assert codes(reading) == ["type"]
        assert (reading.count, reading.indexes) == (2, {"a": 1})

    def test_meta_must_be_a_table_of_texts(self) -> None:
        assert codes(read(task(), meta=3)) == ["type"]
        [problem] = read(task(), meta={"default_agent": 3, "x": True}).problems
        assert problem.place == ("meta", "default_agent")

    def test_dead_links_and_cycles_are_faults_and_links_downwards_are_not(self) -> None:
        assert codes(read(task(parent="b"), task("b"))) == []
        assert codes(read(task(parent="gone"), task("b", depends_on=["lost"]))) == [
            "parent",
            "dependency",
        ]
        assert codes(read(task(parent="a"))) == ["cycle"]
        assert codes(read(task(depends_on=["b"]), task("b", parent="a"))) == ["cycle"]
        assert codes(read(task(), task("b", parent="a", depends_on=["a"]))) == []

    def test_every_fault_is_found_in_one_reading(self) -> None:
        reading = read(task(status="x", tags=3, parent="gone"), task(), {"description": 4})
        assert codes(reading) == ["status", "type", "duplicate", "type", "parent"]


def test_a_near_word_is_offered_and_a_far_one_is_not() -> None:
    assert did_you_mean("compleeted", ["completed", "failed"]) == "did you mean `completed`?"
    assert did_you_mean("zzz", ["completed", "failed"]) is None


def test_the_shortest_word_that_begins_like_it_is_offered_where_none_is_near() -> None:
    known = ["implement-the-login-form", "implement-the-login-page-of-the-shop", "x"]
    assert did_you_mean("implement", known) == "did you mean `implement-the-login-form`?"
    assert did_you_mean("i", known) is None


def test_near_ids_are_offered_for_as_many_dead_links_as_time_allows() -> None:
    few = read(*(task(f"task{n}", parent=f"tusk{n}") for n in range(9)))
    assert all(problem.hint for problem in few.problems)
    many = read(*(task(f"task{n}", parent=f"tusk{n}") for n in range(3000)))
    assert [problem.hint is None for problem in many.problems] == [False] * 3 + [True] * 2997
