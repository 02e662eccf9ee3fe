"""Credentials that are more than a text: lent tokens, and keys that a cloud hands to the workload itself.

`document` tells what a JSON document is; `aws`, `entra` and `google` each know one cloud's ways; `minter` has the next
token ready before the last one ends, in a thread of its own, so that no request ever waits for one.
"""
