"""The bus between nodes on Redis Pub/Sub. It delivers at most once and stores nothing.

wire.py     the protocol of one connection, without I/O
link.py     one connection with its socket
client.py   reconnects when a connection ends
bus.py      the channel on which a node publishes

Only this package imports hiredis, which comes with the extra `cluster`.
"""
