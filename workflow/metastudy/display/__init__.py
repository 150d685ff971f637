"""How results are shown: numbers, labels, sentences, tables, pages and plots."""
