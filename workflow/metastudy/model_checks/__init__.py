"""Checks of fitted models: refits, power-scaling, predictive checks, leave-one-out."""
