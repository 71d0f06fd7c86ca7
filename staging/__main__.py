"""``python -m staging``: the embedded staging environment."""

import sys

from staging.command import main

if __name__ == "__main__":
    sys.exit(main())
