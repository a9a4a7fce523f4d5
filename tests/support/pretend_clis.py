"""`claude`, `auggie` and `codex` as shell scripts: each reads its prompt as the real one does, and
reports its task by the very command that the prompt names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_BODY: Final = """\
line=$(printf '%s\\n' "$prompt" | grep -m 1 ' task complete ')
call=${line%% task complete *}
uuid=${line#* task complete }
uuid=${uuid%% *}
task=$(printf '%s\\n' "$prompt" | sed -n 's/^# Task `\\(.*\\)`$/\\1/p' | head -n 1)
printf '%s\\n' "$task" >>"$PRETEND_LOG.begun"
while [ -e "$PRETEND_LOG.wait" ]; do
    [ "$(wc -l <"$PRETEND_LOG.begun")" -ge "$(cat "$PRETEND_LOG.wait")" ] && break
    sleep 0.05
done
if [ -e "$PRETEND_LOG.fail" ] && [ "$(cat "$PRETEND_LOG.fail")" = "$task" ]; then
    eval "$call task fail $uuid --result 'It does not compile'" || exit
    exit 1
fi
eval "$call task complete $uuid --result 'Done'"
"""
_PROMPTS: Final = {
    "claude": "prompt=$(cat)",
    "auggie": '[ "$2" = --instruction-file ] || exit 2; prompt=$(cat "$3")',
    "codex": '[ "$1" = exec ] || exit 2; prompt=$(cat)',
}


def install(folder: Path) -> None:
    """Write the three programs into a directory for the PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, prompt in _PROMPTS.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{prompt}\n{_BODY}")
        path.chmod(0o755)
