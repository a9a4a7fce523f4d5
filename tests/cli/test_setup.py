"""`tt init`, `tt config` and `tt completion`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Tt = Callable[..., Ran]


def test_init_says_what_it_did_and_twice_is_once(tt: Tt, project: Path) -> None:
    first = tt("init")
    assert first.code == 0
    assert first.lines[0] == f"The town shop-main, in {project}"
    assert first.lines[1:] == [
        "+ tinytown.toml  made: sets sync.project and sync.repo",
        "+ .gitignore     made: ignores .tt/",
        "Next: `tt hooks install` lets Git sync by itself; each clone does that once.",
    ]
    before = (project / "tinytown.toml").read_bytes()
    assert [line[0] for line in tt("init").lines[1:]] == ["=", "=", "N"]
    assert (project / "tinytown.toml").read_bytes() == before


def test_clones_share_the_identity_that_init_wrote(tt: Tt, project: Path) -> None:
    assert tt("sync").code == 0  # the town now belongs to the clone's private id
    tt("init")
    assert tt("sync").code == 0


def test_a_clone_in_another_directory_has_the_same_town(
    tt: Tt, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tt("init")
    assert tt("sync").code == 0
    subprocess.run(["git", "add", "tasks.toml", "tinytown.toml"], cwd=project, check=True)
    subprocess.run(["git", "commit", "-qm", "A plan"], cwd=project, check=True)
    subprocess.run(["git", "clone", "-q", str(project), str(tmp_path / "mine")], check=True)
    monkeypatch.chdir(tmp_path / "mine")
    assert tt("status").lines[0] == "Town   shop-main (branch main)"
    assert tt("sync", "--dry-run", "--json").data["to_store"] == []


def test_init_without_git_makes_a_town_too(
    tt: Tt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = tt("init", "--json")
    assert ran.data["town"] == tmp_path.name
    assert [step["file"] for step in ran.data["files"]] == ["tinytown.toml", ".tt/.gitignore"]


def test_init_on_a_detached_head_makes_what_no_branch_is_needed_for(tt: Tt, project: Path) -> None:
    subprocess.run(["git", "checkout", "-q", "--detach"], cwd=project, check=True)
    assert tt("init").code == 0
    refused = tt("sync")
    assert refused.code == 1
    assert "--name NAME" in refused.err
    assert tt("--name", "fixed", "sync").code == 0


def test_an_impossible_name_is_refused_before_anything_is_written(tt: Tt, project: Path) -> None:
    assert tt("init", "--name", "a:b").code == 2
    assert not (project / "tinytown.toml").exists()


def test_a_read_only_directory_is_a_sentence(tt: Tt, project: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    project.chmod(0o500)
    try:
        ran = tt("init")
    finally:
        project.chmod(0o700)
    assert ran.code == 1
    assert "cannot be written" in ran.err


def test_config_shows_each_value_and_its_origin(
    tt: Tt, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "tinytown.toml").write_text("[sync]\nmax_delete = 3\n")
    monkeypatch.setenv("TT_NAME", "mine")
    settings = tt("config", "--json").data["settings"]
    assert settings["sync.max_delete"] == {"value": 3, "origin": f"{project}/tinytown.toml"}
    assert settings["name"] == {"value": "mine", "origin": "environment TT_NAME"}
    assert settings["sync.file"] == {"value": "tasks.toml", "origin": "default"}
    lines = {line.split()[0]: line.split()[1:] for line in tt("config").lines if line}
    assert lines["sync.max_delete"] == ["3", f"{project}/tinytown.toml"]


def test_one_setting_is_shown_alone(tt: Tt, project: Path) -> None:
    assert tt("config", "sync.max_delete").out == "20\n"
    unknown = tt("config", "sync.max_delte")
    assert unknown.code == 2
    assert "`sync.max_delete`" in unknown.err


def test_a_setting_goes_into_the_users_private_file(tt: Tt, project: Path, own_home: Path) -> None:
    assert tt("config", "redis.url", "redis://:secret@db:1").code == 0
    file = own_home / ".tt" / "config.toml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert tt("config", "redis.url").out == "redis://***@db:1\n"
    shown = tt("config").out + tt("config", "--json").out
    assert "secret" not in shown
    assert "redis://***@db:1" in shown


def test_changing_a_setting_keeps_the_rest_of_the_file(tt: Tt, project: Path) -> None:
    (project / "tinytown.toml").write_text("# mine\nname = 'a' # why\n\n[sync] # s\nfields = []\n")
    assert tt("config", "--project", "sync.max_delete", "7").code == 0
    assert tt("config", "--project", "name", "b").code == 0
    text = (project / "tinytown.toml").read_text()
    assert text == '# mine\nname = "b" # why\n\n[sync] # s\nfields = []\nmax_delete = 7\n'


@pytest.mark.parametrize("key", ["redis.password", "redis.url"])
def test_secrets_never_go_into_a_file_for_git_to_track(tt: Tt, project: Path, key: str) -> None:
    value = "hunter2" if key == "redis.password" else "redis://:hunter2@db"
    ran = tt("config", "--project", key, value)
    assert ran.code == 2
    assert "hunter2" not in ran.err + ran.out
    assert not (project / "tinytown.toml").exists()


def test_secrets_do_not_go_into_a_users_file_that_git_may_track(
    tt: Tt, project: Path, own_home: Path
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=own_home, check=True)
    ran = tt("config", "redis.password", "hunter2")
    assert ran.code == 2
    assert not (own_home / ".tt" / "config.toml").exists()
    (own_home / ".gitignore").write_text(".tt/config.toml\n")
    assert tt("config", "redis.password", "hunter2").code == 0


def test_what_does_not_fit_is_refused(tt: Tt, project: Path) -> None:
    assert tt("config", "sync.max_delete", "many").code == 2
    assert tt("config", "hooks.on_conflict", "explode").code == 2
    project_only = tt("config", "sync.repo", "x")
    assert project_only.code == 2
    assert "--project" in project_only.err


def test_a_password_in_the_projects_file_is_warned_of_and_never_shown(
    tt: Tt, project: Path
) -> None:
    (project / "tinytown.toml").write_text('[redis]\nhost = "127.0.0.1"\npassword = "hunter2"\n')
    for command in (["config"], ["--redis", "embedded", "status"]):
        ran = tt(*command)
        assert ran.err.count("holds a password (redis.password)") == 1
        assert "hunter2" not in ran.out + ran.err
    (project / ".gitignore").write_text("tinytown.toml\n")
    assert tt("config").err == ""


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("redis://db.example.org", True),
        ("redis://:pw@db.example.org", False),
        ("rediss://db.example.org", False),
        ("redis://127.0.0.1", False),
        ("redis://localhost:1", False),
        ("unix:///run/r.sock", False),
        ("embedded", False),
    ],
)
def test_a_redis_in_the_open_is_warned_of(tt: Tt, project: Path, url: str, warned: bool) -> None:
    assert ("without password and TLS" in tt("--redis", url, "config").err) is warned


def test_a_broken_configuration_is_wrong_usage_and_says_where(tt: Tt, project: Path) -> None:
    (project / "tinytown.toml").write_text("name = \n")
    ran = tt("plan")
    assert ran.code == 2
    assert f"{project}/tinytown.toml:1:8: this is not valid TOML." in ran.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(tt: Tt, shell: str) -> None:
    assert "_TT_COMPLETE" in tt("completion", shell).out


def complete(tt: Tt, monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    monkeypatch.setenv("_TT_COMPLETE", "fish_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(["tt", *words[:-1]]))
    monkeypatch.setenv("COMP_CWORD", words[-1])
    offers = [line.partition(",")[2] for line in tt().lines if line]  # plain,sync<TAB>its help
    return [offer.partition("\t")[0] for offer in offers]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("d",), ["diff", "dedupe", "doctor", "demo"]),
        (("assign", "d"), ["developer"]),
        (("task", "complete", "de"), ["design"]),
        (("resolve", "de"), ["design"]),
        (("reopen", ""), ["epic", "design", "implement"]),
        (("plan", "ta"), ["tag:"]),
        (("plan", "tag:b"), ["tag:backend"]),
        (("plan", "!agent:"), ["!agent:architect", "!agent:developer"]),
        (("plan", "status:c"), ["status:cancelled", "status:completed"]),
        (("sync", "pu"), ["push", "pull"]),
    ],
)
def test_tab_offers_commands_tasks_and_filters(
    tt: Tt,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    offered: list[str],
) -> None:
    assert complete(tt, monkeypatch, *words) == offered


def test_tab_is_silent_about_a_broken_plan(
    tt: Tt, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "tasks.toml").write_text("broken")
    assert complete(tt, monkeypatch, "resolve", "") == []
