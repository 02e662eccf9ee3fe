"""The Helm chart: what is made from it, and what must hold of it."""
