"""A team of admins: claims of conversations, unanswered questions, notes, names, canned replies.

Only a daemon with `admin_messages = "team"` imports it (config.py excepted). Each function is one Feature
(chatd/chat/feature.py); features.py lists them. The tables are in chatd/store/team.py. Chapter 4.16 of protocol.md.
"""
