import sys

from xichan.bench.cli import main

if __name__ == "__main__":
    sys.exit(main())
