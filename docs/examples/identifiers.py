"""What stdlib_index.py does with one file, and the loop of its worker interpreters.

A module of its own, so that a worker imports this and not the whole program.
"""

import contextlib
import io
import keyword
import os
import tokenize
import warnings
from collections import Counter

import xichan

UNREADABLE = (OSError, SyntaxError, ValueError, LookupError)  # no such file, or not in the encoding that it declares
MALFORMED = (tokenize.TokenError, SyntaxError, ValueError)

warnings.simplefilter("ignore", SyntaxWarning)  # about the files that are read


def read(root, path):
    """The text of a file, decoded as Python decodes its sources (PEP 263). Raises one of UNREADABLE."""
    with tokenize.open(os.path.join(root, path)) as file:
        return file.read()


def examine(path, text):
    """The answer for one file: `(path, lines, ((name, count), ...))`, or `(path, reason)` if it is no Python."""
    names = Counter()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                names[token.string] += 1
    except MALFORMED as error:
        return path, describe(error)
    lines = text.count("\n") + (text[-1:] not in ("", "\n"))  # the last line may lack its end
    return path, lines, tuple(names.items())


def describe(error):
    """The reason for skipping a file, in one line."""
    if isinstance(error, tokenize.TokenError):
        message, (line, _) = error.args
        return f"{message}, line {line}"
    return f"{type(error).__name__}: {error}"


def work(texts, answers):
    """Runs in a worker interpreter, which has got the two ends for itself: answer texts until no more can come."""
    with texts, answers, contextlib.suppress(xichan.ChannelClosed):  # closed: nobody wants the answers any more
        for path, text in texts:
            answers.send(examine(path, text))
