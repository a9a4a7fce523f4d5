"""The project as it lies in the repository: its files agree with each other."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import tt
from tt.adapters.redis.encoding import Encoder
from tt.adapters.redis.keys import TownKeys
from tt.core.model import RUN_FIELDS, Task

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL_LINES = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)

# Names of places that the project must not know, in pieces so that this file does not name them.
WORKPLACE = [
    "/work" + "/",
    "/opt" + "/wheels",
    "/root" + "/",
    "/tmp" + "/v/",
    "../shared" + "/design",
]


def project_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a Git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in map(ROOT.joinpath, names) if path.is_file()]


def test_the_readme_has_one_command_for_the_demo_and_one_for_the_tests() -> None:
    assert [line.rpartition("/")[2] for line in SHELL_LINES] == ["tt demo", "pytest"]


def test_each_readme_command_makes_the_environment_that_it_uses() -> None:
    for line in SHELL_LINES:
        made, installed, used = line.split(" && ")
        assert made == "python3 -m venv .venv"
        assert installed.startswith(".venv/bin/pip install ")
        assert used.startswith(".venv/bin/")


def test_ci_takes_both_commands_from_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r'readme_command "(.*?)"', script) == ["tt demo", "pytest"]
    assert 'grep -m 1 -E "^python3 -m venv .*$1\\$" README.md' in script


def test_the_files_that_ci_and_git_run_are_executable() -> None:
    for name in ("run", "nightly"):
        assert (ROOT / ".ci" / name).stat().st_mode & 0o100


def test_the_version_is_a_release_number_and_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d+\.\d+\.\d+", tt.__version__)
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "tt/__init__.py"


def test_links_in_the_documents_lead_to_files_that_exist() -> None:
    for document in (path for path in project_files() if path.suffix == ".md"):
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_architecture_names_only_modules_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)`", text)
    there = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tt").rglob("*.py")]
    missing = [name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in there)]
    assert named
    assert not missing


def test_the_import_contract_in_the_documents_is_the_one_that_is_checked() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    contracts = re.findall(r"^name = (.*)$", (ROOT / ".importlinter").read_text(), re.MULTILINE)
    assert contracts
    assert [name for name in contracts if f"| {name} |" not in text] == []


def test_the_format_names_every_field_that_is_written_into_a_hash() -> None:
    text = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
    task = Task("a", {"description": "A", "status": "running", "agent": "b", "parent": "c"})
    made = Encoder(TownKeys("town"), lambda _: "u").create(task, 0)
    assert [name for name in (*made, *RUN_FIELDS) if f"`{name}`" not in text] == []


def test_nothing_names_the_place_where_it_was_written() -> None:
    for path in project_files():
        text = path.read_bytes().decode("utf-8", "replace")
        named = [name for name in WORKPLACE if name in text]
        assert not named, f"{path.relative_to(ROOT)} names {named}"


def test_nothing_is_left_to_do_in_the_code() -> None:
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    for path in (path for path in project_files() if path.suffix in {".py", ".lua", ".sh"}):
        found = marks.findall(path.read_text(encoding="utf-8"))
        assert not found, f"{path.relative_to(ROOT)}: {found}"


def test_every_package_has_an_init_file_that_says_what_it_is() -> None:
    for directory in {path.parent for path in (ROOT / "tt").rglob("*.py")}:
        text = (directory / "__init__.py").read_text(encoding="utf-8")
        assert text.startswith('"""'), f"{directory.name} says nothing of itself"
