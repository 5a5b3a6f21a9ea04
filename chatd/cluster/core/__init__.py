"""The state machine of one node of a cluster: numbers and messages in, decisions out.

This package has no sockets, clocks or tasks, and imports nothing else of chatd. The code for Redis and PostgreSQL is a
shell around it, so that a simulation can run it with a hundred thousand seeds (`make simulate`).

The problem. Redis Pub/Sub delivers at most once (https://redis.io/docs/latest/develop/pubsub/): messages published
while a subscriber is disconnected are lost. PostgreSQL makes rows visible in the order of their commits, not of their
ids (https://www.postgresql.org/docs/current/mvcc.html): a query for "ids greater than the last one" misses a row whose
id was made earlier and whose commit came later.

The solution. Each node is the origin of its own messages, and is FIFO: it makes growing ids, commits in that order on
one connection, and publishes in that order. So one id tells how far a reader is with one origin, and a vector,
`{origin: id}`, tells it for all origins.

    Invariant of every vector v, of a node and of a client:
    each message of origin k with id <= v[k] that concerns the reader was delivered to it, and none above.

    chain     each frame names the id that precedes it, so a lost frame is detected as a gap         chain.py
    held      frames after a gap wait; nothing is delivered past a gap                               held.py
    heal      the gap is read from the database, once the missing messages are settled there         heal.py
    tail      applied but not settled messages, for clients that reconnect: they have no rows yet    tail.py
    floor     a client may be ahead of its new node: messages that it already has are skipped        floor.py
    beats     an origin repeats its position at intervals, because its last frame may be lost        beat.py
    epochs    a new process of a node starts above every id that the previous one may have used      epoch.py

`stream.py` combines them for one origin, `node.py` for all origins. `publisher.py` is the sending side of an origin.
`replay.py` and `receiver.py` serve a client that reconnects. `members.py` tracks the living nodes. `frame.py` and
`position.py` are the encodings: msgpack between nodes, a short text for clients.

Terms. Told: the origin has published the message. Settled: the database has committed the message, or never will; an
origin settles its ids in order. Applied: the message was delivered to the sockets of this node. With
`deliver = "stored"` an origin publishes settled messages; with "at_once" it publishes first and settles afterwards.

If the writing connection breaks during a commit, it is unknown whether the rows are stored. The origin takes its lock
again on a new connection; then the outcome is fixed, and a query reads it. Until then the origin settles nothing, and
with "stored" publishes nothing.
"""
