"""Reading a plan file: what it says, and what is wrong with it, in a compiler's words."""
# ruff: noqa: E501  texts are easier to compare unbroken

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tt.adapters import planfile_disk
from tt.adapters.planfile import TomlPlanFile, read_leniently, read_plan
from tt.errors import ExitCode, NotAPlanError, PlanError, TTError

A = '[[tasks]]\nid = "a"\ndescription = "A"\n'


def faults(text: str | bytes) -> list[str]:
    """Return the lines of the message for an invalid text, without the file's name."""
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(PlanError) as caught:
        read_plan(data, "f")
    assert caught.value.exit_code == ExitCode.PLAN
    lines = caught.value.message.split("\n")
    assert all(line.startswith("f:") for line in lines)
    assert len(caught.value.problems) == len(lines)
    return [line.removeprefix("f:") for line in lines]


class TestProblems:
    def test_all_of_them_are_listed_in_the_order_of_the_file(self) -> None:
        text = (
            '[meta]\ndescription = 3\n\n[[tasks]]\nid = "a b"\ndescripton = "x"\n\n'
            '[[tasks]]\nid = "b"\ndescription = "B"\nstatus = "runing"\ntags = "x"\nparent = "bb"\n\n'
            '[[tasks]]\ndescription = "C"\nid="b"\n'
        )
        assert faults(text) == [
            '2:15: `description` must be text, not a number; write `description = "…"`',
            "4:1: the task has no `description`; did you mean `description` where it says `descripton`?",
            "5:6: `a b` is no id: letters, digits and . _ - / only; did you mean `a-b`?",
            "11:10: unknown status `runing`; did you mean `running`?",
            '12:8: `tags` must be a list of texts, not text; write `tags = ["…"]`',
            "13:10: unknown parent `bb` of `b`; did you mean `b`?",
            "17:4: the id `b` is taken by the task of line 9",
        ]

    def test_they_are_there_as_data_too(self) -> None:
        with pytest.raises(PlanError) as caught:
            read_plan(f'{A}status = "runing"\n'.encode(), "f")
        [problem] = caught.value.problems
        assert (problem.line, problem.column, problem.code) == (4, 10, "status")
        assert problem.message == "unknown status `runing`"
        assert problem.hint == "did you mean `running`?"

    def test_a_cycle_is_named_where_it_closes(self) -> None:
        text = '[[tasks]]\nid = "a"\ndescription = "A"\nparent = "b"\n\n[[tasks]]\nid = "b"\ndescription = "B"\ndepends_on = ["a"]\n'
        assert faults(text) == ["9:14: these tasks wait for each other: `a` → `b` → `a`"]

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ('tasks = [ { id = "a", description = "A", status = "x" } ]', "1:51"),
            ('tasks = [\n  { id = "b", description = "B" },\n  { id = "a", description = "A", status = "x" }\n]', "3:43"),
            ('[[tasks]]\r\nid = "a"\r\ndescription = "é" # é\r\nstatus = "x"\r\n', "4:10"),
            (f'{A}notes = """\n[[tasks]]\nstatus = "y"\n"""\n"status" = "x"\n', "8:12"),
            (f'{A}\n[other]\nstatus = "y"\n\n[[ "tasks" ]]\nid = "b"\ndescription = "B"\n\tstatus = "x"\n', "11:11"),
        ],
    )  # fmt: skip
    def test_line_and_column_are_right_however_the_file_is_written(
        self, text: str, place: str
    ) -> None:
        assert [line.partition(": ")[0] for line in faults(text)] == [place]
        assert faults(b"\xef\xbb\xbf" + text.encode()) == faults(text)

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            (f"meta = 3\n{A}", "1:1"),
            (f"meta.description = 3\n{A}", "1:20"),
            (f"{A}\n[ meta ]\ndescription = 3\n", "6:15"),
            (f"meta = {{ default_agent = 3 }}\n{A}", "1:26"),
        ],
    )
    def test_meta_is_found_wherever_it_stands(self, text: str, place: str) -> None:
        assert [line.partition(": ")[0] for line in faults(text)] == [place]

    def test_control_characters_of_the_file_do_not_reach_the_terminal(self) -> None:
        [line] = faults(f'{A}status = "\\u001b[31mred\\u009b"\n')
        assert line.startswith("4:10: unknown status `\\x1b[31mred\\x9b`")

    def test_thousands_of_faults_are_counted(self) -> None:
        text = "".join(
            f'[[tasks]]\nid = "t{n}"\ndescription = "x"\nstatus = "{n}"\n' for n in range(5000)
        )
        with pytest.raises(PlanError) as caught:
            read_plan(text.encode(), "f")
        assert caught.value.message.endswith("f: and 4,900 more")
        assert len(caught.value.problems) == 5000
        assert caught.value.problems[-1].line == 20_000

    def test_a_lenient_reading_has_the_problems_and_what_was_understood(self) -> None:
        reading = read_leniently(f'{A}parent = "gone"\nstatus = "odd"\n'.encode(), "f")
        assert [problem.code for problem in reading.problems] == ["status", "parent"]
        assert reading.plan.tasks["a"].parent == "gone"


