"""A team of admins at one desk: who is on which conversation, what is unanswered, notes, names, canned replies.

Only a daemon with `admin_messages = "team"` imports it (config.py excepted). Each thing that a team can do is one
Feature (chatd/chat/feature.py); features.py lists them. The tables are in chatd/store/team.py. Chapter 4.16 of
protocol.md.
"""
