"""The monitor: watches every provider endpoint, and publishes what the gateways may rely on.

Pure rules (`sharding`, `schedule`, `budget`, `probe`, `outcomes`, `ledger`, `issue`, `prices`) take time as an
argument; `loop` is the one place that waits, and knows the world only through `ports`. The gateway never imports
anything from here.
"""
