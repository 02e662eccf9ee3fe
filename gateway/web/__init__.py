"""HTTP in: the client API, the admin port, and the limits that keep slow or rude clients from holding the gateway.

Everything about routing happens in `flow`; here bytes become requests, and replies become bytes.
"""
