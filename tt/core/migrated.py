"""Keys in forms that tinytown had earlier: what they are to become, and what became of them."""

from __future__ import annotations

from tt.record import field, record


@record
class OldKey:
    """A key in an old form, and the name that it is to have.

    `kind` is what it is: a task, an agent, the inbox of one, the backlog. `text` is what a key
    holds that is to be made a hash. `why` says why it has to stay as it is; empty where it has not.
    """

    key: str
    name: str
    kind: str
    text: bytes = field(default=b"", repr=False)
    why: str = ""


@record
class Migrated:
    """What came of the keys in an old form, or would come of them.

    `hashes`: texts were to be made hashes, else keys were to be given to the town. `keys` are those
    that were, `left` those that stay. `done`: it was carried out. `waiting` are the keys that the
    other half of a migration would find.
    """

    town: str
    hashes: bool
    keys: tuple[OldKey, ...] = ()
    left: tuple[OldKey, ...] = ()
    done: bool = False
    waiting: int = 0
