"""The OpenAI responses wire format, which Azure, xAI, DeepSeek, OpenRouter, Perplexity and llama.cpp speak as well.

Nothing is left with the provider where a request is translated: it says `store: false` and asks for the encrypted
reasoning, which goes back to it with the next turn.

Quirks an endpoint may have: `no_sampling` (temperature and top_p are refused), `no_image_url` (images by value only),
`reasoning_none` / `reasoning_minimal` / `reasoning_low` (the least effort, used by probes).
"""
