"""The Cohere wire format (v2 chat and embed)."""
