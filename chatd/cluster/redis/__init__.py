"""The bus between nodes on Redis Pub/Sub: it delivers at most once, and holds nothing that is worth keeping.

`wire.py` is one connection without its socket, `link.py` one with it, `client.py` the next one after each that ends,
and `bus.py` one channel for all that a node says.
hiredis, which only this package imports, comes with the extra `cluster`.
"""
