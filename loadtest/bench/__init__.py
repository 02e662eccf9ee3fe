"""What the gateway costs: CPU µs per request and per SSE event, beside nginx's in the same run, on this machine alone.

Four processes on loopback: an upstream with canned answers, nginx, the real gateway, and a load generator. It knows
the gateway as its users do: a configuration file, environment variables and HTTP.
"""
