"""Whether permissions bind whoever runs the tests: they do not bind root."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest


def _bound() -> bool:
    with tempfile.TemporaryDirectory() as directory:
        closed = Path(directory) / "closed"
        closed.mkdir(mode=0o500)
        try:
            (closed / "file").touch()
        except PermissionError:
            return True
        return False


needs_permissions = pytest.mark.skipif(not _bound(), reason="root may write everywhere")
