"""`tt log`, `tt diff` and `tt blame` as a user meets them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import PLAN, Ran
from tests.support.git_repos import git
from tt.core.diff import Edited
from tt.core.values import ABSENT, Literal, Value
from tt.render.edits import edit_parts
from tt.render.lifelines import minute
from tt.render.text import Look

Tt = Callable[..., Ran]
DONE = PLAN.replace('"pending"', '"completed"')
LONG = "Implement the profile endpoints so that a retry is safe after the connection was lost"


def save(project: Path, text: str, subject: str = "") -> str:
    """Write the plan; with a subject also commit it."""
    (project / "tasks.toml").write_text(text, encoding="utf-8")
    if not subject:
        return ""
    git(project, "commit", "--quiet", "--all", "--message", subject)
    return git(project, "rev-parse", "--short", "HEAD")


def test_a_log_names_commits_and_says_what_they_did(tt: Tt, project: Path) -> None:
    first = git(project, "rev-parse", "--short", "HEAD")
    second = save(project, DONE, "Finish it")
    when = minute(int(git(project, "log", "-1", "--format=%at")))
    ran = tt("log")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[:2] == [
        f"{second}  {when}  Test Author  Finish it",
        "  ~ implement  completed, was pending",
    ]
    assert ran.lines[2].startswith(first)
    assert "  + design     created, completed: Design profile API schema" in ran.lines
    assert tt("log", "implement").lines[1] == "  ~ completed, was pending"


def test_a_log_for_programs_has_commits_and_changes(tt: Tt, project: Path) -> None:
    save(project, DONE, "Finish it")
    data = tt("log", "implement", "--json", "-n", "1").data
    assert (data["file"], data["task"], data["more"]) == ("tasks.toml", "implement", True)
    [entry] = data["entries"]
    assert entry["commit"]["subject"] == "Finish it"
    assert entry["commit"]["date"].endswith("Z")
    assert entry["tasks"] == [{"id": "implement", "did": ["completed"], "changes": [{
        "change": "edited", "id": "implement", "field": "status", "old": "pending",
        "new": "completed"}]}]  # fmt: skip


def test_a_log_can_be_limited_by_number_and_by_time(tt: Tt, project: Path) -> None:
    save(project, DONE, "Finish it")
    assert tt("log", "-n", "1").lines[-1] == "Older commits are not shown: `-n` asks for more."
    assert tt("log", "--since", "2099-01-01").lines == [
        "No commit that was asked for has changed tasks.toml."
    ]
    assert len(tt("log", "--until", "2099-01-01", "--json").data["entries"]) == 2


def test_a_large_commit_is_told_in_a_few_lines_unless_all_is_asked_for(
    tt: Tt, project: Path
) -> None:
    more = "".join(f'\n[[tasks]]\nid = "t{n}"\ndescription = "T"\n' for n in range(60))
    save(project, PLAN + more, "Many")
    assert "  … and 40 more (`tt -v log` lists all)" in tt("log").lines
    assert "  + t59  created: T" in tt("-v", "log").lines
    assert tt("diff", "HEAD~1").lines[-1] == "… and 10 more tasks; `tt -v diff` lists all."
    assert tt("blame").lines[-1] == "… and 14 more tasks; `tt -v blame` lists all."


def test_what_is_in_a_commit_cannot_drive_the_terminal(
    tt: Tt, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "E\x1b[2Jve")
    evil = DONE.replace("Implement profile", "Im\\u001b[2Jplement \\u202e")
    save(project, evil, "S\x1b]0;title\x07")
    for arguments in (("log",), ("blame",), ("diff", "HEAD~1"), ("log", "implement", "--json")):
        ran = tt(*arguments)
        assert ran.code == 0
        assert not {"\x1b", "\x07", "\u202e"} & set(ran.out)


def test_a_renamed_file_is_named_where_it_was(tt: Tt, project: Path) -> None:
    (project / "tinytown.toml").write_text('[sync]\nfile = "plans/new.toml"\n')
    (project / "plans").mkdir()
    git(project, "mv", "tasks.toml", "plans/new.toml")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "Move the plan")
    assert tt("log").lines[0].endswith("  plan  in tasks.toml")
    assert tt("diff", "HEAD~1").lines == [
        "tasks.toml → plans/new.toml: HEAD~1 → worktree: no change"
    ]


def test_a_diff_is_by_task_and_field(tt: Tt, project: Path) -> None:
    edited = DONE.replace('tags = ["backend"]', 'tags = ["api", "urgent"]\nestimate = {h = 1}')
    save(project, edited.replace('id = "design"', 'id = "sketch"'))
    assert tt("diff").lines == [
        "tasks.toml: index → worktree: 1 added, 1 changed, 1 removed",
        "+ sketch  Design profile API schema",
        "    agent: architect, status: completed, parent: epic",
        "~ implement  Implement profile endpoints",
        "    status: pending → completed",
        '    tags: +api +urgent -backend',
        "    estimate: none → {h: 1}",
        "- design  Design profile API schema",
    ]  # fmt: skip
    data = tt("diff", "--json").data
    assert (data["old"]["name"], data["new"]["name"]) == ("index", "worktree")
    assert [change["change"] for change in data["changes"]] == [
        "added", "edited", "edited", "edited", "removed",
    ]  # fmt: skip


def test_nested_values_are_compared_path_by_path(tt: Tt, project: Path) -> None:
    nested = '\n[tasks.plan]\nsteps = [{do = "x"}, {do = "y", n = 1}]\n"a.b" = {c = 1.50}\n'
    save(project, PLAN + nested, "Nest")
    save(project, PLAN + nested.replace('"y"', '"z"').replace("1.50", '"1.50"').replace(
        "n = 1", "n = 1, more = true"))  # fmt: skip
    assert tt("diff").lines[2:] == [
        '    plan."a.b".c: 1.50 → "1.50"',
        '    plan.steps[1].do: "y" → "z"',
        "    plan.steps[1].more: none → true",
    ]


def test_what_is_staged_is_pointed_out_and_shown(tt: Tt, project: Path) -> None:
    save(project, DONE)
    git(project, "add", "tasks.toml")
    assert tt("diff").lines == [
        "tasks.toml: index → worktree: no change",
        "What is staged is not in this: `tt diff --staged` shows it.",
    ]
    for option in ("--staged", "--cached"):
        assert tt("diff", option).lines[0] == "tasks.toml: HEAD → index: 1 changed"
    assert tt("diff", "--exit-code").code == 0
    assert tt("diff", "--staged", "--exit-code").code == 1
    assert tt("diff", "HEAD", "--exit-code").code == 1


def test_commits_are_compared_as_git_would(tt: Tt, project: Path) -> None:
    git(project, "switch", "--quiet", "--create", "topic")
    save(project, DONE, "Finish it")
    git(project, "switch", "--quiet", "main")
    save(project, PLAN.replace("architect", "ada"), "Hand over")
    heads = {
        ("main", "topic"): ["design", "implement"], ("main..topic",): ["design", "implement"],
        ("main...topic",): ["implement"], ("topic...",): ["design"], ("topic..",): ["design",
        "implement"], ("topic",): ["design", "implement"], ("--staged", "topic"): ["design",
        "implement"], ("HEAD~1",): ["design"],
    }  # fmt: skip
    for words, ids in heads.items():
        changes = tt("diff", "--json", *words).data["changes"]
        assert [change["id"] for change in changes] == ids, words


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["nowhere"], 1, "Git knows no commit `nowhere`."),
        (["--", "-x"], 1, "Git knows no commit `-x`."),
        (["a", "b", "c"], 2, "more than two versions"),
        (["--staged", "a..b"], 2, "more than two versions"),
    ],
)
def test_what_cannot_be_compared_is_said(
    tt: Tt, project: Path, words: list[str], code: int, message: str
) -> None:
    ran = tt("diff", *words)
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err


def test_lines_of_history_without_a_common_commit_have_no_fork(tt: Tt, project: Path) -> None:
    git(project, "switch", "--quiet", "--orphan", "other")
    git(project, "commit", "--quiet", "--allow-empty", "--message", "x")
    assert "no commit in common" in tt("diff", "main...other").err
    ran = tt("diff", "main", "other")
    assert ran.lines[0] == "tasks.toml: main → other: 3 removed, [meta]"
    assert ran.lines[-1] == "other: there is no tasks.toml."


def test_a_damaged_version_is_compared_as_far_as_it_can_be_read(tt: Tt, project: Path) -> None:
    marked = DONE.replace('agent = "architect"\n', '<<<<<<< a\nagent = "x"\n=======\n>>>>>>> b\n')
    save(project, marked.replace('"epic"]', '"epic", "big"]'))
    ran = tt("diff")
    assert ran.code == 0
    assert ran.lines[1:5] == [
        "~ epic  Implement user profile feature",
        "    tags: +big",
        "~ implement  Implement profile endpoints",
        "    status: pending → completed",
    ]
    assert ran.lines[5].startswith("worktree: line 12: conflict markers of an unfinished merge")
    assert ran.lines[6:] == ["    What can be read is compared, the rest is left out."]


def test_where_the_top_of_the_file_is_damaged_nothing_is_said_of_it(tt: Tt, project: Path) -> None:
    save(project, DONE.replace('Pipeline"', "Pipeline"))
    assert tt("diff").lines[:2] == [
        "tasks.toml: index → worktree: 1 changed", "~ implement  Implement profile endpoints",
    ]  # fmt: skip


def test_a_value_that_cannot_be_understood_is_left_out_and_no_change(tt: Tt, project: Path) -> None:
    save(project, PLAN.replace('"completed"', '"done"').replace('"developer"', '"ada"'))
    ran = tt("diff")
    assert ran.lines[1:4] == [
        "~ implement  Implement profile endpoints", "    agent: developer → ada",
        "worktree: line 13: unknown status `done`.",
    ]  # fmt: skip


def test_a_task_inside_a_conflict_is_left_out_whichever_side_it_is_on(
    tt: Tt, project: Path
) -> None:
    task = '[[tasks]]\nid = "{0}"\ndescription = "{0}"\n'
    ours, theirs = task.format("w") + task.format("x"), task.format("y")
    text = f"{PLAN}<<<<<<< a\n{ours}=======\n{theirs}>>>>>>> b\n"
    save(project, text + task.format("z"))
    assert [line for line in tt("diff").lines if line[0] in "+-~"] == ["+ z  z"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "there is no tasks.toml."),
        ("", "tasks.toml is empty."),
        ("[tools]\nx = 1\n", "tasks.toml is valid TOML, but it is not a plan of tasks."),
    ],
)
def test_a_plan_that_is_missing_at_an_end_is_all_new_or_all_gone(
    tt: Tt, project: Path, text: str | None, why: str
) -> None:
    file = project / "tasks.toml"
    file.unlink() if text is None else file.write_text(text)
    ran = tt("diff")
    assert ran.lines[0] == "tasks.toml: index → worktree: 3 removed, [meta]"
    assert ran.lines[-1] == f"worktree: {why}"
    assert tt("diff", "--json").data["new"]["exists"] is False


def test_an_unmerged_index_counts_with_our_version(tt: Tt, project: Path) -> None:
    git(project, "switch", "--quiet", "--create", "topic")
    save(project, PLAN.replace('"pending"', '"failed"'), "Fail")
    git(project, "switch", "--quiet", "main")
    save(project, DONE, "Finish it")
    with pytest.raises(AssertionError):
        git(project, "merge", "topic")
    save(project, PLAN)
    ran = tt("diff")
    assert ran.lines[2] == "    status: completed → pending"
    assert len(ran.lines) == 3


def test_what_is_not_checked_out_is_not_taken_for_removed(tt: Tt, project: Path) -> None:
    git(project, "update-index", "--skip-worktree", "tasks.toml")
    (project / "tasks.toml").unlink()
    assert tt("diff").lines == ["tasks.toml: index → worktree: no change"]
    assert tt("log").lines[0] != "not committed yet"


def test_before_the_first_commit_everything_is_new(
    tt: Tt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet")
    save(tmp_path, PLAN)
    monkeypatch.chdir(tmp_path)
    assert tt("log").lines[0] == "not committed yet"
    assert tt("diff").lines[0] == "tasks.toml: index → worktree: 3 added, [meta]"
    git(tmp_path, "add", ".")
    assert (
        tt("diff", "--staged").lines[0]
        == "tasks.toml: HEAD (no commit yet) → index: 3 added, [meta]"
    )
    assert tt("blame", "design").lines[1].split() == [
        "not", "committed", "yet", "description", '"Design', "profile", "API", 'schema"',
    ]  # fmt: skip


def test_without_git_there_is_no_past(
    tt: Tt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, PLAN)
    monkeypatch.chdir(tmp_path)
    for command in ("log", "diff", "blame"):
        ran = tt(command)
        assert (ran.code, ran.out) == (1, "")
        assert "no Git" in ran.err


def test_blame_names_the_commit_of_each_field(tt: Tt, project: Path) -> None:
    first = git(project, "rev-parse", "--short", "HEAD")
    second = save(project, DONE, "Finish it")
    save(project, DONE.replace("developer", "ada"))
    rows = {line.split()[-2]: line for line in tt("blame", "implement").lines[1:]}
    assert rows["status"].split()[0] == second
    assert rows["parent"].split()[0] == first
    assert rows["agent"].startswith("  not committed yet  ")
    fields = tt("blame", "--json").data["fields"]
    assert {row["commit"] and row["commit"]["short"] for row in fields} == {first, second, None}
    assert tt("blame").lines[0] == "[meta]"


def test_task_ids_are_completed(tt: Tt, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_CWORD", "2")
    for command in ("log", "blame"):
        monkeypatch.setenv("COMP_WORDS", f"tt {command} de")
        assert tt().lines == ["plain,design"]


def test_an_unknown_task_is_an_error_with_what_was_meant(tt: Tt, project: Path) -> None:
    for command in ("log", "blame"):
        ran = tt(command, "implment")
        assert (ran.code, ran.out) == (1, "")
        assert "Did you mean `implement`?" in ran.err
    save(project, PLAN.partition('\n[[tasks]]\nid = "implement"')[0], "Drop it")
    assert "`tt log implement` tells" in tt("blame", "implement").err
    assert tt("log", "implement").lines[1].startswith("  - removed: ")


def test_a_plan_that_is_nowhere_is_said(tt: Tt, project: Path) -> None:
    git(project, "rm", "--quiet", "tasks.toml")
    git(project, "commit", "--quiet", "--message", "Drop the plan")
    assert tt("blame").code == 5
    assert "  - epic       removed: Implement user profile feature" in tt("log").lines


NARROW, WIDE, ALL = Look(width=80), Look(), Look(width=80, all=True)


@pytest.mark.parametrize(
    ("old", "new", "look", "text"),
    [
        ("a", "b", NARROW, "f: a → b"),
        (LONG, LONG.replace("retry", "second try"), NARROW,
         'f: "… so that a {retry → second try} is safe after …"'),
        (LONG, LONG + " twice", NARROW, 'f: "… connection was lost {∅ → twice}"'),
        (LONG, LONG.replace("retry", "try"), WIDE,
         f'f: "{LONG}" → "{LONG.replace("retry", "try")}"'),
        ("x", LONG, ALL, f'f: x → "{LONG}"'),
        (["a", "b"], ["b", "c"], NARROW, "f: +c -a"),
        (["a", "b"], ["b", "a"], NARROW, "f: [a, b] → [b, a]"),
        (["a"], ABSENT, NARROW, "f: -a"),
        (ABSENT, Literal("true"), NARROW, "f: none → true"),
        ("true", Literal("true"), NARROW, "f: true → true"),
        ({"a": 1}, "x", NARROW, "f: {a: 1} → x"),
        ({"a": {"b": [1]}}, {"a": {"b": [1, 2]}}, NARROW, "f.a.b[1]: none → 2"),
        ([[1], [2]], [[1]], NARROW, "f[1]: [2] → none"),
    ],
)  # fmt: skip
def test_an_edit_is_shown_by_what_changed(old: Value, new: Value, look: Look, text: str) -> None:
    assert edit_parts(Edited("t", "f", old, new), look) == [text]
