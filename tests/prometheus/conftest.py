"""Tests of this folder run a real Prometheus for about a minute: `make test-observability` asks for it."""

import os

INSIDE = "POINTSMAN_TEST_PROMETHEUS"

collect_ignore_glob = [] if os.environ.get(INSIDE) else ["test_*.py"]
