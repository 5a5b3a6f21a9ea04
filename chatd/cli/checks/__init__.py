"""What `chatd check` looks at: a file for each subject, each with one function that yields findings and starts nothing.

Nothing here writes, keeps a lock or leaves a file behind: a daemon may run on the same files meanwhile.
"""
