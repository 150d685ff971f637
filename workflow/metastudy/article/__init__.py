"""The article: one registry, a module for each topic, and the pieces that topics share."""
