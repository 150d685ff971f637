"""Codes in interviews and cases: prevalence with coders' errors, from counts of patterns."""
