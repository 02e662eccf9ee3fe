"""The gateway of Pointsman: every LLM request to the cheapest healthy model that is good enough."""

VERSION = "0.1.0"