class TestSyntax:
    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("status = pending", '4:10: this is no TOML value; text stands in quotes: `"pending"`'),
            ("status =", "4:9: this is no TOML value; a value is missing after the `=`"),
            ('status = "pending', "4:18: the text is not closed: a quote is missing"),
            ("status 'pending'", "4:8: there is no `=` after the key"),
            ('  id = "b"', "4:3: this key is there already; keep one of the two"),
            ('notes = "a "b" c"', "4:13: there is more on the line than one `key = value`; text with quotes in it can stand between single quotes"),
            ('path = "C:\\dir"', "4:11: the backslash begins no escape that TOML knows; write it twice, or use single quotes"),
            ("[[tasks]", "4:8: there is no `]]` after the name"),
            ("due = 2026-02-30", "4:7: there is no such date or time"),
            ("* item", "4:1: this is neither a key, a header nor a comment"),
        ],
    )  # fmt: skip
    def test_a_fault_of_toml_is_said_in_plain_words(self, line: str, said: str) -> None:
        assert faults(f"{A}{line}\n") == [said]

    def test_what_is_not_closed_at_the_end_is_named_on_the_last_line(self) -> None:
        [line] = faults(f'{A}tags = ["x"\n')
        assert line.startswith("4:12: ")

    def test_endless_nesting_and_digits_are_faults_and_no_crash(self) -> None:
        assert "nested too deeply" in faults(f"{A}x = {'[' * 1500}{']' * 1500}\n")[0]
        assert "nested too deeply" in faults(f"{A}{'.'.join('a' * 900)} = 1\n")[0]
        assert "too many digits" in faults(f"{A}x = {'9' * 5000}\n")[0]

    def test_bytes_that_are_not_utf_8_are_named_with_their_line(self) -> None:
        [line] = faults(f"{A}x = 'é".encode() + b"\xff'\n")
        assert line == "4:7: the byte 0xff is not UTF-8, which TOML is written in; save it as UTF-8"

    def test_conflict_markers_are_one_fault_that_names_their_lines(self) -> None:
        text = f'{A}<<<<<<< HEAD\nstatus = "failed"\n=======\nstatus = "running"\n>>>>>>> topic\n'
        assert faults(text) == [
            "4:1: conflict markers of an unfinished merge (lines 4, 6, 8), in `a`; `tt conflicts` shows both sides, `tt resolve ID --ours` or `--theirs` ends one"
        ]
        with pytest.raises(PlanError) as caught:
            read_plan(text.encode(), "f")
        assert caught.value.problems[0].code == "conflict"

    def test_conflict_markers_in_a_long_text_are_the_users(self) -> None:
        text = f"{A}notes = '''\n<<<<<<< HEAD\n=======\n>>>>>>> topic\n'''\n"
        assert "<<<<<<<" in str(read_plan(text.encode(), "f").plan.tasks["a"].fields["notes"])


class TestNoPlan:
    @pytest.mark.parametrize(
        "text", ["", "# only a comment\n", '[build]\ncommand = "make"\n', "tasks = 3\n", '[[tasks]]\nname = "x"\n']
    )  # fmt: skip
    def test_another_tools_file_is_no_plan(self, text: str) -> None:
        with pytest.raises(NotAPlanError) as caught:
            read_plan(text.encode(), "f")
        assert caught.value.message.startswith("f ")
        assert caught.value.problems == ()

    def test_single_brackets_are_guessed(self) -> None:
        with pytest.raises(NotAPlanError) as caught:
            read_plan(b'[tasks]\ndescription = "x"\n', "f")
        assert "[[tasks]]" in str(caught.value.hint)


class TestOnDisk:
    def file(self, path: Path) -> TomlPlanFile:
        return TomlPlanFile(path, "tasks.toml")

    def test_the_bytes_and_the_plan_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "tasks.toml"
        path.write_bytes(b"\xef\xbb\xbf" + A.encode())
        read = self.file(path).read()
        assert read is not None
        assert read.data == path.read_bytes()
        assert read.plan.tasks["a"].description == "A"

    def test_a_file_that_is_not_there_is_none(self, tmp_path: Path) -> None:
        assert self.file(tmp_path / "tasks.toml").read() is None
        (tmp_path / "link").symlink_to("nowhere")
        assert self.file(tmp_path / "link").read() is None

    def test_what_cannot_be_a_plan_file_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "dir").mkdir()
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "loop").symlink_to("loop")
        (tmp_path / "file").write_text("")
        for name, said in (
            ("dir", "tasks.toml is a directory"),
            ("pipe", "tasks.toml is not a regular file"),
            ("loop", "tasks.toml cannot be read: its symbolic links go in circles."),
            ("file/below", "tasks.toml cannot be read: a part of its path is no directory."),
        ):
            with pytest.raises(TTError) as caught:
                self.file(tmp_path / name).read()
            assert caught.value.message.startswith(said)

    def test_a_socket_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("sock")
            with pytest.raises(TTError, match=r"^tasks\.toml cannot be read: "):
                self.file(Path("sock")).read()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_without_permission_is_said(self, tmp_path: Path) -> None:
        path = tmp_path / "tasks.toml"
        path.touch(mode=0o000)
        with pytest.raises(
            TTError, match=r"^tasks\.toml cannot be read: there is no permission\.$"
        ):
            self.file(path).read()

    def test_a_file_that_is_too_large_is_not_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "tasks.toml"
        with path.open("wb") as made:
            made.truncate(planfile_disk.MAX_BYTES + 1)
        with pytest.raises(TTError, match="larger than 256 MiB"):
            self.file(path).read()
