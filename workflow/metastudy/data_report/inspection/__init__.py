"""Inspection: the numbers of the data report, with small counts hidden."""
