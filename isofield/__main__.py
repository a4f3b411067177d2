"""`python -m isofield` is the command `isofield`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
