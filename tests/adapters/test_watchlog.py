"""A watcher's log: dated lines, in files that stay small, whoever writes them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tt.adapters.watchlog import OLD_LOGS, WatchLog, open_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "tt" / "watch.log"


def speak(log: Path, code: str, *, into: Path | None) -> str:
    """Run code that has a `WatchLog` named `words`; its output goes to `into`, else to us."""
    root = str(Path(__file__).resolve().parents[2])
    start = (
        "import os\nfrom pathlib import Path\nfrom tt.adapters.watchlog import WatchLog\n"
        f"words = WatchLog(Path({str(log)!r}), 2000)\n"
    )
    output = subprocess.PIPE if into is None else open_log(into)
    done = subprocess.run(
        [sys.executable, "-c", start + code],
        check=True,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ) | {"PYTHONPATH": root},
    )
    if into is not None:
        os.close(output)
    return done.stdout or ""


def test_each_line_has_its_date_and_time(log: Path) -> None:
    speak(log, "words.write('one\\ntwo'); words.write(' and half\\n'); words.flush()", into=log)
    lines = log.read_text().splitlines()
    date = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4}  "
    assert [re.sub(f"^{date}", "", line) for line in lines] == ["one", "two and half"]
    assert all(re.match(date, line) for line in lines)
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700


def test_logs_stay_small_and_the_last_lines_are_kept(log: Path) -> None:
    speak(log, "for n in range(1000): words.write(f'line {n:04}\\n')", into=log)
    names = sorted(path.name for path in log.parent.iterdir())
    assert names == ["watch.log", *(f"watch.log.{n + 1}" for n in range(OLD_LOGS))]
    assert all(path.stat().st_size <= 2100 for path in log.parent.iterdir())
    older = [log.with_name(name) for name in reversed(names[1:])]
    numbers = re.findall(r"line (\d+)", "".join(path.read_text() for path in [*older, log]))
    assert numbers == [f"{n:04}" for n in range(1000 - len(numbers), 1000)]
    assert len(numbers) > 150


def test_what_comes_without_the_log_goes_into_its_newest_file(log: Path) -> None:
    speak(
        log,
        "for n in range(100): words.write('x' * 50 + '\\n')\n"
        "print('from print', flush=True); os.system('echo from a program >&2')",
        into=log,
    )
    assert log.read_text().endswith("from print\nfrom a program\n")
    assert log.with_name("watch.log.1").exists()


def test_a_service_has_its_lines_in_the_journal_as_well(log: Path) -> None:
    said = speak(log, "words.write('one\\n\\ntwo\\n')", into=None)
    assert said == "one\ntwo\n"
    assert len(log.read_text().splitlines()) == 2


def test_text_that_has_no_encoding_is_written_all_the_same(log: Path) -> None:
    speak(log, "words.write('a \\udcff ⬆️\\n')", into=log)
    assert log.read_text().endswith("a \\udcff ⬆️\n")


def test_a_full_disk_ends_nothing(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    log = tmp_path / "watch.log"
    log.symlink_to("/dev/full")
    speak(log, "words.write('one\\n'); words.write('two\\n')", into=tmp_path / "out")


def test_it_is_no_terminal(log: Path) -> None:
    words = WatchLog(log)
    assert not words.isatty()
