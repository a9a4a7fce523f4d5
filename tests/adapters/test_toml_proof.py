"""The proof before writing: a text that would say anything else is refused, however large."""

from __future__ import annotations

import pytest

from tt.adapters import toml_edit, toml_pieces, toml_proof
from tt.adapters.planfile import read_plan
from tt.adapters.toml_edit import edit_plan
from tt.core.diff import Added, Change, Edited, Removed
from tt.core.model import META_ID, Task
from tt.core.values import ABSENT

A = '[[tasks]]\nid = "a"\ndescription = "A"\nstatus = "pending"\n\n'
PLAN = "[meta]\nx = 1\n\n" + A + "".join(A.replace('"a"', f'"t{n}"') for n in range(9))
RUNNING = Edited("a", "status", "pending", "running")


@pytest.fixture(params=[10**9, 0], ids=["whole", "by pieces"])
def _length(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toml_proof, "WHOLE_CHARS", request.param)


@pytest.mark.usefixtures("_length")
class TestWrongEdits:
    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            ('"running"', '"failed"'),
            ('"running"', '"running"\ntags = ["x"]'),
            ('"running"', '"running"\n[other]\ny = 1'),
            ('"running"', '"running"\n[meta.y]\nz = 1'),
            ('"running"', '"running"\n[[tasks]]\nid = "b"\ndescription = "B"'),
            ('id = "a"', 'id = "b"'),
            ("[[tasks]]", "[[task]]"),
        ],
    )
    def test_a_piece_that_says_something_else_is_never_returned(
        self, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = toml_edit.changed

        def mistaken(*args: object) -> str:
            return real(*args).replace(right, wrong)  # type: ignore[arg-type]

        monkeypatch.setattr(toml_edit, "changed", mistaken)
        data = PLAN.encode()
        with pytest.raises((RuntimeError, ValueError)):
            edit_plan(data, read_plan(data, "f"), [RUNNING])

    def test_a_removal_that_takes_too_much_is_never_returned(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def greedy(pieces: toml_pieces.Pieces, indexes: list[int]) -> None:
            for index in indexes:
                pieces[index + 1] = pieces[index + 2] = ""

        monkeypatch.setattr(toml_edit, "remove_tasks", greedy)
        data = PLAN.encode()
        before = read_plan(data, "f")
        with pytest.raises(RuntimeError):
            edit_plan(data, before, [Removed(before.plan.tasks["t3"])])


def test_a_snapshot_of_another_text_is_refused() -> None:
    before = read_plan(PLAN.encode(), "f")
    other = PLAN.replace('"t1"', '"tx"').replace("pending", "failed")
    with pytest.raises(RuntimeError):
        edit_plan(other.encode(), before, [RUNNING])


def test_a_task_is_not_removed_in_the_place_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toml_proof, "WHOLE_CHARS", 0)
    before = read_plan(PLAN.encode(), "f")
    other = PLAN.replace('"t2"', '"t"').replace('"t3"', '"t2"').replace('"t"', '"t3"')
    with pytest.raises(RuntimeError):
        edit_plan(other.encode(), before, [Removed(before.plan.tasks["t2"])])


class TestLargePlans:
    CHANGES = (
        RUNNING,
        Edited("t7", "notes", ABSENT, {"a": [1, 2]}),
        Edited(META_ID, "x", 1, 2),
        Removed(Task("t2", {"description": "A", "status": "pending"})),
        Added(Task("new", {"description": "New", "status": "pending"})),
    )

    def edited(self, text: str, changes: tuple[Change, ...] = CHANGES) -> bytes:
        data = text.encode()
        return edit_plan(data, read_plan(data, "f"), changes)

    def test_both_proofs_let_the_same_bytes_pass(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = self.edited(PLAN)
        monkeypatch.setattr(toml_proof, "WHOLE_CHARS", 0)
        monkeypatch.setattr(toml_proof, "_SHARE", 1)
        assert self.edited(PLAN) == whole

    def test_a_few_edits_of_a_large_plan_do_not_parse_it_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        large = PLAN + "".join(A.replace('"a"', f'"u{n}"') for n in range(5000))
        data, parsed = large.encode(), toml_proof.parsed
        before = read_plan(data, "f")

        def watched(text: str) -> dict[str, object]:
            assert len(text) < 1000
            return parsed(text)

        monkeypatch.setattr(toml_proof, "parsed", watched)
        assert b'"running"' in edit_plan(data, before, self.CHANGES)

    def test_a_large_plan_with_tables_between_is_edited_all_the_same(self) -> None:
        large = PLAN + "".join(A.replace('"a"', f'"u{n}"') for n in range(5000))
        assert self.edited(large + "[other]\nx = 1\n").endswith(b"\n[other]\nx = 1\n")
        assert b"x = 2" in self.edited(large + '["meta".more]\nx = 1\n')
