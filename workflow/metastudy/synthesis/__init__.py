"""The second stage: unpooled study estimates and published effects, pooled where they may be."""
