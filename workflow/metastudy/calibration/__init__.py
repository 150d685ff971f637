"""Calibration: whether the models find again what was simulated from them."""
