"""Configurations of other gateways, read into a `pointsman.yaml` and a list of what it cannot say."""
