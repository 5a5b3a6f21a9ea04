"""The benchmark suite: chatd and its peers, side by side in one run, under one load generator.

`python -m bench <name>` runs one benchmark, `python -m bench all` every one of them. Each server has one core, the
load generator another; every delivery is counted, and a lost or doubled one ends the run without a result.
"""
