"""The OpenAI wire format (chat completions, completions, embeddings), which most providers speak.

Quirks an endpoint may have: `max_completion_tokens` / `max_tokens` (only that name is understood),
`no_stream_options`, `no_sampling` (temperature and the like are refused), `no_user`, `random_seed` (instead of `seed`),
`no_image_url` (images by value only), `reasoning_none` / `reasoning_minimal` / `reasoning_low` (the least effort, used
by probes), `reasoning_details` (takes signed reasoning back, as OpenRouter does), `thoughts_in_reasoning` (reads
reasoning in `reasoning`: Groq, Cerebras, OpenRouter), `thoughts_in_content` (reads it among the content: Mistral).
Without one of these two reasoning goes back in `reasoning_content`, which DeepSeek, Z.ai and vLLM read.

What servers answer needs no quirks, since it can be told apart: where usage stands (`usage`), how errors look
(`upstream_errors`), which field has reasoning (`content`), comments that keep a stream alive (`sse`), and the headers
of rate limits (`horizon`) are read in every spelling that was seen.
"""
