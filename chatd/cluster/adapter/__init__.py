"""What Node.js nodes with @socket.io/redis-adapter 8 say to each other through Redis. Pure: bytes in, bytes out.

That protocol has no specification; it is taken from the adapter's source, and tests have its bytes.
"""
