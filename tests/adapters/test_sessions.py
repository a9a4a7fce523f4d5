"""Services are told to systemd and to launchd by their own programs, as these are called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tt.adapters.configfile import replace_file
from tt.adapters.sessions import Launchd, Systemd, session_keeper
from tt.app.serving import install, uninstall
from tt.core.service import Service, Turned, systemd_unit
from tt.errors import TTError
from tt.record import replace

SERVICE = Service(
    "tt-watch-shop-12345678", "tt watch in /", ["/bin/true", "watch"], "/", {}, "/tmp/log",
)  # fmt: skip
OTHER = replace(SERVICE, command=["/bin/true", "watch", "--two-way"])


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs in the place of systemctl and launchctl; they write down how they were called.

    `loaded` says which agents launchd has.
    """
    log, loaded = tmp_path / "calls", tmp_path / "loaded"
    programs = tmp_path / "bin"
    programs.mkdir()
    log.touch()
    loaded.mkdir()
    (programs / "systemctl").write_text(f'#!/bin/sh\necho "systemctl $*" >> {log}\n')
    (programs / "launchctl").write_text(
        f"""#!/bin/sh
        echo "launchctl $*" >> {log}
        case $1 in
        bootstrap) name=$(basename "$3" .plist); touch {loaded}/$name ;;
        bootout) rm {loaded}/${{2##*/}} ;;
        print) test -e {loaded}/${{2##*/}} ;;
        esac
        """
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return log


def taken(calls: Path) -> list[str]:
    """Return the calls since the last time."""
    lines = calls.read_text().splitlines()
    calls.write_text("")
    return lines


UNIT = "tt-watch-shop-12345678.service"


def test_a_unit_is_written_enabled_and_started_and_twice_is_once(calls: Path) -> None:
    systemd = Systemd(os.environ)
    done = install(systemd, SERVICE, replace_file)
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "systemd" / "user" / UNIT
    assert (done.done, done.file, done.turned) == ("made", str(path), Turned())
    assert path.read_bytes() == systemd_unit(SERVICE)
    started = ["systemctl --user daemon-reload", f"systemctl --user enable --now {UNIT}"]
    assert taken(calls) == started
    assert install(systemd, SERVICE, replace_file).done == "kept"
    assert taken(calls) == started
    assert install(systemd, OTHER, replace_file).done == "changed"
    assert taken(calls) == [*started, f"systemctl --user restart {UNIT}"]


def test_uninstalling_takes_away_what_was_made_and_no_more(calls: Path) -> None:
    systemd = Systemd(os.environ)
    install(systemd, SERVICE, replace_file)
    directory = systemd.path(SERVICE.name).parent
    (directory / "mine.service").write_text("[Unit]\n")
    taken(calls)
    assert uninstall(systemd, SERVICE.name).done == "removed"
    assert taken(calls) == [
        f"systemctl --user disable --now {UNIT}",
        "systemctl --user daemon-reload",
    ]
    assert [path.name for path in directory.iterdir()] == ["mine.service"]
    assert uninstall(systemd, SERVICE.name).done == "absent"
    assert taken(calls) == []


def test_an_edited_unit_is_neither_overwritten_nor_removed(calls: Path) -> None:
    systemd = Systemd(os.environ)
    install(systemd, SERVICE, replace_file)
    path = systemd.path(SERVICE.name)
    edited = path.read_bytes().replace(b"RestartSec=10", b"RestartSec=60")
    path.write_bytes(edited)
    taken(calls)
    with pytest.raises(TTError, match="was edited") as caught:
        install(systemd, SERVICE, replace_file)
    assert str(path) in caught.value.message
    assert taken(calls) == []
    done = uninstall(systemd, SERVICE.name)
    assert (done.done, done.edited) == ("kept", True)
    assert taken(calls) == [f"systemctl --user disable --now {UNIT}"]
    assert path.read_bytes() == edited


def test_where_systemd_cannot_be_reached_it_is_said_what_is_left_to_run(
    calls: Path, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "systemctl"
    program.write_text("#!/bin/sh\necho 'Failed to connect to bus: No medium found' >&2\nexit 1\n")
    systemd = Systemd(os.environ)
    done = install(systemd, SERVICE, replace_file)
    assert systemd.path(SERVICE.name).exists()
    assert done.turned == Turned(
        "Failed to connect to bus: No medium found",
        ("systemctl --user daemon-reload", f"systemctl --user enable --now {UNIT}"),
    )
    link = systemd.path(SERVICE.name).parent / "default.target.wants" / UNIT
    link.parent.mkdir()
    link.symlink_to(systemd.path(SERVICE.name))
    assert uninstall(systemd, SERVICE.name).done == "removed"
    assert not os.path.lexists(link)


def test_where_there_is_no_systemctl_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = install(Systemd(os.environ), SERVICE, replace_file)
    assert done.turned.trouble == "There is no `systemctl` here"
    assert len(done.turned.todo) == 2


def test_without_a_configured_directory_units_are_where_systemd_looks(own_home: Path) -> None:
    expected = own_home / ".config" / "systemd" / "user" / UNIT
    assert Systemd({}).path(SERVICE.name) == expected
    assert Systemd({"XDG_CONFIG_HOME": "relative"}).path(SERVICE.name) == expected


def test_an_agent_is_loaded_and_loaded_anew_where_it_changed(calls: Path, own_home: Path) -> None:
    launchd, domain = Launchd(), f"gui/{os.getuid()}"
    path = own_home / "Library" / "LaunchAgents" / f"{SERVICE.name}.plist"
    target = f"{domain}/{SERVICE.name}"
    assert install(launchd, SERVICE, replace_file).file == str(path)
    load = [f"launchctl enable {target}", f"launchctl bootstrap {domain} {path}"]
    assert taken(calls) == [f"launchctl print {target}", *load]
    assert install(launchd, SERVICE, replace_file).done == "kept"
    assert taken(calls) == [f"launchctl print {target}", f"launchctl kickstart {target}"]
    assert install(launchd, OTHER, replace_file).turned == Turned()
    assert taken(calls) == [
        f"launchctl print {target}", f"launchctl bootout {target}", f"launchctl print {target}",
        *load,
    ]  # fmt: skip


def test_an_agent_is_unloaded_before_its_file_goes(calls: Path) -> None:
    launchd = Launchd()
    install(launchd, SERVICE, replace_file)
    taken(calls)
    assert uninstall(launchd, SERVICE.name).done == "removed"
    assert f"launchctl bootout gui/{os.getuid()}/{SERVICE.name}" in taken(calls)
    assert not launchd.path(SERVICE.name).exists()


def test_on_a_system_with_neither_that_is_said() -> None:
    assert isinstance(session_keeper("linux", {}), Systemd)
    assert isinstance(session_keeper("darwin", {}), Launchd)
    with pytest.raises(TTError, match="freebsd14") as caught:
        session_keeper("freebsd14", {})
    assert "tt watch --background" in str(caught.value.hint)


@pytest.mark.parametrize("odd", ["plain", "a b", "100%h", "$HOME", 'it\'s "so"', "back\\s", "é"])
def test_systemd_itself_finds_nothing_wrong_in_a_unit(odd: str, tmp_path: Path) -> None:
    from shutil import which

    if which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze here")
    directory = tmp_path / odd
    directory.mkdir()
    program = directory / "python"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / UNIT
    service = replace(
        SERVICE, about=odd, command=[str(program), odd, ";"], directory=str(directory),
        environment={"TT_NAME": odd},
    )  # fmt: skip
    unit.write_bytes(systemd_unit(service))
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime)},
    )
    told = [line for line in (done.stderr + done.stdout).splitlines() if UNIT in line]
    assert (done.returncode, told) == (0, [])  # other units of the system may have faults
