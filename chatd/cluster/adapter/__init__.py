"""What Node.js nodes with @socket.io/redis-adapter 8 say to each other through Redis. Pure: bytes in, bytes out.

Nobody has written that protocol down; it is read off the adapter's source, and tests have its bytes.
"""
