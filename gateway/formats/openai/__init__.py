"""The OpenAI wire format (chat completions, completions, embeddings), which most providers speak.

Quirks an endpoint may have: `max_completion_tokens` / `max_tokens` (only that name is understood),
`no_stream_options`, `no_sampling` (temperature and the like are refused), `no_image_url` (images by value only),
`reasoning_none` / `reasoning_minimal` / `reasoning_low` (the least effort, used by probes), `reasoning_details`
(takes signed reasoning back, as OpenRouter does).
"""
