"""Making a town, and beginning a plan."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tt.adapters.configfile import replace_file
from tt.app.setup import Ground, begin_plan, init
from tt.config.files import parse
from tt.core.answers import Step
from tt.core.document import read_document
from tt.errors import TTError, UsageError

FIXTURES = Path(__file__).resolve().parents[2] / "../shared/fixtures"
REPO = "0123456789abcdef"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / ".git" / "info").mkdir(parents=True)
    return made


def run(root: Path, name: str | None = None, *, git: bool = True) -> tuple[Step, ...]:
    common = root / ".git" if git else None
    return init(Ground(root, common, None, lambda: REPO, parse, replace_file), name)


def content(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def done(steps: tuple[Step, ...]) -> list[tuple[str, str]]:
    return [(step.file, step.done) for step in steps]


def test_a_new_town_has_an_identity_and_an_ignore_rule(root: Path) -> None:
    assert done(run(root)) == [("tinytown.toml", "made"), (".gitignore", "made")]
    document = tomllib.loads((root / "tinytown.toml").read_text())
    assert document == {"sync": {"repo": REPO}}
    assert (root / ".gitignore").read_bytes() == b".tt/\n"


def test_twice_is_once(root: Path) -> None:
    run(root, "shop")
    before = content(root)
    assert done(run(root, "shop")) == [("tinytown.toml", "kept"), (".gitignore", "kept")]
    assert done(run(root)) == [("tinytown.toml", "kept"), (".gitignore", "kept")]
    assert content(root) == before


def test_a_name_is_written_only_when_it_is_given(root: Path) -> None:
    run(root, 'shöp "1" \\ x')
    assert tomllib.loads((root / "tinytown.toml").read_text())["name"] == 'shöp "1" \\ x'


def test_a_town_is_not_renamed_in_passing(root: Path) -> None:
    run(root, "shop")
    before = content(root)
    with pytest.raises(UsageError, match="the name `shop` already"):
        run(root, "other")
    assert content(root) == before


def test_a_file_of_tinytowns_is_kept_to_the_byte_except_for_what_is_added(root: Path) -> None:
    path = FIXTURES / "tinytown-0.10" / "tinytown.toml"
    if not path.exists():
        pytest.skip("the fixtures are not here")
    (root / "tinytown.toml").write_bytes(path.read_bytes())
    run(root)
    after = (root / "tinytown.toml").read_bytes()
    assert after.startswith(path.read_bytes())
    assert tomllib.loads(after.decode())["sync"]["repo"] == REPO


def test_a_sync_table_that_is_there_gets_the_identity(root: Path) -> None:
    (root / "tinytown.toml").write_bytes(b"\xef\xbb\xbf# mine\r\n[sync]\r\nmax_delete = 5\r\n")
    run(root, "shop")
    assert (root / "tinytown.toml").read_bytes() == (
        b"\xef\xbb\xbf# mine\r\n"
        b'name = "shop"\r\n'
        b"[sync]\r\n"
        b'repo = "0123456789abcdef"\r\n'
        b"max_delete = 5\r\n"
    )


def test_a_header_in_a_string_does_not_mislead(root: Path) -> None:
    before = "note = '''\n[sync]\n'''\n"
    (root / "tinytown.toml").write_text(before)
    run(root)
    document = tomllib.loads((root / "tinytown.toml").read_text())
    assert document == {"note": "[sync]\n", "sync": {"repo": REPO}}


def test_what_cannot_be_added_by_splicing_is_said_and_nothing_is_written(root: Path) -> None:
    (root / "tinytown.toml").write_text("sync = {max_delete = 5}\n")
    before = content(root)
    with pytest.raises(UsageError) as caught:
        run(root)
    assert f'repo = "{REPO}"' in str(caught.value.hint)
    assert content(root) == before


def test_a_broken_file_is_named_and_left_alone(root: Path) -> None:
    (root / "tinytown.toml").write_text("a = \n")
    with pytest.raises(UsageError, match=r"tinytown\.toml:1:5"):
        run(root)
    assert not (root / ".gitignore").exists()


def test_ignore_rules_are_appended_and_keep_every_byte(root: Path) -> None:
    (root / ".gitignore").write_bytes(b"*.pyc\r\n\xff\xfe\r\nbuild")
    run(root)
    assert (root / ".gitignore").read_bytes() == b"*.pyc\r\n\xff\xfe\r\nbuild\r\n.tt/\r\n"


@pytest.mark.parametrize("rule", [".tt", ".tt/", "/.tt", "/.tt/", "  .tt/  "])
def test_a_rule_that_is_there_is_enough(root: Path, rule: str) -> None:
    (root / ".gitignore").write_text(f"a\n{rule}\n")
    assert done(run(root))[1] == (".gitignore", "kept")
    assert (root / ".gitignore").read_text() == f"a\n{rule}\n"


def test_a_symlinked_ignore_file_is_not_written_through(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "shared-ignore"
    elsewhere.write_text("a\n")
    (root / ".gitignore").symlink_to(elsewhere)
    run(root)
    assert elsewhere.read_text() == "a\n"
    assert (root / ".git" / "info" / "exclude").read_text() == ".tt/\n"
    assert done(run(root))[1][1] == "kept"


def test_without_git_only_our_own_directory_gets_a_rule(tmp_path: Path) -> None:
    run(tmp_path, git=False)
    assert sorted(path.relative_to(tmp_path) for path in content(tmp_path)) == [
        Path(".tt/.gitignore"),
        Path("tinytown.toml"),
    ]
    assert (tmp_path / ".tt" / ".gitignore").read_text() == "*\n"


def test_the_mode_of_a_file_is_kept(root: Path) -> None:
    (root / "tinytown.toml").write_text("")
    (root / "tinytown.toml").chmod(0o640)
    run(root)
    assert (root / "tinytown.toml").stat().st_mode & 0o777 == 0o640


def test_a_file_that_cannot_be_written_is_a_sentence(root: Path) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    with pytest.raises(TTError, match=r"tinytown\.toml cannot be written: No space left"):
        init(Ground(root, None, None, lambda: REPO, parse, full), None)


def test_a_failed_write_leaves_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = root / "tinytown.toml"
    target.write_text("old")

    def broken(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="No space"):
        replace_file(target, b"new")
    assert content(root) == {target: b"old"}


def test_the_template_is_a_plan_without_tasks_and_its_examples_are_valid(root: Path) -> None:
    steps = begin_plan(root, root / "tasks.toml", replace_file)
    assert done(steps) == [("tasks.toml", "made"), ("tasks.schema.json", "made")]
    text = (root / "tasks.toml").read_text()
    assert text.startswith("#:schema ./tasks.schema.json\n\n")
    reading = read_document(tomllib.loads(text))
    assert (reading.is_plan, dict(reading.plan.tasks), reading.problems) == (True, {}, [])
    examples = "".join(
        line.removeprefix("# ")
        for line in text.splitlines(keepends=True)
        if " = " in line or "[[" in line
    )
    reading = read_document(tomllib.loads(examples))
    assert (list(reading.plan.tasks), reading.problems) == (["login", "login-tests"], [])


def test_a_plan_is_never_overwritten(root: Path) -> None:
    (root / "tasks.toml").write_text("mine")
    with pytest.raises(TTError, match=r"There is a tasks\.toml already"):
        begin_plan(root, root / "tasks.toml", replace_file)
    assert [path.name for path in root.iterdir() if path.is_file()] == ["tasks.toml"]


def test_a_plan_can_be_begun_in_a_file_that_is_empty(root: Path) -> None:
    (root / "tasks.toml").write_text("\n")
    begin_plan(root, root / "tasks.toml", replace_file)
    assert "[[tasks]]" in (root / "tasks.toml").read_text()


def test_a_dangling_link_is_not_written_through(root: Path) -> None:
    (root / "tasks.toml").symlink_to(root / "nowhere")
    with pytest.raises(TTError, match="already"):
        begin_plan(root, root / "tasks.toml", replace_file)


def test_a_schema_of_somebody_else_is_left_alone(root: Path) -> None:
    (root / "tasks.schema.json").write_text('{"title": "another"}')
    steps = begin_plan(root, root / "tasks.toml", replace_file)
    assert steps[1].done == "kept"
    assert (root / "tasks.schema.json").read_text() == '{"title": "another"}'


def test_an_older_schema_of_ours_is_renewed(root: Path) -> None:
    (root / "tasks.schema.json").write_text('{"title": "A plan of tasks for tt"}')
    assert begin_plan(root, root / "tasks.toml", replace_file)[1].done == "changed"
