"""Golden cases of editing: what a person would have written, byte for byte."""
# ruff: noqa: E501  texts are easier to compare unbroken

from __future__ import annotations

from textwrap import dedent

import pytest

from tt.adapters.planfile import read_leniently
from tt.adapters.toml_edit import edit_plan
from tt.core.diff import Added, Change, Edited, Removed
from tt.core.model import META_ID, Task
from tt.core.values import ABSENT, Literal, MaybeValue, Value


def edited(before: str, *changes: Change) -> str:
    data = dedent(before).encode()
    reading = read_leniently(data, "f")
    return edit_plan(data, reading, changes).decode()


def setting(before: str, field: str, new: MaybeValue, identifier: str = "a") -> str:
    """Edit one field of task `a` (or of another) and return the text."""
    reading = read_leniently(dedent(before).encode(), "f")
    fields = reading.plan.meta
    if identifier != META_ID:
        fields = reading.plan.tasks[identifier].fields
    return edited(before, Edited(identifier, field, fields.get(field, ABSENT), new))


def removing(before: str, *identifiers: str) -> str:
    tasks = read_leniently(dedent(before).encode(), "f").plan.tasks
    return edited(before, *(Removed(tasks[name]) for name in identifiers))


def new_task(identifier: str = "new", **fields: Value) -> Added:
    return Added(Task(identifier, {"description": "New", "status": "pending", **fields}))


A = '[[tasks]]\nid = "a"\ndescription = "A"\n'


class TestReplacingAValue:
    @pytest.mark.parametrize(
        ("old", "new", "written"),
        [
            ('"x"', "y", '"y"'),
            ("'x'", "y", "'y'"),
            ("'x'", "it's", '"it\'s"'),
            ('"x"', 'say "hi"\n\t\\', r'"say \"hi\"\n\t\\"'),
            ('"x"', "\x1b\x7f", r'"\u001B\u007F"'),
            ('"""x"""', "one\ntwo", '"""one\ntwo"""'),
            ('"""\nx"""', "one\ntwo", '"""\none\ntwo"""'),
            ('"""x"""', "\nled", '"""\n\nled"""'),
            ('"""x"""', 'q"""q"', '"""q""\\"q\\""""'),
            ('"""x"""', '"', '"""\\""""'),
            ("'''x'''", "a\\b\n'c' d", "'''a\\b\n'c' d'''"),
            ("'''x'''", "ends'", '"""ends\'"""'),
            ("'x'", "two\nlines", r'"two\nlines"'),
            ("3", 4, "4"),
            ("3", "three", '"three"'),
            ("true", Literal("false"), "false"),
            ("1.50", Literal("2026-01-31"), "2026-01-31"),
            ("{ a = 1 }", [1, "x"], '[1, "x"]'),
            ("[1, 2]", {"a": {}, "b c": 1}, '{ a = {}, "b c" = 1 }'),
        ],
    )
    def test_the_kind_of_quotes_stays_where_it_can(
        self, old: str, new: Value, written: str
    ) -> None:
        before = f"{A}notes = {old} # why\n\n# end\n"
        assert setting(before, "notes", new) == f"{A}notes = {written} # why\n\n# end\n"

    def test_spaces_comments_and_quoted_keys_stay(self) -> None:
        before = '[[ "tasks" ]] # one\n\tid="a"\n  "description"   =   "A"   # why\n'
        assert setting(before, "description", "B") == before.replace('"A"', '"B"')

    def test_a_long_string_that_holds_toml_is_no_header(self) -> None:
        text = (
            f'''{A}notes = """\n[[tasks]]\nid = "b"\nstatus = "failed"\n"""\nstatus = "pending"\n'''
        )
        after = setting(text, "status", "running")
        assert after == text.replace('status = "pending"', 'status = "running"')

    def test_the_same_key_in_a_sub_table_is_not_meant(self) -> None:
        text = (
            f'[other]\nstatus = "x"\n\n{A}status = "pending"\n\n[tasks.extra]\nstatus = "pending"\n'
        )
        after = setting(text, "status", "failed")
        assert after == text.replace('status = "pending"', 'status = "failed"', 1)

    def test_crlf_and_a_byte_order_mark_stay(self) -> None:
        data = b"\xef\xbb\xbf" + (A + 'notes = """x"""\n').replace("\n", "\r\n").encode()
        reading = read_leniently(data, "f")
        changes = [
            Edited("a", "notes", "x", "1\n2"),
            Edited("a", "status", "pending", "failed"),
        ]
        assert edit_plan(data, reading, changes) == (
            b'\xef\xbb\xbf[[tasks]]\r\nid = "a"\r\ndescription = "A"\r\nstatus = "failed"\r\n'
            b'notes = """1\r\n2"""\r\n'
        )


