"""docs/examples/remote_index.py: the index is that of a single process, also if a worker is killed."""

import re
from pathlib import Path

import pytest
from support import run_python
from support.nats_server import free_port

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
INDEX = EXAMPLES / "remote_index.py"

pytest.importorskip("concurrent.interpreters")  # used by stdlib_index.py


def counts(output):
    """Return the printed identifiers and their counts."""
    return re.findall(r"^ *([\d,]+)  (\w+)$", output, re.M)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_index_with_processes_is_that_of_one_process(server, workers):
    done = run_python(INDEX, "--server", server.url, "--limit", 60, "--workers", workers)
    assert "60 files" in done.stdout and "the results are equal" in done.stdout
    assert "0 workers killed, 0 results received again" in done.stdout
    local = run_python(EXAMPLES / "stdlib_index.py", "--limit", 60, "--workers", 1)
    assert len(counts(done.stdout)) == 20 and counts(done.stdout) == counts(local.stdout)


def test_killed_worker_loses_nothing(server):
    done = run_python(INDEX, "--server", server.url, "--limit", 120, "--workers", 2, "--kill", timeout=120)
    assert "1 workers killed" in done.stdout and "the results are equal" in done.stdout


# The example looks every ten seconds for workers that have ended.
IMPATIENT = f"""
import sys
sys.path.insert(0, {str(EXAMPLES)!r})
import remote_index
remote_index.PATIENCE = 0.2
sys.exit(remote_index.main())
"""


def test_no_worker_left_ends_the_program(server):
    command = "-c", IMPATIENT, "--server", server.url, "--limit", 60, "--workers", 1, "--kill"
    done = run_python(*command, expect=1, timeout=120)
    assert "all workers have ended" in done.stderr


def test_unreachable_server_is_reported(server):
    done = run_python(INDEX, "--server", f"nats://127.0.0.1:{free_port()}", "--limit", 1, expect=1)
    assert "start a server with `nats-server -js`" in done.stderr and "Traceback" not in done.stderr


def test_index_leaves_no_channel_behind(server, hub):
    import xichan

    done = run_python(INDEX, "--server", server.url, "--limit", 5)
    assert "the results are equal" in done.stdout
    assert not [name for name in server.streams() if "index-" in name]
    with pytest.raises(xichan.NotFound):
        hub.receiver("index-texts")
