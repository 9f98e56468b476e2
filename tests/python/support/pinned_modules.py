"""Extension modules with static state, which refuse interpreters other than main, and programs that use them."""

import shutil
import subprocess
import sysconfig
import textwrap

import pytest

from . import run_script

# Multi-phase initialization; the second load in a process fails, as that of NumPy does.
_STATIC = """
#include <Python.h>
static int loads = 0;
static long long calls = 0;
static PyObject* count(PyObject* self, PyObject* args) {{ return PyLong_FromLongLong(++calls); }}
static PyObject* home(PyObject* self, PyObject* args) {{
  return PyLong_FromLongLong(PyInterpreterState_GetID(PyInterpreterState_Get()));
}}
static int run(PyObject* module) {{
  if (loads++ || {refuses}) {{
    PyErr_SetString(PyExc_ImportError, "cannot load module more than once per process");
    return -1;
  }}
  return 0;
}}
static PyMethodDef methods[] = {{
    {{"count", count, METH_NOARGS, NULL}}, {{"home", home, METH_NOARGS, NULL}}, {{NULL, NULL, 0, NULL}}}};
static PyModuleDef_Slot slots[] = {{{{Py_mod_exec, (void*)run}}, {{0, NULL}}}};
static PyModuleDef definition = {{PyModuleDef_HEAD_INIT, "{name}", NULL, 0, methods, slots}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModuleDef_Init(&definition); }}
"""

# Single-phase initialization, without and with a state for each interpreter.
_SINGLE = """
#include <Python.h>
static PyObject* home(PyObject* self, PyObject* args) {{
  return PyLong_FromLongLong(PyInterpreterState_GetID(PyInterpreterState_Get()));
}}
static PyMethodDef methods[] = {{{{"home", home, METH_NOARGS, NULL}}, {{NULL, NULL, 0, NULL}}}};
static PyModuleDef definition = {{PyModuleDef_HEAD_INIT, "{name}", NULL, {size}, methods}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&definition); }}
"""


def build(folder):
    """Compile the modules static, single, stateful and stubborn into a folder. Skips the test without a C compiler.

    stubborn refuses every interpreter but main, as a module may that looks where it is loaded.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("needs a C compiler")
    elsewhere = "PyInterpreterState_Get() != PyInterpreterState_Main()"
    sources = {
        "static": _STATIC.format(name="static", refuses=0),
        "stubborn": _STATIC.format(name="stubborn", refuses=elsewhere).replace("loads++ ||", "0 ||"),
        "single": _SINGLE.format(name="single", size=-1),
        "stateful": _SINGLE.format(name="stateful", size=8),
    }
    for name, source in sources.items():
        path = folder / f"{name}.c"
        path.write_text(source)
        target = folder / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
        include = sysconfig.get_path("include")
        command = [compiler, "-shared", "-fPIC", "-O0", f"-I{include}", "-o", target, path]
        subprocess.run(command, check=True)
    return folder


PROLOGUE = """
import sys
sys.path.insert(0, sys.argv[1])
import xichan
from support import PATIENCE, wait_until
from support import pool_tasks as tasks

MAIN = tasks.interpreter_id()

def home(name):
    return __import__(name).home()

def pinned_pool(n=1, **options):
    return xichan.InterpreterPoolExecutor(n, fallback="pinned", **options)

def error_of(function, *args):
    try:
        function(*args)
    except Exception as error:
        return type(error), str(error)
"""


def run_program(source, folder, **options):
    """Run source in a process of its own, after the prologue, with the modules of a folder."""
    return run_script(PROLOGUE + textwrap.dedent(source), folder, **options).stdout