class TestLists:
    @pytest.mark.parametrize(
        ("old", "new", "written"),
        [
            ('["x", "y"]', ["x", "y", "z"], '["x", "y", "z"]'),
            ('["x","y"]', ["x", "y", "z"], '["x","y","z"]'),
            ("['x', 'y']", ["x", "y", "z"], "['x', 'y', 'z']"),
            ('[ "x", "y" ]', ["y"], '[ "y" ]'),
            ('[ "x", "y" ]', ["x"], '[ "x" ]'),
            ('["x", "y", "z"]', ["x"], '["x"]'),
            ('["x", "y", "z"]', ["z"], '["z"]'),
            ('["x", "y", "z"]', ["x", "z"], '["x", "z"]'),
            ('["x", "y",]', ["x"], '["x",]'),
            ('["x",]', ["x", "y"], '["x", "y",]'),
            ('["x"]', ["new", "x"], '["new", "x"]'),
            ('["x", "y"]', ["x", "other"], '["x", "other"]'),
            ("[]", ["x", "y"], '["x", "y"]'),
            ("[ ]", ["x"], '["x"]'),
            (
                '[\n  "x", # one\n  # about y\n  "y", # two\n]',
                ["x", "y", "z"],
                '[\n  "x", # one\n  # about y\n  "y", # two\n  "z",\n]',
            ),
            ('[\n\t"x", # one\n\t"y" # two\n]', ["x", "y", "z"], '[\n\t"x", # one\n\t"y", # two\n\t"z"\n]'),
            ('[\n  "x", # one\n  "y", # two\n]', ["y"], '[\n  "y", # two\n]'),
            ('[\n  "x", # one\n  "y" # two\n]', ["x"], '[\n  "x" # one\n]'),
            ('[\n  "x", # one\n  "y", # two\n]', ["x", "new", "y"], '[\n  "x", # one\n  "new",\n  "y", # two\n]'),
            ('[\n  "x",\n]', ["new", "x"], '[\n  "new",\n  "x",\n]'),
            ('[\n  # none yet\n]', ["x"], '[\n  # none yet\n  "x",\n]'),
        ],
    )  # fmt: skip
    def test_items_come_and_go_in_the_layout_that_is_there(
        self, old: str, new: list[Value], written: str
    ) -> None:
        before = f"{A}tags = {old}\nlast = 1\n"
        assert setting(before, "tags", new) == f"{A}tags = {written}\nlast = 1\n"

    def test_a_list_that_becomes_none_loses_its_lines(self) -> None:
        before = f'{A}tags = [\n  "x", # one\n] # why\nlast = 1\n'
        assert setting(before, "tags", ABSENT) == f"{A}last = 1\n"

    def test_tables_in_a_list_are_edited_in_their_places(self) -> None:
        before = f"{A}steps = [\n  {{ a = 1 }}, # one\n  {{ a = 2, b = 'x' }},\n]\n"
        after = setting(before, "steps", [{"a": 1}, {"a": 3, "b": "y"}])
        assert after == before.replace("2, b = 'x'", "3, b = 'y'")


