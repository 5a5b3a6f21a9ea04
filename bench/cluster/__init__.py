"""Several nodes, and what fails around them: chatd beside Node.js with its adapters.

`people.py` is the clients, `verdict.py` what they heard, judged, `link.py` a line to Redis that can be cut, `sites.py`
the nodes with all that stands around them, `faults.py` what happens to them, `cost.py` CPU without faults, and
`measure.py` the benchmark. The test tests/cluster/test_outages.py uses the first three. PostgreSQL, Redis and HAProxy
are those of the tests.
"""
