"""The modules behind ./dev: one concern per file, standard library only, Python 3.9 or newer."""
