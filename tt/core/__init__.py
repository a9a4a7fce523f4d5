"""The pure heart: plans, changes, merging. Standard library only; no files, clocks, randomness."""
