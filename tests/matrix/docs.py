"""The matrix as `docs/hooks.md` has it: `python -m tests.matrix.docs` writes it there anew."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from tests.matrix.scenes import CONDITIONS, Scene
from tests.matrix.table import GROUPS
from tests.support.hooked import ROOT

PAGE: Final = ROOT / "docs" / "hooks.md"
BEGIN: Final = "<!-- matrix -->\n"
END: Final = "<!-- /matrix -->\n"


def table() -> str:
    """Return the tables of all groups."""
    parts = []
    for group, rows in GROUPS.items():
        parts.append(f"\n### {group}\n\n{_head()}")
        parts += [f"{_row(scene)}\n" for scene in rows]
    return "".join(parts)


def page(before: str) -> str:
    """Return the page with the table of today."""
    head, begin, rest = before.partition(BEGIN)
    _, end, tail = rest.partition(END)
    assert begin, "the page has no place for the table"
    assert end, "the page has no place for the table"
    return f"{head}{BEGIN}{table()}{END}{tail}"


def _head() -> str:
    names = ["Git command", "hooks", *CONDITIONS.values()]
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n"


def _row(scene: Scene) -> str:
    cells = [_cell(scene, condition) for condition in CONDITIONS]
    return f"| {' | '.join([scene.title, _hooks(scene), *cells])} |"


def _cell(scene: Scene, condition: str) -> str:
    versions = scene.expected(condition)
    return f"`{versions[0] if len(set(versions)) == 1 else ' '.join(versions)}`"


def _hooks(scene: Scene) -> str:
    runs = [(event, len(list(same))) for event, same in groupby(scene.hooks.split())]
    return ", ".join(f"{event} ×{times}" if times > 1 else event for event, times in runs) or "none"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
