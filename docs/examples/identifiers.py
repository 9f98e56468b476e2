"""The work of stdlib_index.py on one file, and the loop of its worker interpreters.

This is a separate module so that workers import only this and not the whole program.
"""

import contextlib
import io
import keyword
import os
import tokenize
import warnings
from collections import Counter

import xichan

UNREADABLE = (OSError, SyntaxError, ValueError, LookupError)  # missing, or not in the declared encoding
MALFORMED = (tokenize.TokenError, SyntaxError, ValueError)

warnings.simplefilter("ignore", SyntaxWarning)  # raised by the files that are read


def read(root, path):
    """Return the text of a file, decoded like Python source (PEP 263). Raise one of UNREADABLE on failure."""
    with tokenize.open(os.path.join(root, path)) as file:
        return file.read()


def examine(path, text):
    """Return the result for one file: `(path, lines, ((name, count), ...))`, or `(path, reason)` if it is invalid."""
    names = Counter()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                names[token.string] += 1
    except MALFORMED as error:
        return path, describe(error)
    lines = text.count("\n") + (text[-1:] not in ("", "\n"))  # the last line may have no newline
    return path, lines, tuple(names.items())


def describe(error):
    """Return the reason for skipping a file, in one line."""
    if isinstance(error, tokenize.TokenError):
        message, (line, _) = error.args
        return f"{message}, line {line}"
    return f"{type(error).__name__}: {error}"


def work(texts, results):
    """Examine texts until the channel is finished. Runs in a worker interpreter, which owns both endpoints."""
    with texts, results, contextlib.suppress(xichan.ChannelClosed):  # raised if the Receiver of results is closed
        for path, text in texts:
            results.send(examine(path, text))
