"""The Anthropic wire format (messages, count_tokens).

Quirks an endpoint may have: `adaptive_thinking` (effort instead of a thinking budget), `no_sampling` (temperature,
top_p and top_k are refused).
"""
