"""Merging three files, by example: what the outcome looks like, line by line."""

from __future__ import annotations

import pytest

from tests.support.merges import conflict_names, merged, merged_text
from tt.adapters import merge_files
from tt.core.ids import made_id
from tt.core.markers import hunk
from tt.core.merged import LineMerge
from tt.core.three import Three

META = '[meta]\ndescription = "plan"\n\n'
A = '[[tasks]]\nid = "a"\ndescription = "A"\nagent = "dev"\nstatus = "pending"\n'
B = '[[tasks]]\nid = "b"\ndescription = "B"\ntags = ["x"]\n'
C = '[[tasks]]\nid = "c"\ndescription = "C"\n'
PLAN = f"{META}{A}\n{B}\n{C}"


def text_of(base: str, ours: str, theirs: str) -> str:
    """Merge, and return a clean outcome."""
    result = merged_text(base, ours, theirs)
    assert result.is_clean, result
    return result.data.decode()


def changed(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


class TestConflicts:
    def test_markers_stand_around_the_fields_lines_and_nowhere_else(self) -> None:
        ours = changed(PLAN, ('"dev"', '"qa"'), ('["x"]', '["x", "y"]'))
        theirs = changed(PLAN, ('"dev"', '"ops"  # why'), ('["x"]', '["x", "z"]'))
        result = merged_text(PLAN, ours, theirs)
        assert not result.is_clean
        assert result.data.decode() == changed(
            PLAN,
            (
                'agent = "dev"\n',
                '<<<<<<< ours\nagent = "qa"\n=======\nagent = "ops"  # why\n>>>>>>> theirs\n',
            ),
            ('["x"]', '["x", "y", "z"]'),
        )

    def test_two_fields_of_one_task_are_two_conflicts(self) -> None:
        ours = changed(PLAN, ('"A"', '"A1"'), ('"dev"', '"qa"'))
        theirs = changed(PLAN, ('"A"', '"A2"'), ('"dev"', '"ops"'))
        result = merged_text(PLAN, ours, theirs)
        assert conflict_names(result) == {("a", "description"), ("a", "agent")}
        assert result.data.count(b"<<<<<<< ours\n") == 2

    def test_a_value_of_several_lines_is_in_its_markers_as_a_whole(self) -> None:
        notes = 'notes = """\none\ntwo\nthree\n"""\n'
        base = changed(PLAN, ('status = "pending"\n', notes))
        ours, theirs = changed(base, ("two", "2")), changed(base, ("two", "zwei"))
        result = merged_text(base, ours, theirs)
        mine, other = notes.replace("two", "2"), notes.replace("two", "zwei")
        lines = f"<<<<<<< ours\n{mine}=======\n{other}>>>>>>> theirs\n"
        assert result.data.decode() == changed(base, (notes, lines))

    def test_a_task_edited_here_and_removed_there_is_between_markers_as_a_whole(self) -> None:
        base = changed(PLAN, (B, f"{B}# below b\n"))
        ours = changed(base, (f"\n{B}", "\n# on b\n" + changed(B, ('"B"', '"B!"'))))
        theirs = changed(base, (f"{B}# below b\n\n", ""))
        result = merged_text(base, ours, theirs)
        assert conflict_names(result) == {("b", None)}
        block = "\n# on b\n" + changed(B, ('"B"', '"B!"')) + "# below b\n"
        assert result.data.decode() == (
            f"{META}{A}<<<<<<< ours\n{block}=======\n>>>>>>> theirs\n\n{C}"
        )

    def test_markers_are_as_long_as_git_asks_for(self) -> None:
        ours, theirs = changed(PLAN, ('"A"', '"1"')), changed(PLAN, ('"A"', '"2"'))
        data = Three(PLAN, ours, theirs).map(str.encode)
        found = merged(data, 11).data.decode()
        for char, word in (("<", " ours"), ("=", ""), (">", " theirs")):
            assert f"\n{char * 11}{word}\n" in found

    def test_a_field_that_one_side_took_out_has_an_empty_side(self) -> None:
        ours, theirs = changed(PLAN, ('agent = "dev"\n', "")), changed(PLAN, ('"dev"', '"ops"'))
        found = merged_text(PLAN, ours, theirs).data.decode()
        assert '<<<<<<< ours\n=======\nagent = "ops"\n>>>>>>> theirs\n' in found

    def test_a_sub_table_in_conflict_is_in_its_markers_with_its_header(self) -> None:
        table = "\n[tasks.limits]\ndays = 3  # c\n"
        base = f"{META}{A}{table}\n{B}"
        ours, theirs = (
            changed(base, ("days = 3", "days = 4")),
            changed(base, ("days = 3", "days = 5")),
        )
        result = merged_text(base, ours, theirs)
        assert conflict_names(result) == {("a", "limits")}
        assert result.data.decode() == changed(
            base,
            (
                "[tasks.limits]\ndays = 3  # c\n",
                hunk("[tasks.limits]\ndays = 4  # c\n", "[tasks.limits]\ndays = 5  # c\n"),
            ),
        )

    def test_a_table_said_in_two_ways_is_in_two_pairs_of_markers(self) -> None:
        ours = changed(f"{META}{A}", ('"pending"\n', '"pending"\nlimits = { days = 3 }\n'))
        theirs = f"{META}{A}[tasks.limits]\ndays = 4\n"
        result = merged_text(f"{META}{A}", ours, theirs)
        assert conflict_names(result) == {("a", "limits")}
        assert result.data.count(b"<<<<<<< ours\n") == 2

    def test_meta_and_the_top_of_a_file_have_conflicts_like_tasks(self) -> None:
        base = f'title = "t"\n\n{PLAN}'
        ours = changed(base, ('"t"', '"t1"'), ('"plan"', '"plan 1"'))
        theirs = changed(base, ('"t"', '"t2"'), ('"plan"', '"plan 2"'))
        result = merged_text(base, ours, theirs)
        assert conflict_names(result) == {("[]", "title"), ("[meta]", "description")}
        assert result.data.decode().startswith(
            '<<<<<<< ours\ntitle = "t1"\n=======\ntitle = "t2"\n>>>>>>> theirs\n'
            "\n[meta]\n<<<<<<< ours\n"
        )

    def test_meta_by_dotted_keys_has_conflicts_in_its_lines(self) -> None:
        base = f'meta.description = "x"\nmeta.owner = "me"\n\n{A}'
        ours, theirs = (
            changed(base, ('"x"', '"y"'), ('"me"', '"us"')),
            changed(base, ('"x"', '"z"')),
        )
        result = merged_text(base, ours, theirs)
        assert conflict_names(result) == {("[meta]", "description")}
        assert result.data.decode() == (
            '<<<<<<< ours\nmeta.description = "y"\n=======\nmeta.description = "z"\n'
            f'>>>>>>> theirs\nmeta.owner = "us"\n\n{A}'
        )

    def test_an_array_of_tables_beside_the_plan_is_one_value(self) -> None:
        base = f"{META}{A}\n[[steps]]\nn = 1\n\n[[steps]]\nn = 2\n"
        ours, theirs = changed(base, ("n = 1", "n = 8")), changed(base, ("n = 2", "n = 9"))
        result = merged_text(base, ours, theirs)
        assert conflict_names(result) == {("[]", "steps")}
        lines = (
            "<<<<<<< ours\n\n[[steps]]\nn = 8\n\n[[steps]]\nn = 2\n=======\n"
            "\n[[steps]]\nn = 1\n\n[[steps]]\nn = 9\n>>>>>>> theirs\n"
        )
        assert result.data.decode() == f"{META}{A}{lines}"

    def test_tasks_in_an_array_have_whole_lines_between_markers(self) -> None:
        base = (
            'tasks = [\n  { id = "a", description = "A", agent = "x" },\n'
            '  { id = "b", description = "B" },\n]\n'
        )
        ours, theirs = changed(base, ('"x"', '"y"')), changed(base, ('"x"', '"z"'), ('"B"', '"B2"'))
        result = merged_text(base, ours, theirs)
        assert conflict_names(result) == {("a", "agent")}
        assert result.data.decode() == (
            'tasks = [\n<<<<<<< ours\n  { id = "a", description = "A", agent = "y" },\n=======\n'
            '  { id = "a", description = "A", agent = "z" },\n>>>>>>> theirs\n'
            '  { id = "b", description = "B2" },\n]\n'
        )

    def test_a_conflict_at_the_end_of_a_file_without_a_last_newline_has_markers_of_its_own(
        self,
    ) -> None:
        base = 'tasks = [ { id = "a", description = "A" } ]'
        result = merged_text(base, changed(base, ('"A"', '"1"')), changed(base, ('"A"', '"2"')))
        assert result.data.decode().splitlines() == [
            "<<<<<<< ours",
            changed(base, ('"A"', '"1"')),
            "=======",
            changed(base, ('"A"', '"2"')),
            ">>>>>>> theirs",
        ]

    def test_what_the_merge_would_break_is_a_conflict_that_says_why(self) -> None:
        ours = changed(PLAN, ('id = "a"\n', 'id = "a"\nparent = "c"\n'))
        theirs = changed(PLAN, ('id = "c"\n', 'id = "c"\nparent = "a"\n'))
        result = merged_text(PLAN, ours, theirs)
        assert conflict_names(result) == {("a", "parent"), ("c", "parent")}
        assert {c.why for c in result.conflicts} == {
            "these tasks would wait for each other: `a` → `c` → `a`"
        }


class TestFormatAndComments:
    def test_one_sides_value_comes_with_the_others_comment(self) -> None:
        ours = changed(PLAN, ('"dev"\n', '"dev"  # who else\n'), ('"A"', '"A1"'))
        theirs = changed(PLAN, ('"dev"', '"ops"'), ('"pending"', '"running"'))
        found = text_of(PLAN, ours, theirs)
        assert 'agent = "ops"  # who else\nstatus = "running"\n' in found

    def test_one_sides_value_comes_with_the_others_way_of_writing_the_key(self) -> None:
        ours, theirs = (
            changed(PLAN, ("agent = ", "agent       = ")),
            changed(PLAN, ('"dev"', '"ops"')),
        )
        assert text_of(PLAN, ours, theirs) == changed(
            PLAN, ('agent = "dev"', 'agent       = "ops"')
        )

    def test_comments_that_both_sides_wrote_beside_one_value_both_stay(self) -> None:
        ours = changed(PLAN, ('"dev"\n', '"dev"  # ours\n'))
        theirs = changed(PLAN, ('"dev"\n', '"ops"  # theirs\n'))
        found = text_of(PLAN, ours, theirs)
        assert '# theirs\nagent = "ops"  # ours\n' in found

    def test_a_status_is_written_as_the_side_wrote_it_that_is_further_along(self) -> None:
        ours = changed(PLAN, ('"pending"', '"running"'))
        theirs = changed(PLAN, ('"pending"', "'completed'"))
        assert text_of(PLAN, ours, theirs) == theirs
        assert text_of(PLAN, theirs, ours) == theirs

    def test_a_comment_beside_a_value_that_goes_stays_with_its_task(self) -> None:
        base = changed(PLAN, ('"pending"\n', '"pending"\npriority = 1\n'))
        ours = changed(base, ("priority = 1\n", ""))
        theirs = changed(base, ("priority = 1\n", "priority = 1  # ask Eve\n"), ('"C"', '"C!"'))
        assert text_of(base, ours, theirs) == changed(
            PLAN, ('"pending"\n', '"pending"\n# ask Eve\n'), ('"C"', '"C!"')
        )

    def test_a_table_that_one_side_took_out_and_the_other_added_to_has_its_header(self) -> None:
        base = changed(PLAN, ("[meta]", "[ meta ]"))
        ours = changed(base, (META.replace("[meta]", "[ meta ]"), ""))
        theirs = changed(base, ('"plan"\n', '"plan"\nowner = "me"\n'))
        assert text_of(base, ours, theirs) == f'[ meta ]\nowner = "me"\n\n{A}\n{B}\n{C}'

    def test_tasks_that_both_sides_put_first_have_an_empty_line_between_them(self) -> None:
        new = {name: f'[[tasks]]\nid = "{name}"\ndescription = "new"\n' for name in "xy"}
        base = f"{B}\n{A}"
        ours, theirs = f"{new['y']}\n{base}", f"{new['x']}\n{base}"
        wanted = f"{new['x']}\n{new['y']}\n{base}"
        assert text_of(base, ours, theirs) == text_of(base, theirs, ours) == wanted

    def test_comment_lines_stay_come_and_go_by_themselves(self) -> None:
        base = changed(PLAN, (A, "# one\n# two\n" + A))
        ours = changed(base, ("# one\n", ""), ("# two\n", "# two\n# ours\n"))
        theirs = changed(base, ("# one\n", "# theirs\n# one\n"), ('"A"', '"A!"'))
        assert text_of(base, ours, theirs) == changed(
            PLAN, (A, "# theirs\n# two\n# ours\n" + changed(A, ('"A"', '"A!"')))
        )

    def test_a_comment_above_a_value_goes_with_the_side_that_took_it_out(self) -> None:
        base = changed(PLAN, ("agent =", "# old\nagent ="))
        ours = changed(base, ('"dev"', '"ops"'))
        theirs = changed(base, ("# old\n", "# new\n"), ('"pending"', '"running"'))
        wanted = changed(theirs, ('"dev"', '"ops"'))
        assert text_of(base, ours, theirs) == text_of(base, theirs, ours) == wanted

    def test_comments_within_a_list_outlive_its_merge(self) -> None:
        tags = 'tags = [\n  "x",  # first\n]\n'
        base = changed(PLAN, ('tags = ["x"]\n', tags))
        ours = changed(base, ("# first\n", '# first\n  "y",  # ours\n'))
        theirs = changed(base, ('  "x",', '  "w",  # theirs\n  "x",'))
        found = text_of(base, ours, theirs)
        assert all(f"# {word}\n" in found for word in ("first", "ours", "theirs"))
        assert found.count("#") == 3

    def test_a_comment_that_was_added_to_a_removed_task_stays_without_it(self) -> None:
        ours = changed(PLAN, (f"{B}\n", ""))
        theirs = changed(PLAN, (B, "# ask Eve about b\n" + B), ('"C"', '"C!"'))
        found = text_of(PLAN, ours, theirs)
        assert "# ask Eve about b\n" in found
        assert '"b"' not in found

    def test_a_comment_between_tasks_outlives_its_neighbours(self) -> None:
        base = changed(PLAN, (B, f"# --- backend ---\n\n{B}"))
        ours, theirs = changed(base, (f"{A}\n", "")), changed(base, (f"{B}\n", ""))
        assert text_of(base, ours, theirs) == f"{META}# --- backend ---\n\n{C}"

    def test_a_line_for_editors_stays_the_first(self) -> None:
        base = f"#:schema ./tasks.schema.json\n{A}\n{B}"
        ours = changed(base, (f"{A}\n", ""))
        theirs = changed(base, (A, f"{C}\n{A}"))
        assert text_of(base, ours, theirs) == f"#:schema ./tasks.schema.json\n{C}\n{B}"

    def test_blocks_that_one_side_left_alone_are_the_others_to_the_byte(self) -> None:
        odd = '[[tasks]]\nid="a"   \ndescription   =  \'A\'\n\n\nagent = "qa"\n'
        ours, theirs = (
            changed(PLAN, (A, odd)),
            changed(PLAN, ('"B"', '"B!"'), ("\n\n[[", "\n\n\n\n[[")),
        )
        assert odd in text_of(PLAN, ours, theirs)

    def test_new_tasks_follow_what_they_follow_on_their_side(self) -> None:
        new = {name: f'[[tasks]]\nid = "{name}"\ndescription = "new"\n' for name in "xyz"}
        base = f"{C}\n{B}\n{A}"
        ours = f"{C}\n{new['z']}\n{B}\n{A}"
        theirs = f"{C}\n{new['y']}\n{B}\n{A}\n{new['x']}"
        wanted = f"{C}\n{new['y']}\n{new['z']}\n{B}\n{A}\n{new['x']}"
        assert text_of(base, ours, theirs) == wanted
        assert text_of(base, theirs, ours) == wanted

    def test_tasks_that_one_side_moved_are_where_it_moved_them(self) -> None:
        ours = f"{META}{C}\n{A}\n{B}"
        theirs = changed(PLAN, ('"A"', '"A!"'))
        assert text_of(PLAN, ours, theirs) == changed(ours, ('"A"', '"A!"'))

    def test_fields_that_both_added_stand_in_the_order_of_writing(self) -> None:
        ours = changed(PLAN, ('"C"\n', '"C"\ntags = ["x"]\n'))
        theirs = changed(PLAN, ('"C"\n', '"C"\nagent = "dev"\n'))
        for one, other in ((ours, theirs), (theirs, ours)):
            assert text_of(PLAN, one, other).endswith('"C"\nagent = "dev"\ntags = ["x"]\n')

    def test_a_clean_merge_of_lines_is_taken_as_it_is(self) -> None:
        ours = changed(PLAN, (f"\n{B}", f"\n\n\n{B}"))
        theirs = changed(PLAN, ('"C"', '"C!"  # odd   spacing'))
        assert text_of(PLAN, ours, theirs) == changed(ours, ('"C"', '"C!"  # odd   spacing'))

    def test_the_last_task_may_go_and_the_file_stays_a_plan(self) -> None:
        assert text_of(f"{A}\n{B}", A, B) == "tasks = []\n"
        merged = text_of(f"{META}{A}\n{B}", f"{META}{A}", f"{META}{B}")
        assert merged == META.removesuffix("\n")


class TestShape:
    def test_a_side_that_changed_the_line_endings_has_its_way(self) -> None:
        ours = changed(PLAN, ('"A"', '"A!"'))
        theirs = changed(PLAN, ('"B"', '"B!"')).replace("\n", "\r\n")
        both = changed(PLAN, ('"A"', '"A!"'), ('"B"', '"B!"')).replace("\n", "\r\n")
        for one, other in ((ours, theirs), (theirs, ours)):
            assert merged_text(PLAN, one, other).data == both.encode()

    def test_without_a_base_a_side_with_its_own_line_endings_has_its_way(self) -> None:
        for one, other in ((A, B.replace("\n", "\r\n")), (B.replace("\n", "\r\n"), A)):
            assert merged_text("", one, other).data == f"{A}\n{B}".replace("\n", "\r\n").encode()

    def test_conflicts_have_the_line_endings_of_the_file(self) -> None:
        sides = [changed(PLAN, ('"A"', f'"{n}"')).replace("\n", "\r\n") for n in (1, 2)]
        found = merged_text(PLAN.replace("\n", "\r\n"), *sides).data
        assert found.count(b"\n") == found.count(b"\r\n")
        assert b"<<<<<<< ours\r\n" in found

    @pytest.mark.parametrize("mark", ["\ufeff", ""])
    def test_a_byte_order_mark_and_a_missing_last_newline_merge_as_well(self, mark: str) -> None:
        ours = changed(PLAN, ('"A"', '"A!"'), ('"dev"', '"x"')).rstrip("\n")
        theirs = mark + changed(PLAN, ('"A"', '"A!"'), ('["x"]', '["y"]'))
        found = merged_text(PLAN, ours, theirs).data.decode()
        assert found.startswith("\ufeff") == bool(mark)
        assert not found.endswith("\n")

    def test_tasks_without_ids_merge_by_their_descriptions(self) -> None:
        base = '[[tasks]]\ndescription = "one"\n\n[[tasks]]\ndescription = "two"\n'
        ours = changed(base, ('"one"\n', '"one"\nagent = "dev"\n'))
        theirs = changed(
            base, ('"one"\n', '"one"\nstatus = "running"\n'), ('"two"\n', '"two"\ntags = ["x"]\n')
        )
        assert text_of(base, ours, theirs) == (
            '[[tasks]]\ndescription = "one"\nagent = "dev"\nstatus = "running"\n'
            '\n[[tasks]]\ndescription = "two"\ntags = ["x"]\n'
        )

    def test_an_id_that_one_side_wrote_down_is_written_down(self) -> None:
        base = '[[tasks]]\ndescription = "one"\n'
        ours = changed(base, ("]]\n", f']]\nid = "{made_id("one")}"\n'))
        theirs = changed(base, ('"one"\n', '"one"\nagent = "dev"\n'))
        assert text_of(base, ours, theirs) == changed(ours, ('"one"\n', '"one"\nagent = "dev"\n'))

    @pytest.mark.parametrize(
        "odd", ['status = "bogus"', "agent = 3", 'tags = "x"', "depends_on = [1]"]
    )
    def test_a_value_that_no_plan_may_have_is_merged_as_it_stands(self, odd: str) -> None:
        base = f"{META}{C}{odd}\n\n{A}"
        ours, theirs = (
            changed(base, ('"C"', '"C!"')),
            changed(base, ('"dev"', '"qa"'), ('"A"', '"A2"')),
        )
        ours = changed(ours, ('"A"', '"A2"'))
        assert odd in text_of(base, ours, theirs)

    def test_dead_links_are_merged_as_they_stand(self) -> None:
        base = changed(PLAN, ('id = "c"\n', 'id = "c"\nparent = "gone"\n'))
        ours, theirs = changed(base, ('"dev"', '"qa"')), changed(base, ('"pending"', '"running"'))
        found = text_of(base, ours, theirs)
        assert 'parent = "gone"' in found


class TestBases:
    def test_an_empty_base_merges_field_by_field(self) -> None:
        result = merged_text("", changed(PLAN, ('"dev"', '"qa"')), changed(PLAN, ('"C"', '"C!"')))
        assert conflict_names(result) == {("a", "agent"), ("c", "description")}
        assert text_of("", f"{META}{A}", f"{META}{B}") == f"{META}{A}\n{B}"

    def test_nothing_of_a_base_between_markers_is_agreed_on(self) -> None:
        lines = '<<<<<<<<< ours\nagent = "x"\n=========\nagent = "y"\n>>>>>>>>> theirs\n'
        base = changed(PLAN, ('agent = "dev"\n', lines))
        one, other = changed(PLAN, ('"dev"', '"x"')), changed(PLAN, ('"dev"', '"y"'))
        for mark in ("", "\ufeff"):
            assert conflict_names(merged_text(mark + base, one, other)) == {("a", "agent")}
        assert text_of(base, one, changed(one, ('"C"', '"C!"'))) == changed(one, ('"C"', '"C!"'))

    def test_a_status_that_a_base_left_open_merges_by_progress(self) -> None:
        lines = '<<<<<<< ours\nstatus = "completed"\n=======\nstatus = "failed"\n>>>>>>> theirs\n'
        base = changed(PLAN, ('status = "pending"\n', lines))
        ours = changed(PLAN, ('"pending"', '"completed"'))
        theirs = changed(PLAN, (A, f"# on a\n{A}"), ('"pending"', '"running"'))
        for one, other in ((ours, theirs), (theirs, ours)):
            assert text_of(base, one, other) == changed(ours, (A[:9], f"# on a\n{A[:9]}"))

    def test_a_base_that_cannot_be_read_leaves_the_merge_to_lines(self) -> None:
        base = changed(PLAN, ('"plan"', '"plan'))
        ours, theirs = changed(PLAN, ('"A"', '"A!"')), changed(PLAN, ('"C"', '"C!"'))
        assert text_of(base, ours, theirs) == changed(PLAN, ('"A"', '"A!"'), ('"C"', '"C!"'))


class TestWhatIsNoPlan:
    def test_another_tools_file_is_merged_by_lines(self) -> None:
        base = '[build]\ncommand = "make"\n\n\n[test]\ncommand = "t"\n'
        ours, theirs = changed(base, ("make", "cmake")), changed(base, ('"t"', '"u"'))
        assert text_of(base, ours, theirs) == changed(base, ("make", "cmake"), ('"t"', '"u"'))
        result = merged_text(base, ours, changed(base, ("make", "ninja")))
        assert not result.is_clean
        assert b"<<<<<<< ours" in result.data

    def test_ids_that_are_there_twice_leave_the_merge_to_lines(self) -> None:
        base = f"{PLAN}\n{A}"
        ours, theirs = changed(base, ('"plan"', '"p"')), changed(base, ('"C"', '"C!"'))
        assert text_of(base, ours, theirs) == changed(base, ('"plan"', '"p"'), ('"C"', '"C!"'))

    def test_a_side_that_is_broken_is_merged_by_lines(self) -> None:
        broken = changed(PLAN, ('"plan"', '"plan'))
        result = merged_text(PLAN, broken, changed(PLAN, ('"C"', '"C!"')))
        assert result.data.decode() == changed(broken, ('"C"', '"C!"'))

    def test_markers_around_lines_are_as_long_as_git_asks_for(self) -> None:
        base = '[build]\ncommand = "make"\n'
        data = Three(base, changed(base, ("make", "cmake")), changed(base, ("make", "ninja")))
        assert b"<" * 11 + b" ours\n" in merged(data.map(str.encode), 11).data

    def test_an_empty_side_is_not_taken_for_a_plan_without_tasks(self) -> None:
        result = merged_text(PLAN, "", changed(PLAN, ('"C"', '"C!"')))
        assert not result.is_clean
        assert b'description = "C!"' in result.data

    def test_lines_that_merge_into_no_plan_are_not_clean(self) -> None:
        base = changed(PLAN, ('"plan"', '"plan'))
        new = '[[tasks]]\nid = "n"\ndescription = "N"\n'
        ours, theirs = changed(PLAN, (B, f"{new}\n{B}")), changed(PLAN, (C, f"{C}\n{new}"))
        result = merged_text(base, ours, theirs)
        assert not result.is_clean
        assert result.why == "the merged lines are no plan"

    def test_lines_that_merge_into_no_toml_are_not_clean(self) -> None:
        base = "[a]\nx = 1\n\n[b]\ny = 1\n\n[c]\nz = 1\n"
        ours, theirs = changed(base, ("[a]\n", "[n]\n\n[a]\n")), base + "\n[n]\n"
        result = merged_text(base, ours, theirs)
        assert (result.is_clean, result.why) == (False, "the merged lines are no valid TOML")

    def test_lines_that_cannot_be_proved_right_are_not_clean(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(merge_files, "proved", lambda *_: False)
        ours, theirs = changed(PLAN, ('"A"', '"A!"')), changed(PLAN, ('"C"', '"C!"'))
        result = merged_text(PLAN, ours, theirs)
        assert not result.is_clean
        assert result.why


def test_a_clean_merge_of_lines_that_says_something_else_is_not_taken() -> None:
    ours, theirs = changed(PLAN, ('"A"', '"A!"')), changed(PLAN, ('"C"', '"C!"'))
    data = Three(PLAN, ours, theirs).map(str.encode)
    wrong = changed(PLAN, ('"A"', '"A!"')).encode()
    result = merge_files.merge_files(data, 7, lambda: LineMerge(wrong, True))
    assert result.is_clean
    assert result.data.decode() == changed(PLAN, ('"A"', '"A!"'), ('"C"', '"C!"'))


def test_a_clean_merge_of_lines_that_lost_a_comment_is_not_taken() -> None:
    ours = changed(PLAN, ('"A"\n', '"A"  # keep\n'))
    theirs = changed(PLAN, ('"C"', '"C!"'))
    data = Three(PLAN, ours, theirs).map(str.encode)
    result = merge_files.merge_files(data, 7, lambda: LineMerge(theirs.encode(), True))
    assert b"# keep" in result.data
