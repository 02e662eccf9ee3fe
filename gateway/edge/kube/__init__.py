"""The Kubernetes API: one adapter over the official client's transport, and what is built on it alone.

Objects are raw JSON: the typed models of the client would cost 26 MiB and 1.5 s of CPU in every pod. What an object
means is the business of whoever asked for it.
"""
