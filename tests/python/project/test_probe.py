"""xichan.probe() and python -m xichan probe, over modules that behave in every way."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from support import environment, extensions, run_python, wait_until
from support.programs import interrupt_program

import xichan
from xichan import _probe, _probe_child

pytest.importorskip("concurrent.interpreters")

REFUSAL = "module {} does not support loading in subinterpreters"


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A function that writes a module which probe() finds, and returns its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(source, name="probed"):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        return name

    return write


def swallowing(name="faulthandler"):
    return f"""
    __version__ = "1.5"
    try:
        import {name}
    except ImportError:
        pass
    """


def test_module_that_loads():
    assert xichan.probe("bisect") == xichan.ProbeResult("bisect", "loads", {}, None, "")
    assert xichan.probe("xichan").version == xichan.__version__


def test_version_is_that_of_the_distribution(module, tmp_path):
    name = module("__version__ = 'unknown'")
    (tmp_path / "some_dist-2.0.dist-info").mkdir()
    (tmp_path / "some_dist-2.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: some-dist\nVersion: 2.0\n"
    )
    (tmp_path / "some_dist-2.0.dist-info" / "RECORD").write_text(f"{name}.py,,\n")
    assert xichan.probe(name).version == "2.0"


def test_module_that_goes_on_without_another(module):
    found = xichan.probe(module(swallowing()))
    assert (found.status, found.version) == ("degraded", "1.5")
    assert found.refused == {"faulthandler": REFUSAL.format("faulthandler")}
    assert found.detail == "it goes on without faulthandler: it may be slower, or fail when it is used"


def test_standard_library_that_does_without_a_module_loads():
    assert xichan.probe("rlcompleter") == xichan.ProbeResult("rlcompleter", "loads", {}, None, "")


def test_refused_module(module, tmp_path):
    found = xichan.probe("readline")
    assert found == xichan.ProbeResult(
        "readline", "refused", {"readline": REFUSAL.format("readline")}, None,
        f"ImportError: {REFUSAL.format('readline')}",
    )  # fmt: skip
    extensions.build(tmp_path, "_native")
    found = xichan.probe(module("import _native"))
    assert (found.status, list(found.refused)) == ("refused", ["_native"])


def test_refused_cause_behind_another_error(module):
    found = xichan.probe(
        module("""
        try:
            import faulthandler
        except ImportError as error:
            raise RuntimeError("this installation is broken") from error
        """)
    )
    assert (found.status, list(found.refused)) == ("refused", ["faulthandler"])
    assert found.detail == f"ImportError: {REFUSAL.format('faulthandler')}"


def test_module_that_fails_in_interpreters_only(module):
    name = module("""
    from concurrent import interpreters
    if interpreters.get_current() != interpreters.get_main():
        raise LookupError("not here")
    """)
    assert xichan.probe(name) == xichan.ProbeResult(
        name, "refused", {}, None, "LookupError: not here; the main interpreter loads it"
    )


def test_module_that_loads_once_per_process(module):
    found = xichan.probe(
        module("""
        import os
        if "PROBED" in os.environ:
            raise LookupError("twice")
        os.environ["PROBED"] = "1"
        """)
    )
    assert (found.status, found.detail) == ("refused", "LookupError: twice; the main interpreter loads it")


def test_module_that_fails_everywhere(module):
    found = xichan.probe(module("import no_such_module_at_all"))
    message = "ModuleNotFoundError: No module named 'no_such_module_at_all'"
    assert (found.status, found.detail) == ("fails", f"{message}; the main interpreter does not load it either")
    assert xichan.probe(module("import sys; sys.exit(0)", "leaving")).status == "fails"
    assert xichan.probe(module("class Panic(BaseException): pass\nraise Panic", "panic")).status == "fails"


@pytest.mark.parametrize("name", ["no_such_module_at_all", "no_such_module_at_all.part", "json.nothing"])
def test_missing_module(name):
    found = xichan.probe(name)
    assert (found.status, found.version) == ("missing", None) and "No module named" in found.detail


def test_crash_is_a_result(module):
    found = xichan.probe(module("import ctypes; ctypes.string_at(0)"))
    assert found.status == "crashes"
    assert found.detail.startswith("the process was ended by SIGSEGV while it was imported, at ")
    assert found.detail.endswith("; the main interpreter does not load it either")
    found = xichan.probe(
        module(
            """
            import os, signal
            from concurrent import interpreters
            if interpreters.get_current() != interpreters.get_main():
                os.kill(os.getpid(), signal.SIGKILL)
            """,
            "killing",
        )
    )
    assert found.detail == "the process was ended by SIGKILL while it was imported; the main interpreter loads it"


def test_exit_of_the_process_is_a_crash(module):
    found = xichan.probe(module("import os; os._exit(0)"))
    assert found.status == "crashes" and "the process ended with exit status 0 while it was imported" in found.detail


def test_crash_at_the_end_of_the_interpreter(module):
    found = xichan.probe(module("import atexit, os; atexit.register(os.abort)"))
    assert found.status == "crashes" and "SIGABRT when the interpreters ended" in found.detail
    assert found.detail.endswith("does not load it either")


def test_crash_in_the_second_interpreter(module):
    found = xichan.probe(
        module("""
        import os
        if "PROBED" in os.environ:
            os.abort()
        os.environ["PROBED"] = "1"
        """)
    )
    assert found.status == "crashes" and "while it was imported, in a second interpreter" in found.detail


def test_hang_is_a_result_and_ends_the_process_and_its_children(module, tmp_path, monkeypatch):
    pids = tmp_path / "pids"

    class Process(subprocess.Popen):
        """A process whose time is over as soon as it hangs, however long it takes to get there."""

        def wait(self, timeout=None):
            if timeout is None:
                return super().wait()
            wait_until(lambda: self.poll() is not None or (pids.exists() and f"{self.pid} " in pids.read_text()))
            if self.returncode is None:
                raise subprocess.TimeoutExpired(self.args, timeout)
            return self.returncode

    monkeypatch.setattr(subprocess, "Popen", Process)
    found = xichan.probe(
        module(f"""
        import os, subprocess, sys, threading
        from concurrent import interpreters
        if interpreters.get_current() != interpreters.get_main():
            child = subprocess.Popen(["sleep", "600"])
            with open({str(pids)!r}, "w") as file:
                file.write(f"{{os.getpid()}} {{child.pid}}")
            threading.Event().wait()
        """),
        timeout=600,
    )
    assert found.status == "hangs"
    assert found.detail == "no result after 600 seconds, while it was imported; the main interpreter loads it"
    for pid in pids.read_text().split():
        wait_until(lambda pid=pid: is_over(pid))


def is_over(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_process_that_the_module_leaves_delays_nothing(module, tmp_path):
    name = module(f"""
    import subprocess
    left = subprocess.Popen(["sleep", "600"], start_new_session=True)
    with open({str(tmp_path / "pids")!r}, "a") as file:
        print(left.pid, file=file)
    left.returncode = 0  # no warning that it still runs
    """)
    try:
        assert xichan.probe(name).status == "loads"
    finally:
        for pid in (tmp_path / "pids").read_text().split():
            os.kill(int(pid), signal.SIGKILL)


def test_output_and_input_of_the_module_are_kept_apart(module, capfd):
    name = module("""
    import os, sys
    print('["failed", "printed", false, false]', flush=True)
    os.write(1, b'["done"]\\n')
    assert sys.stdin is None or not sys.stdin.read()
    """)
    assert xichan.probe(name).status == "loads"
    assert capfd.readouterr() == ("", "")


def test_imports_in_finalizers_and_at_the_end_are_seen(module):
    found = xichan.probe(
        module("""
        import atexit
        def attempt(name):
            try:
                __import__(name)
            except ImportError:
                pass
        class Importing:
            def __del__(self):
                attempt("readline")
        Importing()
        atexit.register(attempt, "faulthandler")
        """)
    )
    assert (found.status, found.refused.keys()) == ("degraded", {"readline", "faulthandler"})


def test_options_of_the_interpreter_reach_the_process(tmp_path):
    (tmp_path / "probed.py").write_text("import sys; assert sys.flags.dev_mode and sys.flags.optimize, sys.flags")
    place = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    options = ["-X", "dev", "-O"]
    done = run_python(*options, "-m", "xichan", "probe", "probed", env={"PYTHONPATH": place})
    assert "loads" in done.stdout


def test_process_ends_itself_if_nothing_waits_for_it(tmp_path):
    """As after the end of the process that has started it."""
    (tmp_path / "probed.py").write_text("import threading; threading.Event().wait()")
    path = [str(tmp_path), *environment()["PYTHONPATH"].split(os.pathsep)]
    request = {"name": "probed", "path": [*path, *sys.path], "main": False, "timeout": 1}
    command = [sys.executable, "-c", _probe_child.PROGRAM]
    done = subprocess.run(command, input=json.dumps(request), text=True, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGALRM and '["done"]' not in done.stdout


def test_probe_in_a_worker():
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert pool.submit(xichan.probe, "math").result(120).status == "loads"


def test_ctrl_c_ends_the_child(module, tmp_path):
    name = module(f"""
    import os, threading
    with open({str(tmp_path / "pid")!r}, "w") as file:
        file.write(str(os.getpid()))
    print(end="")
    threading.Event().wait()
    """)
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(f"""
        import os, sys, threading, time
        sys.path.insert(0, {str(tmp_path)!r})
        import xichan
        def watch():
            while not (os.path.exists({str(tmp_path / "pid")!r}) and os.path.getsize({str(tmp_path / "pid")!r})):
                time.sleep(0.01)
            print("begun", flush=True)
        threading.Thread(target=watch, daemon=True).start()
        xichan.probe({name!r})
        """)
    )
    status, (_, errors) = interrupt_program(program)
    assert status == -signal.SIGINT and "KeyboardInterrupt" in errors
    wait_until(lambda: is_over((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("name", ["", "a b", "numpy/core", ".relative", "numpy.", "import os; os"])
def test_other_strings_than_module_names_are_refused(name):
    with pytest.raises(ValueError, match="name must be the name of a module"):
        xichan.probe(name)


def test_other_arguments_are_refused():
    with pytest.raises(TypeError, match="name must be a str, got module"):
        xichan.probe(json)
    with pytest.raises(TypeError, match="timeout must be a number of seconds or None, got str"):
        xichan.probe("json", timeout="1")
    with pytest.raises(ValueError, match="timeout must be greater than 0 seconds, got 0"):
        xichan.probe("json", timeout=0)


def test_program_without_an_interpreter_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(RuntimeError, match="sys.executable is empty"):
        xichan.probe("json")


def test_result_is_a_frozen_record():
    found = xichan.probe("json")
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.status = "refused"
    assert xichan.loads(xichan.dumps(found), classes=[xichan.ProbeResult]) == found


# The command


def test_command_prints_a_line_for_each_package():
    done = run_python("-m", "xichan", "probe", "bisect", "readline", "no_such_module_at_all", expect=1)
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["bisect", "-", "loads"]
    assert lines[1].split()[:3] == ["readline", "-", "refused"]
    assert lines[2].strip() == f"readline: {REFUSAL.format('readline')}"
    assert lines[3].split()[:3] == ["no_such_module_at_all", "-", "missing"]
    assert done.stderr == ""


def test_command_succeeds_if_all_load():
    assert run_python("-m", "xichan", "probe", "json", "math").stdout.count("loads") == 2


def test_command_prints_json():
    done = run_python("-m", "xichan", "probe", "--json", "bisect", "readline", expect=1)
    first, second = json.loads(done.stdout)
    assert first == {"name": "bisect", "status": "loads", "refused": {}, "version": None, "detail": ""}
    assert (second["status"], list(second["refused"])) == ("refused", ["readline"])


def test_command_reports_a_hang(module, capsys):
    name = module("import threading; threading.Event().wait()")
    assert _probe.main(["--timeout", "0.1", name]) == 1
    assert "hangs" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["a b"], ["--timeout", "0", "json"], ["--nothing", "json"]])
def test_wrong_arguments_of_the_command_are_usage_errors(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        _probe.main(arguments)
    assert caught.value.code == 2 and "usage: python -m xichan probe" in capsys.readouterr().err