class TestNewKeys:
    def test_a_new_key_comes_in_the_order_of_writing(self) -> None:
        before = f'{A}agent = "dev"\ntags = ["x"]\nnotes = "n"\n\n# about b\n[[tasks]]\nid = "b"\n'
        after = setting(before, "status", "running")
        assert after == before.replace('"dev"\n', '"dev"\nstatus = "running"\n')

    def test_a_key_of_the_users_comes_last_but_not_after_the_next_ones_comment(self) -> None:
        before = f'{A}# parent = "x"\n\n# about b\n[[tasks]]\nid = "b"\ndescription = "B"\n'
        after = setting(before, "new key", 1)
        assert after == before.replace('"A"\n', '"A"\n"new key" = 1\n')

    def test_indentation_and_line_ending_are_the_neighbours(self) -> None:
        before = '[[tasks]]\r\n    id = "a"\r\n    description = "A"\r\n'
        assert setting(before, "status", "failed") == before + '    status = "failed"\r\n'

    def test_aligned_equals_signs_stay_aligned(self) -> None:
        before = '[[tasks]]\nid          = "a"\ndescription = "A"\n'
        assert setting(before, "status", "failed") == before + 'status      = "failed"\n'

    def test_a_style_without_spaces_stays(self) -> None:
        before = '[[tasks]]\nid="a"\ndescription="A"\n'
        assert setting(before, "status", "failed") == before + 'status="failed"\n'

    def test_a_missing_newline_at_the_end_stays_missing(self) -> None:
        assert setting(A.rstrip("\n"), "status", "failed") == f'{A}status = "failed"'

    def test_an_empty_text_is_filled_where_it_stands(self) -> None:
        before = f"{A}agent = ''\ntags = []\n"
        assert setting(before, "agent", "dev") == before.replace("''", "'dev'")

    def test_made_ids_are_written_as_first_keys(self) -> None:
        before = '# one\n[[tasks]] # head\n# about\ndescription = "Do it"\n\n[[tasks]]\ndescription = "Do it"\n'
        made = read_leniently(before.encode(), "f").named
        after = before.replace("# head\n", f'# head\nid = "{made[0]}"\n')
        after = after.replace("\n\n[[tasks]]\n", f'\n\n[[tasks]]\nid = "{made[1]}"\n')
        assert edited(before) == after

    def test_several_new_keys_come_in_the_order_of_writing(self) -> None:
        changes = [
            Edited("a", "zeta", ABSENT, 1),
            Edited("a", "tags", ABSENT, ["x"]),
            Edited("a", "status", "pending", "failed"),
            Edited("a", "agent", ABSENT, "dev"),
        ]
        after = f'{A}agent = "dev"\nstatus = "failed"\ntags = ["x"]\nzeta = 1\n'
        assert edited(A, *changes) == after

    def test_a_removed_key_takes_its_line_and_its_comment(self) -> None:
        before = f'{A}agent = "dev" # why\n# parent = "x"\nstatus = "failed"\n'
        assert setting(before, "agent", ABSENT) == before.replace('agent = "dev" # why\n', "")


class TestNestedTables:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("extra = { a = 1, b = { c = 'x' } } # why", "extra = { a = 1, b = { c = 'y' }, d = 2 } # why"),
            ("extra.a = 1 # one\nextra . b.c = 'x'", "extra.a = 1 # one\nextra . b.c = 'y'\nextra.d = 2"),
            ("\n[tasks.extra]\na = 1\nb.c = 'x' # two", "\n[tasks.extra]\na = 1\nb.c = 'y' # two\nd = 2"),
            ("\n[tasks.extra.b] # b\nc = 'x'\n[tasks.extra]\na = 1", "\n[tasks.extra.b] # b\nc = 'y'\n[tasks.extra]\na = 1\nd = 2"),
            ("extra.a = 1\n[tasks.extra.b]\nc = 'x'", "extra.a = 1\nextra.d = 2\n[tasks.extra.b]\nc = 'y'"),
        ],
    )  # fmt: skip
    def test_only_the_leaves_that_differ_change(self, before: str, after: str) -> None:
        new: Value = {"a": 1, "b": {"c": "y"}, "d": 2}
        assert setting(f"{A}{before}\n", "extra", new) == f"{A}{after}\n"

    @pytest.mark.parametrize(
        "before",
        [
            "extra = { a = 1, b = 'x' }",
            "extra.a = 1\nextra.b = 'x'",
            "\n# about it\n[tasks.extra]\na = 1\nb = 'x'",
        ],
    )
    def test_a_table_that_becomes_none_leaves_nothing(self, before: str) -> None:
        assert setting(f"{A}{before}\n", "extra", ABSENT) == A

    def test_a_table_that_becomes_text_is_written_with_the_keys(self) -> None:
        before = f'{A}\n[tasks.extra]\na = 1\n\n[[tasks]]\nid = "b"\ndescription = "B"\n'
        after = f'{A}extra = "x"\n\n[[tasks]]\nid = "b"\ndescription = "B"\n'
        assert setting(before, "extra", "x") == after

    def test_an_emptied_table_stays_one(self) -> None:
        assert setting(f"{A}extra.a = 1\n", "extra", {}) == f"{A}extra = {{}}\n"
        assert setting(f"{A}\n[tasks.extra]\na = 1\n", "extra", {}) == f"{A}\n[tasks.extra]\n"

    def test_tables_of_an_array_of_tables_are_edited_in_their_places(self) -> None:
        before = f"{A}\n[[tasks.steps]]\nwhat = 'x' # one\n\n[[tasks.steps]]\nwhat = 'y'\n"
        after = setting(before, "steps", [{"what": "x"}, {"what": "z", "n": 1}])
        assert after == before.replace("what = 'y'\n", "what = 'z'\nn = 1\n")


