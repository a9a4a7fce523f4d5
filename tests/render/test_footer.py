"""Lines that change in place at the foot of a terminal, as a small terminal shows them."""

from __future__ import annotations

import io
import re

from tt.render.footer import Footer, Line

_SEQUENCE = re.compile(r"\x1b\[(\??\d*)([A-Za-z])")


class Terminal(io.StringIO):
    """A terminal that knows what a footer uses; what scrolls out above stays in `rows`."""

    def __init__(self, width: int = 20, height: int = 6) -> None:
        super().__init__()
        self.width, self.height = width, height
        self.rows, self.row, self.column = [""], 0, 0
        self.hides_cursor = False

    def size(self) -> tuple[int, int]:
        return self.width, self.height

    def write(self, text: str) -> int:
        place = 0
        while place < len(text):
            found = _SEQUENCE.match(text, place)
            if found:
                self._obey(found[1], found[2])
            else:
                self._put(text[place])
            place = found.end() if found else place + 1
        return len(text)

    def _obey(self, number: str, what: str) -> None:
        match what:
            case "A":
                self.row = max(self.row - int(number), 0)
            case "K":
                self.rows[self.row] = ""
            case "J":
                self.rows[self.row] = self.rows[self.row][: self.column]
                del self.rows[self.row + 1 :]
            case _:
                self.hides_cursor = what == "l"

    def _put(self, char: str) -> None:
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.row, self.column = self.row + 1, 0
            self.rows += [""] * (self.row + 1 - len(self.rows))
        else:
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[: self.column] + char + row[self.column + 1 :]
            self.column += 1

    def narrow(self, width: int) -> None:
        """Become narrower, and break each line that is too long, as most terminals do."""
        broken = [
            line[start : start + width]
            for line in self.rows
            for start in range(0, len(line), width)
        ]
        self.width, self.rows = width, broken
        self.row, self.column = len(broken) - 1, len(broken[-1])


def lines(*texts: str) -> list[Line]:
    return [Line(text, len(text)) for text in texts]


def test_a_picture_is_drawn_over_the_one_before_and_what_is_said_stays_above_it() -> None:
    screen = Terminal()
    footer = Footer(screen, screen.size)
    footer.draw(lines("one", "two"))
    footer.draw(lines("ONE", "2", "three"))
    assert screen.rows == ["ONE", "2", "three"]
    footer.say(["said", "more"])
    assert screen.rows == ["said", "more", "ONE", "2", "three"]
    footer.draw(lines("one"))
    assert screen.rows == ["said", "more", "one"]
    assert screen.hides_cursor
    footer.close()
    assert (screen.rows, screen.hides_cursor) == (["said", "more", ""], False)


def test_no_more_lines_are_drawn_than_the_terminal_has() -> None:
    screen = Terminal(height=3)
    footer = Footer(screen, screen.size)
    footer.draw(lines("one", "two", "three"))
    assert screen.rows == ["one", "two"]


def test_nothing_is_left_of_a_picture_whose_lines_were_broken_by_a_narrower_terminal() -> None:
    screen = Terminal(width=12)
    footer = Footer(screen, screen.size)
    footer.say(["said"])
    footer.draw(lines("abcdefghijkl", "xyz"))
    screen.narrow(5)
    footer.draw(lines("abcd…", "xyz"))
    assert screen.rows == ["said", "abcd…", "xyz"]
