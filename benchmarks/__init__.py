"""How fast and how large `tt` is, measured against floors of one run: docs/benchmarks.md."""