class TestRemovingTasks:
    BEFORE = """\
        [meta]
        description = "Plan"

        # ---- first part ----

        # about a
        [[tasks]]
        id = "a" # a
        description = "A"
        # parent = "x"

        # about b
        [[tasks]]
        id = "b"
        description = "B"

        [tasks.extra]
        x = 1

        [other]
        y = 2

        # about c
        [[tasks]]
        id = "c"
        description = "C"

        # the end
        """

    def test_a_task_takes_the_comments_that_belong_to_it(self) -> None:
        after = removing(self.BEFORE, "a")
        lines = '# about a\n[[tasks]]\nid = "a" # a\ndescription = "A"\n# parent = "x"\n\n'
        assert after == dedent(self.BEFORE).replace(lines, "")

    def test_sub_tables_go_and_other_tables_stay(self) -> None:
        after = removing(self.BEFORE, "b")
        lines = '# about b\n[[tasks]]\nid = "b"\ndescription = "B"\n\n[tasks.extra]\nx = 1\n\n'
        assert after == dedent(self.BEFORE).replace(lines, "")

    def test_the_comment_at_the_end_of_the_file_stays(self) -> None:
        after = removing(self.BEFORE, "c")
        lines = '# about c\n[[tasks]]\nid = "c"\ndescription = "C"\n\n'
        assert after == dedent(self.BEFORE).replace(lines, "")

    def test_neighbours_can_go_together(self) -> None:
        after = removing(self.BEFORE, "a", "b")
        assert after == removing(removing(self.BEFORE, "b"), "a")
        assert removing(self.BEFORE, "b", "c") == removing(removing(self.BEFORE, "c"), "b")

    def test_the_last_task_takes_the_blank_line_above_it(self) -> None:
        before = f'{A}\n\n[[tasks]]\nid = "b"\ndescription = "B"'
        assert removing(before, "b") == A

    def test_the_comment_right_under_a_value_that_looks_like_one_is_no_comment(self) -> None:
        before = f'{A}notes = """\n# foo"""\n[[tasks]]\nid = "b"\ndescription = "B"\n'
        assert removing(before, "b") == f'{A}notes = """\n# foo"""\n'

    def test_a_comment_right_above_the_next_header_is_the_next_ones(self) -> None:
        before = f'{A}# about b\n[[tasks]]\nid = "b"\ndescription = "B"\n'
        assert removing(before, "a") == '# about b\n[[tasks]]\nid = "b"\ndescription = "B"\n'

    def test_a_plan_without_its_last_task_is_still_a_plan(self) -> None:
        assert removing(f"# top\n\n{A}", "a") == "# top\ntasks = []\n"
        assert removing(f"[meta]\nx = 1\n\n{A}", "a") == "[meta]\nx = 1\n"
        assert removing(f"{A}\n[other]\ny = 1\n", "a") == "tasks = []\n[other]\ny = 1\n"


class TestAddingTasks:
    def test_a_task_comes_after_the_last_one_in_the_order_of_writing(self) -> None:
        task = new_task(
            zeta=1, depends_on=["a"], tags=["x"], parent="a", agent="dev", note={"b": 1}
        )
        assert edited(f"{A}\n# the end\n", task) == (
            f'{A}\n[[tasks]]\nid = "new"\ndescription = "New"\nagent = "dev"\nstatus = "pending"\n'
            'parent = "a"\ntags = ["x"]\ndepends_on = ["a"]\nzeta = 1\nnote = { b = 1 }\n'
            "\n# the end\n"
        )

    NEW = '[[tasks]]\nid = "new"\ndescription = "New"\nstatus = "pending"\n'

    def test_it_comes_before_tables_that_follow_and_after_sub_tables(self) -> None:
        before = f"{A}\n[tasks.extra]\nx = 1\n# about x\n\n# about y\n[other]\ny = 1\n"
        after = f"{A}\n[tasks.extra]\nx = 1\n# about x\n\n{self.NEW}\n# about y\n[other]\ny = 1\n"
        assert edited(before, new_task()) == after

    def test_a_missing_newline_at_the_end_stays_missing(self) -> None:
        assert edited(A.rstrip("\n"), new_task()) == f"{A}\n{self.NEW}".rstrip("\n")

    def test_line_endings_are_kept(self) -> None:
        before = A.replace("\n", "\r\n")
        assert edited(before, new_task()) == f"{A}\n{self.NEW}".replace("\n", "\r\n")

    def test_several_come_with_a_blank_line_between(self) -> None:
        second = self.NEW.replace('"new"', '"two"')
        assert edited(A, new_task(), new_task("two")) == f"{A}\n{self.NEW}\n{second}"

    def test_a_plan_without_tasks_gets_its_first(self) -> None:
        assert edited("[meta]\nx = 1\n", new_task()) == f"[meta]\nx = 1\n\n{self.NEW}"
        assert edited("# top\ntasks = []\n", new_task()) == f"# top\n\n{self.NEW}"

    def test_all_tasks_can_be_exchanged(self) -> None:
        tasks = read_leniently(A.encode(), "f").plan.tasks
        assert edited(f"# top\n\n{A}", Removed(tasks["a"]), new_task()) == f"# top\n\n{self.NEW}"


