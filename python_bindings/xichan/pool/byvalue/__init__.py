"""Functions that travel by value, because other interpreters cannot import them.

functions   describes a function: its name, or its code, defaults, closure and globals
importable  whether workers can import a module
scan        the globals that a code object uses
pickler     pickles what channels do not accept, with functions by value
published   publishes descriptions under numbers, so that tasks carry only the number
rebuild     makes the function again, in the interpreter that calls it
"""
