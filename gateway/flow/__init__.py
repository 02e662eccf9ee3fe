"""The walk of one request, from parsed to recorded. Asynchronous; no sockets, files, clocks or dice of its own.

`consider` makes the plan, `attempt` tries one endpoint, `answer` is the walk with its failover loop, `settle` writes
the row. The outside comes in through `ports`.
"""
