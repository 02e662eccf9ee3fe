"""The wire formats of Google's Vertex AI: those of Gemini and of Anthropic, at Google's address.

The base URL ends in `/projects/PROJECT/locations/REGION`; a path names publisher and model.
"""
