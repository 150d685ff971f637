"""Codes by interview: a model with an effect of the interview, as a sensitivity analysis."""
