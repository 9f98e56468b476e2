"""The modules behind ./dev, for Python 3.9 or newer. Those that bootstrap.py imports use the standard library only."""
