"""`python -m tt`: the same program as the `tt` command."""

from __future__ import annotations

import sys

from tt.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
