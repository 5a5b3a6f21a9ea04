"""Several nodes, one chat. The decisions are in `core`; sockets and databases stand around it."""
