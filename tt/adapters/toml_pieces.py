"""A plan's text cut where its tasks begin, so that an edit looks at one task's lines only."""

from __future__ import annotations

import re
from typing import Final

from tt.adapters.toml_scan import headers

_PLAIN_HEADER: Final = r"\n[ \t]*+\[\[[ \t]*+tasks[ \t]*+\]\]"
_OTHER_HEADER: Final = r"\n[ \t]*+\[(?!\[[ \t]*+tasks[ \t]*+\]\])"


def task_starts(text: str, count: int) -> list[int]:
    """Return where the lines of the `count` headers `[[tasks]]` start; [] where it has none.

    In a text without triple quotes no line begins within a string, and a bare word `tasks` is no
    value, so a line that begins with `[[tasks]]` is a header. If these are as many as there are
    tasks they are all of them, and one regex has found them. Otherwise (quoted headers, long
    strings that hold TOML) the text is scanned statement by statement.
    """
    if '"""' not in text and "'''" not in text:
        found = [match.start() + 1 for match in re.finditer(_PLAIN_HEADER, text)]
        if re.match(_PLAIN_HEADER, "\n" + text[: text.find("\n") + 1]):
            found.insert(0, 0)
        if len(found) == count:
            return found
    return [head.start for head in headers(text) if head.is_array and head.path == ("tasks",)]


class Pieces:
    """The pieces of a text: number 0 stands before the first task, number n+1 begins with task n.

    Pieces can be replaced; `joined` puts the text together again.
    """

    def __init__(self, text: str, starts: list[int]) -> None:
        self._text = text
        self._bounds = [0, *starts, len(text)]
        self.new: dict[int, str] = {}
        """The pieces that were replaced, by number."""

    @property
    def last(self) -> int:
        """The number of the last piece."""
        return len(self._bounds) - 2

    def old(self, number: int) -> str:
        """Return a piece as it was."""
        return self._text[self._bounds[number] : self._bounds[number + 1]]

    def __getitem__(self, number: int) -> str:
        return self.new[number] if number in self.new else self.old(number)

    def __setitem__(self, number: int, text: str) -> None:
        if number in self.new or text != self.old(number):
            self.new[number] = text

    def joined(self) -> str:
        """Return the whole text with the new pieces in their places."""
        parts: list[str] = []
        done = 0
        for number in sorted(self.new):
            parts += (self._text[done : self._bounds[number]], self.new[number])
            done = self._bounds[number + 1]
        return "".join((*parts, self._text[done:]))

    def merge(self) -> None:
        """Make the whole text the first piece, and all others empty."""
        text = self.joined()
        for number in range(1, self.last + 1):
            self[number] = ""
        self[0] = text

    def has_other_tables(self) -> bool:
        """Say whether other tables than tasks may stand after the first task.

        It may say so where there are none: a line of an array can look like a header.
        """
        return re.compile(_OTHER_HEADER).search(self._text, self._bounds[1]) is not None
