"""The cost of other systems: webhooks on a busy chat, messages by the API, and a receiver that is down."""
