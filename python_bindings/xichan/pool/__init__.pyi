"""Interpreters that run functions: the parts of ``xichan.InterpreterPoolExecutor``."""
