"""What a node of several decides, as a state machine: numbers and messages in, decisions out.

Nothing in this package has a socket, a clock or a task, and nothing in it imports the rest of chatd. Redis and
PostgreSQL are shells around it, so a simulation can run it for a hundred thousand seeds (`make simulate`).

The problem. Redis Pub/Sub delivers at most once (https://redis.io/docs/latest/develop/pubsub/): what is published
while a subscriber is away is gone. PostgreSQL makes rows visible in the order of their commits, not of their ids
(https://www.postgresql.org/docs/current/mvcc.html): "every row with an id larger than the last one I saw" skips a row
whose id was made earlier and whose commit came later.

The answer. Each node is the origin of its own messages, and is FIFO: it makes ids strictly upward, commits in that
order on one connection, and publishes in that order. So one number says how far a reader has come with one origin, and
a vector, `{origin: id}`, says it for all.

    Invariant of every vector v, of a node and of a client:
    each message of origin k with id <= v[k] that concerns the reader was given to it, and none above.

    chain     each frame names the id that precedes it: a lost frame shows as a gap              chain.py
    held      frames behind a gap wait; nothing is ever delivered past a gap                     held.py
    heal      the gap is read from the database, once what is missing is settled there           heal.py
    tail      applied, but not settled: a client that comes back finds it here, not in a row     tail.py
    floor     a client may be ahead of its new node: messages that it has are skipped            floor.py
    beats     a quiet origin repeats how far it has come: its last frame may have been lost      beat.py
    epochs    the next process of a number starts above every id that the last one may have used epoch.py

`stream.py` puts them together for one origin, `node.py` for all of them. `publisher.py` is the origin's own side.
`replay.py` and `receiver.py` are a client that comes back. `members.py` knows which nodes live. `frame.py` and
`position.py` are the two wires: msgpack between nodes, a short text for clients.

Words. Told: the origin has published the message. Settled: the database has committed it, or never will; an origin
settles its ids in order. Applied: it was delivered to the sockets of this node. With `deliver = "stored"` an origin
tells what is settled; with "at_once" it tells first, and settles afterwards.

One more case for a shell. When the writing connection breaks in the middle of a commit, it is unknown whether the rows
are there. The origin takes its lock again, on a new connection; then it is decided, and a query says how. Until then it
settles nothing, and with "stored" tells nothing.
"""
