"""The effect of one attacker on honest clients. See measure.py."""
