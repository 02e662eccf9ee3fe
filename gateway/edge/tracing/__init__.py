"""Spans of decisions, made after the fact in a thread of their own and sent to a collector."""
