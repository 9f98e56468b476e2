"""Interpreters that run functions: the parts of ``xichan.InterpreterPoolExecutor``.

    executor    what users call; arguments: checks; futures; batch: map
    crew        the worker interpreters, their threads, the channels to and from them; tasks: its other half
    collector   who takes the answers; answers: what becomes of them
    policy      what runs in the main interpreter instead
    functions   a function as a value that can be sent; scan: what its code needs; rebuild: and back
    pickles     what channels do not take
    worker      what runs in a worker interpreter; remote: exceptions on their way from there
    scripts     source and compiled files as tasks

A task is (id, function, args, kwargs), an answer (id, value), or (id, kind, ...): see worker. Nothing is imported here,
because every worker interpreter comes through this file.
"""
