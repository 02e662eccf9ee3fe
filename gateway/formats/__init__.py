"""Client surfaces and upstream wire formats: every JSON shape that enters or leaves the gateway.

Pure: bytes and values in, bytes and values out. Knows nothing of sockets, routing, prices or time; what it needs of
them are arguments. A new wire format is one sub-package, one line in `registry`, one folder of test data.
"""
