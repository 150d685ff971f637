"""Answers counted item by item: a cumulative model, as a sensitivity analysis of `answers`."""
