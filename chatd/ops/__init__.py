"""What an operator's tools ask the daemon."""
