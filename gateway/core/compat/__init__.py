"""Wishes in the words of other gateways, read into our own: on where the operator says `compat:`."""
