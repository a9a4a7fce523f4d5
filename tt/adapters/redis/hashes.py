"""The hashes that a server sends, kept as they arrived and read as texts.

A town of 10,000 tasks has 100,000 values, of which a sync looks at half and writes a few. So the
bytes are kept, and turned into text where somebody asks; hashes with the same fields in the same
order share one `Shape`, which knows where each field is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

_SEPARATOR: Final = b","


class Shape:
    """The names of a hash's fields, in the order of its values, and where those of a task are.

    `plain`: the hash has all that each task has, and nothing else that takes a look. `linked`: it
    names a parent or an agent that others have to explain.
    """

    __slots__ = (
        "agent", "at", "count", "depends_on", "description",
        "id", "linked", "plain", "state", "tags",
    )  # fmt: skip

    def __init__(self, names: list[bytes], unnoticed: Collection[str]) -> None:
        texts = [name.decode(errors="surrogateescape") for name in names]
        self.at = at = {text: index for index, text in enumerate(texts)}
        self.id, self.description = at.get("id", -1), at.get("description", -1)
        self.state, self.tags = at.get("state", -1), at.get("tags", -1)
        self.agent, self.depends_on = at.get("agent", -1), at.get("depends_on", -1)
        noticed = at.keys() - set(unnoticed) - {"agent", "depends_on"}
        self.count = len(names)
        self.linked = "parent_id" in at or "assigned_to" in at
        self.plain = noticed == {"id", "description", "state", "tags"}


class HashTexts(Mapping[str, str]):
    """One hash, a mapping of texts; bytes that are no UTF-8 become lone surrogates."""

    __slots__ = ("shape", "values_read")

    def __init__(self, shape: Shape, values_read: list[bytes]) -> None:
        self.shape = shape
        self.values_read = values_read

    def __getitem__(self, name: str) -> str:
        return self.values_read[self.shape.at[name]].decode(errors="surrogateescape")

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """Return the text of a field; `default` where there is none. Quicker than the mixin's."""
        index = self.shape.at.get(name)
        if index is None:
            return default
        return self.values_read[index].decode(errors="surrogateescape")

    def __contains__(self, name: object) -> bool:
        return name in self.shape.at

    def __iter__(self) -> Iterator[str]:
        return iter(self.shape.at)

    def __len__(self) -> int:
        return len(self.values_read)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)})"


def texts_of(raw: Mapping[str, str]) -> dict[str, str]:
    """Return all of a hash as texts: quicker, where most of it is asked for."""
    if type(raw) is not HashTexts:
        return dict(raw)
    parts = raw.values_read
    return {name: parts[at].decode(errors="surrogateescape") for name, at in raw.shape.at.items()}


class Shapes:
    """Turns replies to HGETALL into hashes. `unnoticed` are fields that a plain hash may have."""

    __slots__ = ("_shapes", "_unnoticed")

    def __init__(self, unnoticed: Collection[str]) -> None:
        self._unnoticed = unnoticed
        self._shapes: dict[bytes, Shape] = {}

    def hash(self, flat: list[bytes]) -> HashTexts:
        """Take a reply: names and values in turn.

        Joined names are a safe key: other names that join to the same have another count.
        """
        names = flat[::2]
        joined = _SEPARATOR.join(names)
        shape = self._shapes.get(joined)
        if shape is None or shape.count != len(names):
            shape = Shape(names, self._unnoticed)
            if joined.count(_SEPARATOR) < len(names):
                self._shapes[joined] = shape
        return HashTexts(shape, flat[1::2])
