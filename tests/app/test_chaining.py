"""One hook in a directory of hooks, when what should be written cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hook_yard import everything_below, write_script
from tt.adapters.hookfiles import HookFiles, script
from tt.app.chaining import Chain, put_in
from tt.errors import TTError


class Full(HookFiles):
    """A directory on a disk that is full: files can be renamed, and none can be written."""

    def write(self, name: str, data: bytes) -> None:
        raise TTError(f"{name} cannot be written: No space left on device.")


@pytest.mark.parametrize("link", [False, True])
def test_a_hook_that_was_put_beside_is_put_back_when_ours_cannot_be_written(
    tmp_path: Path, link: bool
) -> None:
    hooks = tmp_path / "hooks"
    script_of_user = write_script(tmp_path / "other/hook", "#!/usr/bin/env python3\n")
    if link:
        hooks.mkdir()
        (hooks / "pre-commit").symlink_to("../other/hook")
    else:
        write_script(hooks / "pre-commit", script_of_user.read_bytes())
    before = everything_below(hooks)
    step = put_in(Chain(Full(hooks), script, b""), "pre-commit")
    assert step.do is not None
    with pytest.raises(TTError, match="No space"):
        step.do()
    assert everything_below(hooks) == before
