"""What honest people notice of one attacker. See measure.py."""
