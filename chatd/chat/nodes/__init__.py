"""One chat of several daemons: what stands between the state machine of chatd/cluster/core and the rest of chatd.

Only a daemon with a bus imports it. Chapter 4.14 of protocol.md.
"""
