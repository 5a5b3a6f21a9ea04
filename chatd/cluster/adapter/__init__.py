"""The protocol of @socket.io/redis-adapter 8 between Node.js nodes, over Redis. Pure: bytes in, bytes out.

That protocol has no specification; it is taken from the adapter's source, and tests contain its bytes.
"""
