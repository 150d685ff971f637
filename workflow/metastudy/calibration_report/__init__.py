"""The page of the calibration, and its figures."""
