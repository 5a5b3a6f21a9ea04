"""E-mail about users who wait for an answer, and to users who have not read one. Rules M-01 to M-15 of protocol.md.

A mailbox is served as a webhook is (chatd/webhooks): who waits, what was told and what is sent again is the same; in
the place of a POST there is a mail.
"""
