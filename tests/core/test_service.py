"""What a service's file says is what was meant, whatever is in the paths."""

from __future__ import annotations

import plistlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tt.core.service import (
    Service,
    is_unchanged,
    launchd_agent,
    service_name,
    systemd_unit,
)
from tt.errors import TTError

SERVICE = Service(
    "tt-watch-shop-12345678", "tt watch in /home/me/shop", ["/usr/bin/python3", "-m", "tt"],
    "/home/me/shop", {"TT_WATCH_AS": "service"}, "/home/me/shop/.git/tt/watch.log",
)  # fmt: skip
ODD = ["a b", "100%h", "$HOME", "${HOME}", 'say "yes"', "it's", "back\\slash\\", ";", "é 日本", "#"]
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1)


def with_(**changes: object) -> Service:
    from tt.record import replace

    return replace(SERVICE, **changes)


def lines_of(unit: bytes, key: str) -> list[str]:
    found = unit.decode().splitlines()
    return [line.partition("=")[2] for line in found if line.startswith(f"{key}=")]


def words_of(value: str) -> list[str]:
    """Split as systemd.syntax(7) says, for what we use of it: words in double quotes."""
    assert re.fullmatch(r'"(?:[^"\\]|\\.)*"(?: "(?:[^"\\]|\\.)*")*', value), value
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
    assert "%" not in value.replace("%%", ""), value  # one alone would be a specifier
    return [re.sub(r'\\(["\\])', r"\1", word).replace("%%", "%") for word in words]


def command_of(unit: bytes) -> list[str]:
    """Return what systemd runs: variables are expanded, so none may be left."""
    (value,) = lines_of(unit, "ExecStart")
    words = words_of(value)
    assert not any(re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", word) for word in words), words
    found = [word.replace("$$", "$") for word in words]
    if found[0] == "/bin/sh":
        assert found[1:3] == ["-c", 'exec "$0" "$@"']
        found = found[3:]
    return found


@pytest.mark.parametrize("odd", ODD)
def test_a_unit_runs_the_very_words_that_were_meant(odd: str) -> None:
    command = [f"/opt/{odd}/python", "-m", odd]
    assert command_of(systemd_unit(with_(command=command))) == command


@given(st.lists(texts, min_size=1, max_size=4), texts)
def test_any_text_comes_through_a_unit(words: list[str], value: str) -> None:
    unit = systemd_unit(with_(command=["/python", *words], environment={"TT_NAME": value}))
    assert command_of(unit) == ["/python", *words]
    (said,) = lines_of(unit, "Environment")
    assert words_of(said) == [f"TT_NAME={value}"]


@pytest.mark.parametrize("odd", [each for each in ODD if not each.endswith("\\")])
def test_a_unit_works_in_the_very_directory(odd: str) -> None:
    unit = systemd_unit(with_(directory=f"/home/{odd}", about=f"in {odd}"))
    for key in ("WorkingDirectory", "ConditionPathIsDirectory"):
        (value,) = lines_of(unit, key)
        assert "%" not in value.replace("%%", "")
        assert value.replace("%%", "%") == f"/home/{odd}"


@pytest.mark.parametrize("bad", ["/a\nExecStart=/bin/rm", "/a\x1b", "/a\udcff", "/a ", "/a\\"])
def test_what_a_unit_cannot_say_is_refused(bad: str) -> None:
    with pytest.raises(TTError, match="cannot be told of"):
        systemd_unit(with_(directory=bad))


@pytest.mark.parametrize("bad", ["/a\n", "/a\x1b", "/a\udcff"])
def test_what_a_property_list_cannot_say_is_refused(bad: str) -> None:
    with pytest.raises(TTError, match="cannot be told of"):
        launchd_agent(with_(command=[bad]))


def test_a_unit_starts_with_the_session_and_after_a_failure() -> None:
    unit = systemd_unit(SERVICE)
    assert lines_of(unit, "WantedBy") == ["default.target"]
    assert lines_of(unit, "Restart") == ["on-failure"]
    assert lines_of(unit, "Type") == ["notify"]
    assert lines_of(unit, "KillMode") == ["process"]


@given(texts, texts)
def test_a_property_list_says_what_was_meant(word: str, value: str) -> None:
    command = ["/usr/bin/python3", word]
    data = launchd_agent(with_(command=command, environment={"TT_NAME": value}))
    said = plistlib.loads(data)
    assert said["ProgramArguments"] == command
    assert said["EnvironmentVariables"] == {"TT_NAME": value}
    assert said["WorkingDirectory"] == SERVICE.directory
    assert (said["RunAtLoad"], said["KeepAlive"]) == (True, {"SuccessfulExit": False})
    assert is_unchanged(data)


@pytest.mark.parametrize("describe", [systemd_unit, launchd_agent])
def test_any_edit_is_seen(describe: object) -> None:
    assert callable(describe)
    data = describe(SERVICE)
    assert is_unchanged(data)
    assert not is_unchanged(data + b"\n# mine")
    assert not is_unchanged(data.replace(b"/home/me/shop", b"/home/me/other"))
    assert not is_unchanged(b"[Unit]\n")
    assert not is_unchanged(b"")


def test_each_worktree_has_a_service_of_its_own() -> None:
    assert service_name("/home/me/shop") == "tt-watch-shop-" + service_name("/home/me/shop")[-8:]
    assert service_name("/home/me/shop") != service_name("/home/you/shop")


@given(texts)
def test_a_service_has_a_name_that_any_system_takes(top: str) -> None:
    name = service_name(f"/{top}")
    assert re.fullmatch(r"tt-watch-[A-Za-z0-9_.-]{1,40}-[0-9a-f]{8}", name)
