"""`tt demo`, as the README promises it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def _demo(tmp_path: Path) -> subprocess.CompletedProcess[str]:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    return subprocess.run(
        [sys.executable, "-m", "tt", "demo"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(scratch)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_the_demo_tells_the_whole_story_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ended = _demo(tmp_path)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "⬆️  Pushed 5 tasks from tasks.toml to Redis\n" in ended.stdout
    assert "~ design     status: pending → completed" in ended.stdout
    assert "1 conflict" in ended.stdout
    assert '+description = "Review profile implementation and docs"' in ended.stdout
    assert '+status = "running"  # the big one' in ended.stdout
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not _servers_below(tmp_path)


def _servers_below(folder: Path) -> list[str]:
    """Find processes that were started below `folder` and still live."""
    if not Path("/proc/self").exists():
        return []
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where = str((process / "cwd").readlink())
        except OSError:
            continue
        if where.startswith(str(folder)):
            found.append(where)
    return found
