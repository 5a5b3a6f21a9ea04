"""What other systems cost: hooks beside a busy chat, sends by the API, and a receiver that is down."""
