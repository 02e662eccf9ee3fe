"""Simulated providers and bounded load, for demos, tests and measurements.

Stands beside the gateway and speaks to it over HTTP only: `gateway` never imports this package, and this
package never imports `gateway`, so that the vendors' bills and answers are independent witnesses of what the
gateway did.
"""
