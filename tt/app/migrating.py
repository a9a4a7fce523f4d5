"""Giving a town what earlier tinytowns wrote: keys without a town, texts that are hashes now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tt.app.look import check_owner
from tt.app.site import Site
from tt.core.migrated import Migrated, OldKey
from tt.core.oldtext import BadTextError, hash_fields
from tt.record import replace


class OldKeys(Protocol):
    """The keys in an old form that concern one town. Every method raises StoreError.

    What is known to stay, as its name is taken or as it is of another type, says `why`.
    """

    def check_movable(self) -> None:
        """See that keys can be given another name here. Raises StoreError on a Cluster."""
        ...

    def names(self) -> Sequence[OldKey]:
        """List the keys that have no town, with the names that they get in this one."""
        ...

    def rename(self, wanted: Sequence[OldKey]) -> Sequence[str | None]:
        """Give keys their names, where nothing has these. Returns of each why it stays: an empty
        text where it does not, None where it has gone already."""
        ...

    def texts(self) -> Sequence[OldKey]:
        """List the agents and tasks of the town that are no hashes, with their texts."""
        ...

    def convert(self, wanted: Sequence[tuple[OldKey, Mapping[str, str]]]) -> Sequence[str | None]:
        """Make hashes of texts that are as they were read; returns what `rename` does."""
        ...


def survey(site: Site, old: OldKeys, *, hashes: bool) -> Migrated:
    """Say what a migration would do; writes nothing.

    Raises StoreError where the town is another repository's, or keys cannot be renamed there.
    """
    check_owner(site, site.bases.load(), site.store.load().town)
    if not hashes:
        old.check_movable()
    found = _texts(old) if hashes else old.names()
    keys, left = _parted(found)
    return Migrated(site.town, hashes, keys, left, waiting=_waiting(old, hashes=hashes))


def migrate(old: OldKeys, planned: Migrated) -> Migrated:
    """Do what `survey` said. What changed since then stays, or was done by somebody else."""
    wanted, hashes = planned.keys, planned.hashes
    fates = old.convert([(one, _fields(one)) for one in wanted]) if hashes else old.rename(wanted)
    said = zip(wanted, fates, strict=True)
    keys, left = _parted([replace(one, why=fate) for one, fate in said if fate is not None])
    waiting = _waiting(old, hashes=hashes)
    return replace(planned, keys=keys, left=planned.left + left, done=True, waiting=waiting)


def _waiting(old: OldKeys, *, hashes: bool) -> int:
    """Count what the other half of a migration would find."""
    found = old.names() if hashes else _texts(old)
    return sum(not one.why for one in found)


def _texts(old: OldKeys) -> list[OldKey]:
    return [one if one.why else replace(one, why=_fault(one)) for one in old.texts()]


def _fault(one: OldKey) -> str:
    """Say why a text cannot be made a hash; empty where it can."""
    try:
        _fields(one)
    except BadTextError as error:
        return str(error)
    return ""


def _fields(one: OldKey) -> dict[str, str]:
    return hash_fields(one.text, one.key.rpartition(":")[2], one.kind)


def _parted(found: Sequence[OldKey]) -> tuple[tuple[OldKey, ...], tuple[OldKey, ...]]:
    """Part those that can be migrated from those that stay."""
    return tuple(one for one in found if not one.why), tuple(one for one in found if one.why)
