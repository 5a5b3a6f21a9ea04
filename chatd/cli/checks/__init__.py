"""The checks of `chatd check`: one file for each subject, with functions that add findings.

No check writes, keeps a lock or leaves a file behind, so a daemon may run on the same files meanwhile.
"""
