"""The stubs and annotations agree with the package: checked by mypy if it is installed."""

import importlib.util
import shutil
import subprocess
import sys

import pytest
from support import HERE, environment

needs_mypy = pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="needs mypy")


def run(*arguments, cwd):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_mypy
def test_typing_samples_have_the_asserted_types(tmp_path):
    options = ["--strict", "--warn-unused-ignores", "--cache-dir", str(tmp_path)]
    run("-m", "mypy", *options, f"{HERE}/support/typing_samples.py", cwd=tmp_path)


@needs_mypy
@pytest.mark.skipif(importlib.util.find_spec("numpy") is None, reason="needs numpy")
def test_alias_of_shareable_values_includes_those_of_numpy(tmp_path):
    (tmp_path / "sample.py").write_text(
        "import numpy\nimport xichan\n"
        "values: list[xichan.Shareable] = [numpy.zeros(3), numpy.float64(1), numpy.bool(True), numpy.array('a')]\n"
    )
    run("-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "sample.py", cwd=tmp_path)


@pytest.mark.skipif(shutil.which("pyright") is None, reason="needs pyright")
def test_pyright_rejects_other_types_on_a_typed_channel(tmp_path):
    sample = tmp_path / "sample.py"
    sample.write_text("import xichan\ntx, _ = xichan.channel(type=int)\ntx.send(object())\n")
    done = subprocess.run(
        ["pyright", "--pythonpath", sys.executable, sample], capture_output=True, text=True, timeout=300
    )
    assert "reportArgumentType" in done.stdout and "1 error" in done.stdout, done.stdout


@needs_mypy
def test_stubs_agree_with_the_module(tmp_path):
    # Modules without a stub are compared with their own source. That fails for classes that go by the name of a public
    # module, for functions in a functools.cache, which seem to accept any arguments, and for a `type` statement, where
    # stubtest expects a union at run time: test_typed.py has what Shareable accepts there. A class of the C module that
    # can be called has no signature.
    private = tmp_path / "private.txt"
    names = (
        r"compat\._.*",
        r"bench\.(contenders\.(load|names)|values\.make)",
        r"pool\.(byvalue\.functions\.(_NAMED|Cached)|scripts\._compile)",
        r"_shareable\.Shareable",
        r"_core\.Broadcast\.__call__",
    )
    if importlib.util.find_spec("xichan._nats") is None:  # built without libnats
        names += (r"_nats", r"nats(\..*)?")
    private.write_text("".join(rf"xichan\.{name}" + "\n" for name in names))
    # Imported by the benchmarks: without stubs, or not installed.
    foreign = ("bocpy", "extrainterpreters", "faster_fifo", "jinja2", "matplotlib", "rich", "textual", "zmq")
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\n" + "".join(f"[mypy-{name}.*]\nignore_missing_imports = True\n" for name in foreign))
    options = ["--allowlist", str(private), "--ignore-unused-allowlist", "--mypy-config-file", str(config)]
    run("-m", "mypy.stubtest", "xichan", *options, cwd=tmp_path)


def test_typing_samples_run(tmp_path):
    run(f"{HERE}/support/typing_samples.py", cwd=tmp_path)
