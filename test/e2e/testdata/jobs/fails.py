"""Fails before it has started Spark."""

raise SystemExit("there is nothing to read")
