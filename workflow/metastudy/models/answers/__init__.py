"""Answers on scales: a multivariate hierarchical regression from cross-products."""
