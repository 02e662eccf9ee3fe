"""The Gemini wire format (generateContent, streamGenerateContent, batchEmbedContents), as Google AI Studio speaks it.

Vertex speaks it under other paths with other credentials: `GeminiFormat` is made for being derived from.

Quirks an endpoint may have: `no_sampling` (temperature, topP and topK are refused), `reasoning_minimal` (thinks less
than "low" if told so), `second_generation` (no answer by a schema beside tools, no media in a call's result).
"""
