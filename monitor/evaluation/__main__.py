"""`python -m monitor.evaluation`: the commands of `pointsman evaluations`."""

import sys

from monitor.evaluation.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
