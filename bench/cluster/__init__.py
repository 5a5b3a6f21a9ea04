"""Several nodes under faults: chatd and Node.js with its adapters.

`people.py` has the clients, `verdict.py` the judgement of their records, `link.py` a connection to Redis that can be
cut, `sites.py` the nodes and their servers, `faults.py` the faults, `cost.py` CPU without faults, and
`measure.py` the benchmark. tests/cluster/test_outages.py uses the first three. PostgreSQL, Redis and HAProxy
are those of the tests.
"""
