"""The benchmark suite: chatd and its peers in one run, under the same load generator.

`python -m bench <name>` runs one benchmark, `python -m bench all` runs all. Each server has one core, the
load generator another; every delivery is counted, and a lost or duplicated one ends the run without a result.
"""