class TestInlineTasks:
    BEFORE = """\
        tasks = [
          { id = "a", description = "A" }, # one
          # about b
          { id = "b", description = "B", status = "running", tags = ["x"] },
        ]
        """

    def test_one_value_is_replaced(self) -> None:
        after = setting(self.BEFORE, "status", "failed", "b")
        assert after == dedent(self.BEFORE).replace('"running"', '"failed"')

    def test_a_new_key_goes_in_its_place(self) -> None:
        after = setting(self.BEFORE, "status", "failed")
        assert after == dedent(self.BEFORE).replace('"A" }', '"A", status = "failed" }')
        after = setting(self.BEFORE, "agent", "dev", "b")
        assert after == dedent(self.BEFORE).replace('"B",', '"B", agent = "dev",')

    def test_a_key_goes_with_its_comma(self) -> None:
        after = setting(self.BEFORE, "tags", ABSENT, "b")
        assert after == dedent(self.BEFORE).replace(', tags = ["x"]', "")

    def test_a_task_comes_on_a_line_of_its_own(self) -> None:
        line = '  { id = "new", description = "New", status = "pending" },\n'
        assert edited(self.BEFORE, new_task()) == dedent(self.BEFORE)[:-2] + line + "]\n"

    def test_a_task_goes_with_its_line(self) -> None:
        after = removing(self.BEFORE, "a")
        line = '  { id = "a", description = "A" }, # one\n'
        assert after == dedent(self.BEFORE).replace(line, "")

    def test_the_last_task_leaves_an_empty_array(self) -> None:
        assert removing('tasks = [{ id = "a", description = "A" }]\n', "a") == "tasks = []\n"

    def test_a_made_id_comes_first(self) -> None:
        before = 'tasks = [{ description = "A" }]\n'
        made = read_leniently(before.encode(), "f").named[0]
        assert edited(before) == f'tasks = [{{ id = "{made}", description = "A" }}]\n'


class TestMeta:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (f'[meta]\ndescription = "old" # d\n\n{A}', f'[meta]\ndescription = "new" # d\n\n{A}'),
            (f'{A}\n[meta]\ndescription = "old"\n', f'{A}\n[meta]\ndescription = "new"\n'),
            (f'meta.description = "old"\n\n{A}', f'meta.description = "new"\n\n{A}'),
            (f'meta = {{ description = "old" }}\n{A}', f'meta = {{ description = "new" }}\n{A}'),
            (f"[meta]\nx = 1\n\n{A}", f'[meta]\ndescription = "new"\nx = 1\n\n{A}'),
            (f"meta.x = 1 # x\n\n{A}", f'meta.x = 1 # x\nmeta.description = "new"\n\n{A}'),
            (A, f'[meta]\ndescription = "new"\n\n{A}'),
            (f"#:schema x\n# about a\n{A}", f'#:schema x\n\n[meta]\ndescription = "new"\n\n# about a\n{A}'),
            (f"#:schema x\n# top\n\n{A}", f'#:schema x\n# top\n\n[meta]\ndescription = "new"\n\n{A}'),
            (f"title = 'x'\n\n{A}", f"title = 'x'\n\n[meta]\ndescription = \"new\"\n\n{A}"),
            (f"{A}\n[meta.links]\nx = 1\n", f'[meta]\ndescription = "new"\n\n{A}\n[meta.links]\nx = 1\n'),
        ],
    )  # fmt: skip
    def test_the_description_is_set_wherever_it_stands(self, before: str, after: str) -> None:
        assert setting(before, "description", "new", META_ID) == after

    def test_all_of_meta_may_change_where_it_is_dotted_keys(self) -> None:
        changes = [
            Edited(META_ID, "description", "old", ABSENT),
            Edited(META_ID, "default_agent", ABSENT, "dev"),
        ]
        after = f'meta.default_agent = "dev"\n\n{A}'
        assert edited(f'meta.description = "old"\n\n{A}', *changes) == after

    def test_a_key_of_meta_is_removed_with_its_line(self) -> None:
        before = f'[meta]\ndescription = "x"\ndefault_agent = "dev" # d\n\n{A}'
        after = setting(before, "default_agent", ABSENT, META_ID)
        assert after == before.replace('default_agent = "dev" # d\n', "")
