"""The layer test (tools/layers.py) reports upward includes, circles and files without a layer."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tools import layers  # noqa: E402

FILES = {
    "src/base/atomic.h": "",
    "src/channel/channel.h": '#include "base/atomic.h"\n',
    "src/channel/select.h": '#include "channel/channel.h"\n',
    "src/channel/select.cpp": '#include "channel/select.h"\n',
    "include/xichan/status.h": "",
    "python_bindings/src/base/state.h": '#include "channel/channel.h"\n#include <Python.h>\n',
    "python_bindings/src/values/decode.cpp": '#include "base/state.h"\n',
    "python_bindings/src/ends/cases.h": "",
    "python_bindings/src/module.cpp": '#include "ends/cases.h"\n',
}

# The changed file, what it includes, and the message.
FAULTS = {
    "upward in the core": ("src/base/atomic.h", "channel/channel.h", "base must not include channel/channel.h"),
    "upward in the bindings": ("python_bindings/src/values/decode.cpp", "ends/cases.h", "values must not include ends"),
    "circle of headers": ("src/channel/channel.h", "channel/select.h", "channel/channel -> channel/select -> channel/"),
    "Python.h in the core": ("src/base/atomic.h", "Python.h", "may include Python.h"),
    "unknown layer": ("src/odd/file.h", "base/atomic.h", "src/odd is not a layer"),
    "unlisted public header": ("include/xichan/odd.h", "xichan/status.h", "odd.h has no layer"),
    "private include of a public header": ("include/xichan/status.h", "base/atomic.h", "is not installed"),
}


def tree(folder, changed=None, include=None):
    """Write a small source tree, in which one file may include one more header."""
    for name in {*FILES, *([changed] if changed else [])}:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FILES.get(name, "") + (f'#include "{include}"\n' if name == changed else ""))
    return folder


def test_layers_accepts_downward_includes(tmp_path):
    assert layers.check(tree(tmp_path)).failed == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_layers_reports_a_fault(fault, tmp_path, capsys):
    changed, include, message = FAULTS[fault]
    assert layers.check(tree(tmp_path, changed, include)).failed == 1
    assert message in capsys.readouterr().out
