"""`tt` as if on another machine: `python -m tests.support.other_host HOST WORDS…`.

What makes it another one to `tt` is its name; whose process ids mean nothing elsewhere.
"""

from __future__ import annotations

import sys

from tt.adapters import processes

if __name__ == "__main__":
    host = sys.argv.pop(1)
    processes.this_host = lambda: host
    from tt.cli.main import main

    sys.exit(main(sys.argv[1:]))
