"""Several nodes that serve one chat. `core` makes the decisions; `redis` and `adapter` are around it."""
