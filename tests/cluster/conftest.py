"""Tests of this folder need the cluster of `make test-cluster`; without it they are not even collected."""

import os

from tests.cluster.support import lab

collect_ignore_glob = [] if os.environ.get(lab.INSIDE) == "1" else ["test_*.py"]
