"""Benchmarks: one file each, one runner (`python -m bench`)."""
