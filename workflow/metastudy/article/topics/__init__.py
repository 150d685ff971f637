"""Topics of the article: each makes its figures, tables and variables from the same results."""
