"""Outcomes that are there or not: a hierarchical logistic regression from counts."""
