"""`tt hooks`, in files: beside every kind of hook that may be there, and out again to the byte."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.git_repos import commit, git, init
from tests.support.hook_yard import (
    Yard,
    everything_below,
    installed_state,
    path_without_tt,
    write_script,
)
from tests.support.permissions import needs_permissions
from tt.core.shim import EVENTS

NOTE = 'echo "user $# <$1> inner=${TT_HOOK_INNER-no}" >>"$TT_TEST_CALLS"\n'
TRUE = str(shutil.which("true"))
PYTHON = """\
#!/usr/bin/env python3
import os
open(os.environ["TT_TEST_CALLS"], "a").write("user\\n")
"""


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard.make(tmp_path / "a röom of one's own")


def install(yard: Yard, *more: str) -> None:
    """Install into files, whatever Git this is; the second time nothing may change."""
    yard.tt("hooks", "install", "--files", *more)
    before = installed_state(yard.top)
    again = yard.tt("hooks", "install", "--files", "--json").data
    assert {step["done"] for step in again["steps"]} == {"kept"}
    assert installed_state(yard.top) == before


def test_an_empty_directory_gets_all_hooks_and_is_empty_again(yard: Yard) -> None:
    before = installed_state(yard.top)
    yard.tt("hooks", "install", "--files", "--dry-run")
    assert installed_state(yard.top) == before
    install(yard)
    assert yard.hooked() == set(EVENTS)
    assert yard.commit() == (0, "")
    assert yard.calls() == ["hook-impl pre-commit", "hook-impl post-commit"]
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before
    assert yard.hooked() == set()


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        (f"#!/bin/sh\n{NOTE}", "user 0 <> inner=no"),
        (
            f"#!/usr/bin/env bash\nset -euo pipefail\n[[ 1 ]] && set -- a\n{NOTE}",
            "user 1 <a> inner=no",
        ),
        (f"#!/bin/sh -eu\nset -- ''\n{NOTE}exec {TRUE}\n", "user 1 <> inner=no"),
        (f"#!/bin/sh\nset -- b\n{NOTE}exit 0\n", "user 1 <b> inner=no"),
        (f"set -- c\n{NOTE}", "user 1 <c> inner=no"),
        (f"#!/bin/sh\nset -- '$0' d\n{NOTE.removesuffix(chr(10))}", "user 2 <$0> inner=no"),
        (PYTHON, "user"),
    ],
    ids=["plain", "bash", "exec", "exit", "no shebang", "no final newline", "python"],
)
def test_a_hook_goes_on_running_before_ours(yard: Yard, text: str, noted: str) -> None:
    yard.hook("pre-commit", text)
    before = installed_state(yard.top)
    install(yard)
    assert yard.commit() == (0, "")
    assert yard.calls() == [noted, "hook-impl pre-commit", "hook-impl post-commit"]
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


@pytest.mark.parametrize("kind", ["shell", "python"])
def test_a_hook_that_refuses_is_heard_and_ours_does_not_run(yard: Yard, kind: str) -> None:
    texts = {
        "shell": "#!/bin/sh\necho no; exit 7\n",
        "python": "#!/usr/bin/env python3\nprint('no'); exit(7)\n",
    }
    yard.hook("pre-commit", texts[kind])
    install(yard)
    assert yard.commit() == (1, "no\n")
    assert yard.calls() == []


def test_the_exit_status_of_a_later_hook_is_the_users(yard: Yard) -> None:
    yard.hook("post-checkout", f"#!/bin/sh\n{NOTE}exit 5\n")
    install(yard)
    head = git(yard.top, "rev-parse", "HEAD")
    assert yard.git("switch", "--quiet", "--create", "other").code != 0
    assert yard.calls() == [f"user 3 <{head}> inner=no", f"hook-impl post-checkout {head} {head} 1"]
    yard.hook("post-checkout", "#!/bin/sh\nexit 0\n")
    install(yard)
    assert yard.git("switch", "--quiet", "main", TT_TEST_CODE="1").code == 0


@pytest.mark.parametrize("kind", ["shell", "python", "deaf"])
def test_pre_push_gives_its_input_to_both(yard: Yard, kind: str) -> None:
    texts = {
        "shell": '#!/bin/sh\nsed s/^/user:/ >>"$TT_TEST_CALLS"\n',
        "python": "#!/usr/bin/env python3\nimport os, sys\nopen(os.environ['TT_TEST_CALLS'], 'a')"
        ".write('user:' + sys.stdin.read())\n",
        "deaf": "#!/usr/bin/env -S bash -e -o pipefail\nexec <&-\n",
    }
    yard.hook("pre-push", texts[kind])
    install(yard)
    head, target = git(yard.top, "rev-parse", "HEAD"), str(init(yard.room / "r.git", "--bare"))
    assert yard.git("push", "--quiet", target, "main").code == 0
    told = f"refs/heads/main {head} refs/heads/main {'0' * 40}"
    user = [] if kind == "deaf" else [f"user:{told}"]
    assert yard.calls() == [*user, f"hook-impl pre-push {target} {target}", told]
    yard.hook("pre-push", "#!/bin/sh\nread -r line\nexit 3\n")
    install(yard)
    assert yard.git("push", target, "main:second").code == 1
    assert yard.calls() == []


def test_a_hook_that_does_not_listen_to_a_long_push_does_not_stop_it(yard: Yard) -> None:
    yard.hook("pre-push", "#!/usr/bin/env -S bash -e -o pipefail\nexit 0\n")
    install(yard)
    head, target = git(yard.top, "rev-parse", "HEAD"), str(init(yard.room / "r.git", "--bare"))
    refs = "".join(f"create refs/heads/b{number} {head}\n" for number in range(1500))
    git(yard.top, "update-ref", "--stdin", given=refs)
    ran = yard.git("push", "--quiet", target, "refs/heads/*:refs/heads/*")
    assert ran == (0, "")
    assert len(yard.calls()) == 1502


def test_a_variable_that_leaks_from_elsewhere_hides_no_hook(yard: Yard) -> None:
    yard.hook("pre-commit", f"#!/bin/sh\n{NOTE}")
    install(yard)
    assert yard.commit(TT_HOOK_INNER="12") == (0, "")
    assert yard.calls()[:2] == ["user 0 <> inner=no", "hook-impl pre-commit"]


def test_post_rewrite_gives_its_input_to_the_users_hook(yard: Yard) -> None:
    yard.hook("post-rewrite", '#!/bin/sh\ncat >>"$TT_TEST_CALLS"\n')
    install(yard)
    old = git(yard.top, "rev-parse", "HEAD")
    yard.git("commit", "--amend", "--quiet", "--message", "y")
    new = git(yard.top, "rev-parse", "HEAD")
    assert yard.calls()[-2:] == [f"{old} {new}", "hook-impl post-rewrite amend"]


def test_a_binary_runs_first_and_under_its_own_name(yard: Yard) -> None:
    program = yard.hooks / "pre-commit"
    program.parent.mkdir(exist_ok=True)
    shutil.copy(TRUE, program)
    before = installed_state(yard.top)
    install(yard)
    assert (yard.hooks / "before-tt/pre-commit").read_bytes() == Path(TRUE).read_bytes()
    assert yard.commit().code == 0
    assert yard.calls()[0] == "hook-impl pre-commit"
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


@pytest.mark.parametrize("relative", [True, False])
def test_a_symlink_to_a_dispatcher_still_knows_the_event(yard: Yard, relative: bool) -> None:
    script = write_script(
        yard.top / "scripts/hook", '#!/bin/sh\necho "${0##*/} $*" >>"$TT_TEST_CALLS"\n'
    )
    target = os.path.relpath(script, yard.hooks) if relative else str(script)
    yard.hooks.mkdir(exist_ok=True)
    for event in ("pre-commit", "post-commit"):
        (yard.hooks / event).symlink_to(target)
    before = {**installed_state(yard.top), **everything_below(script)}
    install(yard)
    assert yard.commit().code == 0
    calls = [call.strip() for call in yard.calls()]
    assert calls == ["pre-commit", "hook-impl pre-commit", "post-commit", "hook-impl post-commit"]
    assert yard.hooked() == set(EVENTS)
    yard.tt("hooks", "uninstall")
    assert {**installed_state(yard.top), **everything_below(script)} == before


def test_a_hook_that_git_did_not_run_does_not_begin_to(yard: Yard) -> None:
    yard.hook("pre-commit", f"#!/bin/sh\n{NOTE}", mode=0o644)
    before = installed_state(yard.top)
    install(yard)
    assert yard.commit().code == 0
    assert yard.calls() == ["hook-impl pre-commit", "hook-impl post-commit"]
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


def test_nothing_that_is_there_is_renamed_over(yard: Yard) -> None:
    yard.hook("pre-commit.before-tt", "mine\n", mode=0o600)
    yard.hook("pre-commit", PYTHON)
    before = installed_state(yard.top)
    install(yard)
    assert (yard.hooks / "pre-commit.before-tt").read_text() == "mine\n"
    assert yard.commit().code == 0
    assert yard.calls()[:2] == ["user", "hook-impl pre-commit"]
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


def test_a_git_command_in_the_users_hook_runs_the_hooks_of_its_own_repository(yard: Yard) -> None:
    other = yard.at(commit_in(yard.room / "other"))
    other.hook("pre-commit", f"#!/bin/sh\nset -- other\n{NOTE}")
    install(other)
    yard.hook(
        "pre-commit",
        "#!/bin/sh\nunset $(git rev-parse --local-env-vars)\n"
        f"git -C '{yard.room}/other' commit --allow-empty -qm x\n".replace("one's", "one'\\''s"),
    )
    install(yard)
    assert yard.commit() == (0, "")
    inner = ["user 1 <other> inner=no", "hook-impl pre-commit", "hook-impl post-commit"]
    assert yard.calls() == [*inner, "hook-impl pre-commit", "hook-impl post-commit"]


def commit_in(path: Path) -> Path:
    """Make a repository with a plan."""
    commit(init(path))
    return path


def test_an_older_block_is_replaced_in_its_place(yard: Yard) -> None:
    hook = yard.hook("pre-commit", f"#!/bin/sh\n{NOTE}")
    before = installed_state(yard.top)
    install(yard)
    installed = hook.read_bytes()
    hook.write_bytes(installed.replace(b"tt_status=0", b"tt_status=0 tt_old=1"))
    states = yard.tt("hooks", "status", "--json").data["hooks"]
    assert [state["how"] for state in states] == ["stale", *["file"] * 5]
    assert "another version" in yard.tt("hooks", "status").out
    yard.tt("hooks", "install", "--files")
    assert hook.read_bytes() == installed
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


def test_a_hook_that_another_tool_wrote_anew_is_seen_and_repaired(yard: Yard) -> None:
    install(yard)
    yard.hook("pre-commit", f"#!/bin/sh\n{NOTE}")
    assert yard.hooked() == set(EVENTS) - {"pre-commit"}
    ended = yard.tt("hooks", "status", code=1)
    assert "- pre-commit     is another's: is a script of yours" in ended.out
    install(yard)
    assert yard.hooked() == set(EVENTS)
    yard.commit()
    assert yard.calls()[:2] == ["user 0 <> inner=no", "hook-impl pre-commit"]


def test_a_hook_of_ours_that_another_tool_put_aside_does_not_run_twice(yard: Yard) -> None:
    install(yard)
    hook = yard.hooks / "pre-commit"
    hook.rename(yard.hooks / "pre-commit.legacy")
    yard.hook("pre-commit", '#!/bin/sh\n"$0.legacy" "$@" 2>/dev/null || true\n')
    install(yard)
    assert yard.commit().code == 0
    assert yard.calls() == ["hook-impl pre-commit", "hook-impl post-commit"]
    yard.tt("hooks", "uninstall")
    assert sorted(path.name for path in yard.hooks.iterdir() if not path.suffix) == ["pre-commit"]


def test_what_others_added_to_a_hook_of_ours_stays(yard: Yard) -> None:
    install(yard)
    hook = yard.hooks / "pre-commit"
    with hook.open("a") as file:
        file.write('echo more >>"$TT_TEST_CALLS"\n')
    install(yard)
    yard.commit()
    assert yard.calls()[:2] == ["hook-impl pre-commit", "more"]
    yard.tt("hooks", "uninstall")
    assert hook.read_text() == '#!/bin/sh\necho more >>"$TT_TEST_CALLS"\n'


def test_a_hook_that_was_put_beside_comes_back_though_ours_is_gone(yard: Yard) -> None:
    yard.hook("pre-commit", PYTHON)
    before = installed_state(yard.top)
    install(yard)
    (yard.hooks / "pre-commit").unlink()
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


def test_half_of_a_block_is_left_to_its_owner(yard: Yard) -> None:
    hook = yard.hook("pre-commit", "#!/bin/sh\n# >>> tt hooks >>> cut\n")
    said = yard.tt("hooks", "install", "--files", code=1).err
    assert "nobody can tell where they end" in said
    yard.tt("hooks", "uninstall")
    assert hook.read_text() == "#!/bin/sh\n# >>> tt hooks >>> cut\n"


def test_status_runs_no_hook_of_the_user(yard: Yard) -> None:
    for event in ("pre-commit", "post-commit", "pre-push"):
        yard.hook(event, f"#!/bin/sh\n{NOTE}")
    yard.hook("post-merge", PYTHON)
    yard.tt("hooks", "status", code=1)
    install(yard)
    yard.tt("hooks", "status")
    hook = yard.hooks / "pre-commit"
    hook.write_bytes(hook.read_bytes().replace(b"#!/bin/sh\n", f"#!/bin/sh\n{NOTE}".encode(), 1))
    assert yard.hooked() == set(EVENTS) - {"pre-commit"}
    (yard.hooks / "post-commit").chmod(0o644)
    assert yard.hooked() == set(EVENTS) - {"pre-commit", "post-commit"}
    assert yard.calls() == []


def test_status_notices_a_hook_that_git_cannot_start(yard: Yard) -> None:
    hook = yard.hook("pre-commit", "#!/nowhere/sh\n" + NOTE)
    install(yard)
    assert hook.exists()
    shim = yard.hooks / "post-commit"
    shim.write_bytes(shim.read_bytes().replace(b"#!/bin/sh", b"#!/nowhere/bash"))
    assert yard.hooked() == set(EVENTS) - {"pre-commit", "post-commit"}


def test_the_recorded_tt_that_is_gone_is_told(yard: Yard) -> None:
    install(yard)
    yard.program.rename(yard.room / "moved")
    assert f"{yard.program} is gone" in yard.tt("hooks", "status").out


def test_a_new_town_and_a_clone_of_one_are_told_of_the_hooks(yard: Yard) -> None:
    assert "Next: `tt hooks install`" in yard.tt("init").out
    install(yard)
    assert "tt hooks" not in yard.tt("init").out


# Where hooks are


def test_linked_worktrees_share_the_hooks(yard: Yard) -> None:
    other = yard.at(yard.room / "linked tree")
    git(yard.top, "worktree", "add", "--quiet", "-b", "linked", str(other.top))
    install(other)
    assert yard.hooked() == other.hooked() == set(EVENTS)
    assert other.commit() == (0, "")
    assert yard.commit() == (0, "")
    assert yard.calls() == ["hook-impl pre-commit", "hook-impl post-commit"] * 2


def test_a_submodule_has_hooks_of_its_own(yard: Yard) -> None:
    source = commit_in(yard.room / "source")
    git(
        yard.top,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(source),
        "sub",
    )
    inner = yard.at(yard.top / "sub")
    before = installed_state(inner.top)
    install(inner)
    assert yard.hooked() == set()
    assert inner.commit() == (0, "")
    assert yard.commit() == (0, "")
    assert yard.calls() == ["hook-impl pre-commit", "hook-impl post-commit"]
    inner.tt("hooks", "uninstall")
    assert installed_state(inner.top) == before


def test_worktrees_of_a_bare_repository_share_the_hooks(yard: Yard) -> None:
    bare, tree = yard.room / "bare.git", yard.at(yard.room / "tree")
    git(yard.room, "clone", "--quiet", "--bare", str(yard.top), str(bare))
    git(bare, "worktree", "add", "--quiet", str(tree.top), "main")
    install(tree)
    assert tree.hooks == bare / "hooks"
    assert tree.commit() == (0, "")
    assert tree.calls() == ["hook-impl pre-commit", "hook-impl post-commit"]
    inside = yard.at(bare)
    assert "hooks belong to one" in inside.tt("hooks", "install", code=1).err


def test_a_tracked_directory_of_hooks_gets_no_path_of_this_machine(yard: Yard) -> None:
    git(yard.top, "config", "core.hooksPath", ".githooks")
    yard.hook("pre-commit", f"#!/bin/sh\n{NOTE}")
    assert yard.hooks == yard.top / ".githooks"
    before = installed_state(yard.top)
    said = yard.tt("hooks", "install", "--files").out
    assert f"Git tracks {yard.hooks}" in said
    for event in EVENTS:
        assert b"\ntt_path=\n" in (yard.hooks / event).read_bytes()
    assert git(yard.top, "config", "core.hooksPath") == ".githooks"
    assert yard.hooked() == set(EVENTS)
    assert yard.commit() == (0, "")
    assert yard.calls()[:2] == ["user 0 <> inner=no", "hook-impl pre-commit"]
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


def test_a_directory_that_all_repositories_share_is_used_and_named(yard: Yard) -> None:
    git(yard.top, "config", "--global", "core.hooksPath", "~/my hooks")
    yard.hook("pre-commit", f"#!/bin/sh\n{NOTE}")
    before = installed_state(yard.top)
    said = yard.tt("hooks", "install", "--files").out
    assert f"All repositories use {yard.hooks}" in said
    assert yard.hooks == Path(os.environ["HOME"]) / "my hooks"
    assert yard.hooked() == set(EVENTS)
    elsewhere = yard.at(init(yard.room / "elsewhere"))
    assert elsewhere.commit() == (0, "")
    assert elsewhere.calls() == ["user 0 <> inner=no"]
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


def test_a_hooks_path_that_is_absolute_is_used(yard: Yard) -> None:
    git(yard.top, "config", "core.hooksPath", str(yard.room / "hööks"))
    install(yard)
    assert yard.commit() == (0, "")
    assert len(yard.calls()) == 2
    yard.tt("hooks", "uninstall")
    assert not any((yard.room / "hööks").glob("p*"))


def test_hooks_that_are_switched_off_are_named(yard: Yard) -> None:
    git(yard.top, "config", "core.hooksPath", os.devnull)
    assert "core.hooksPath is /dev/null" in yard.tt("hooks", "install", "--files", code=1).err
    assert yard.hooked() == set()
    yard.tt("hooks", "uninstall")


def test_what_was_installed_before_the_hooks_path_was_set_is_removed_too(yard: Yard) -> None:
    before = everything_below(yard.hooks)
    first = yard.hooks
    install(yard)
    git(yard.top, "config", "core.hooksPath", ".githooks")
    yard.tt("hooks", "uninstall")
    assert everything_below(first) == before


def test_outside_of_a_worktree_it_says_so(yard: Yard) -> None:
    for command in ("install", "uninstall", "status"):
        assert "no Git worktree" in yard.at(yard.room).tt("hooks", command, code=1).err


@needs_permissions
def test_a_directory_that_cannot_be_written_is_named_and_nothing_is_half_done(yard: Yard) -> None:
    yard.hook("pre-commit", PYTHON)
    before = installed_state(yard.top)
    yard.hooks.chmod(0o500)
    said = yard.tt("hooks", "install", "--files", code=1).err
    yard.hooks.chmod(0o755)
    assert "Permission denied" in said
    assert "sandbox" in said
    assert installed_state(yard.top) == before


# The merge driver


def test_the_driver_is_given_the_plan_and_taken_away_again(yard: Yard) -> None:
    (yard.top / ".gitattributes").write_bytes(b"*.png binary\r\n*.txt text")
    before = installed_state(yard.top)
    install(yard)
    assert (yard.top / ".gitattributes").read_bytes() == (
        b"*.png binary\r\n*.txt text\r\n/tasks.toml merge=tt"
    )
    assert git(yard.top, "check-attr", "merge", "tasks.toml").endswith(": tt")
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


def test_a_line_that_git_has_stays(yard: Yard) -> None:
    install(yard)
    git(yard.top, "add", ".gitattributes")
    assert "stays" in yard.tt("hooks", "uninstall").out
    assert (yard.top / ".gitattributes").read_text() == "/tasks.toml merge=tt\n"
    assert git(yard.top, "config", "--get-regexp", "^core").count("\n") > 1


def test_a_fresh_clone_only_needs_its_configuration(yard: Yard) -> None:
    install(yard)
    git(yard.top, "add", ".gitattributes")
    yard.commit()
    clone = yard.at(yard.room / "clone")
    git(yard.room, "clone", "--quiet", str(yard.top), str(clone.top))
    assert not clone.tt("hooks", "status", "--json", code=1).data["driver"]["configured"]
    install(clone)
    assert git(clone.top, "status", "--porcelain") == ""
    assert clone.tt("hooks", "status", "--json").data["driver"] == {
        "configured": True, "attribute": "tt",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["my plan.toml", "plan\u00e4/t\u00e4sks.toml", 'a"b\\c*?[1].toml', "!x #y\t.toml"]
)
def test_a_plan_by_any_name_is_given_to_the_driver(yard: Yard, name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    (yard.top / "tinytown.toml").write_text(f'[sync]\nfile = "{quoted}"\n')
    ended = yard.tt("hooks", "install", "--files")
    assert "still merged by" not in ended.out
    assert git(yard.top, "check-attr", "-z", "merge", name).split("\0")[2] == "tt"
    yard.tt("hooks", "uninstall")
    assert not (yard.top / ".gitattributes").exists()


def test_a_plan_that_was_merged_by_union_is_mentioned(yard: Yard) -> None:
    (yard.top / ".gitattributes").write_text("*.toml merge=union\n")
    said = yard.tt("hooks", "install", "--files").out
    assert "tasks.toml was merged by `union` until now" in said
    assert git(yard.top, "check-attr", "merge", "tasks.toml").endswith(": tt")


def test_an_attribute_that_is_stronger_is_mentioned(yard: Yard) -> None:
    info = yard.top / ".git/info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text("tasks.toml merge=union\n")
    assert "is still merged by `union`" in yard.tt("hooks", "install", "--files").out
    assert "merge attribute is `union`" in yard.tt("hooks", "status", code=1).out


def test_attributes_that_are_a_symlink_are_left_alone(yard: Yard) -> None:
    (yard.top / "elsewhere").write_text("")
    (yard.top / ".gitattributes").symlink_to("elsewhere")
    before = installed_state(yard.top)
    install(yard)
    assert (yard.top / "elsewhere").read_text() == ""
    assert git(yard.top, "check-attr", "merge", "tasks.toml").endswith(": tt")
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


def diverge(yard: Yard) -> None:
    """Change the plan on two branches, in lines that text merge cannot reconcile."""
    git(yard.top, "switch", "--quiet", "--create", "theirs")
    commit(yard.top, content="x = 3\n")
    git(yard.top, "switch", "--quiet", "main")
    commit(yard.top, content="x = 2\n")
    yard.calls()


def test_a_merge_calls_the_driver_with_what_it_needs(yard: Yard) -> None:
    install(yard)
    diverge(yard)
    write_script(
        yard.program,
        '#!/bin/sh\n[ $1 = merge-driver ] || exit 0\necho "$#|$5|$6" >>"$TT_TEST_CALLS"\n'
        'echo merged >"$3"\n',
    )
    assert yard.git("merge", "--no-edit", "theirs").code == 0
    assert yard.calls() == ["6|tasks.toml|7"]
    assert (yard.top / "tasks.toml").read_text() == "merged\n"


@pytest.mark.parametrize("code", [None, 1, 2, 126, 127])
def test_a_merge_without_a_tt_that_can_is_gits_own(yard: Yard, code: int | None) -> None:
    install(yard)
    diverge(yard)
    if code is None:
        yard.program.unlink()
    assert yard.git("merge", "theirs", TT_TEST_CODE=str(code), PATH=path_without_tt()).code == 1
    assert (yard.top / "tasks.toml").read_text() == (
        "<<<<<<< ours\nx = 2\n=======\nx = 3\n>>>>>>> theirs\n"
    )


def test_a_conflict_of_the_driver_is_a_conflict(yard: Yard) -> None:
    install(yard)
    diverge(yard)
    marked = "<<<<<<< ours\n=======\n>>>>>>> theirs\n"
    write_script(yard.program, f"#!/bin/sh\nprintf '{marked}' >\"$3\"\nexit 1\n")
    assert yard.git("merge", "theirs").code == 1
    assert git(yard.top, "status", "--porcelain", "tasks.toml") == "UU tasks.toml"
    assert (yard.top / "tasks.toml").read_text() == marked
