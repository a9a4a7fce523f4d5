"""Filesystems that do not tell of every change: what is changed on their other side goes unseen."""

from __future__ import annotations

import os
import re
from typing import Final

_SILENT: Final = frozenset({
    "9p", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "fakeowner", "fuse",
    "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs",
    "pvfs2", "smb", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
})  # fmt: skip
_SILENT_START: Final = "fuse."
_MOUNTS: Final = "/proc/self/mountinfo"
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
_MOUNT_POINT: Final = 4


def silent_filesystem(directory: str, mounts: str = _MOUNTS) -> str | None:
    """Return the type of the directory's filesystem where it does not tell of every change.

    None elsewhere, and where there is no list of `mounts` as Linux keeps it.
    """
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            lines = file.readlines()
    except OSError:
        return None
    kind = _kind(os.path.realpath(directory), lines)
    return kind if kind in _SILENT or kind.startswith(_SILENT_START) else None


def _kind(path: str, lines: list[str]) -> str:
    """Return the type of the filesystem at a path: of the last mount at its nearest mount point."""
    kind, length = "", -1
    for line in lines:
        mount, _, rest = line.partition(" - ")
        fields = mount.split(" ")
        if len(fields) <= _MOUNT_POINT:
            continue
        point = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[_MOUNT_POINT])
        if len(point) >= length and (path + "/").startswith(point.rstrip("/") + "/"):
            kind, length = rest.partition(" ")[0], len(point)
    return kind
