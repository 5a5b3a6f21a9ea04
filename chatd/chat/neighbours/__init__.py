"""Node.js nodes of the same chat, which speak through Redis in the way of @socket.io/redis-adapter.

`taking.py` delivers what they emit, `answering.py` does and answers what they ask, `telling.py` tells them of messages,
and `neighbours.py` joins these to Redis. The bytes are in chatd/cluster/adapter.
"""
