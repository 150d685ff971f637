"""From a posterior to what is reported: contrasts, heterogeneity, summaries, verdicts."""
