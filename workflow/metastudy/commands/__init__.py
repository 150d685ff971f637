"""One module a rule that runs Python: it reads arguments and files and calls the library."""
