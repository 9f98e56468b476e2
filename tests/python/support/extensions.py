"""Small extension modules that tests compile, for what no module of the standard library does."""

import shutil
import subprocess
import sysconfig
import textwrap

import pytest

# The module runs `body` when an interpreter loads it; every interpreter may load it.
_MODULE = """
#include <Python.h>
static int run(PyObject* module) {{
  {body}
  return 0;
}}
static PyModuleDef_Slot slots[] = {{
    {{Py_mod_exec, (void*)run}},
    {{Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}},
    {{0, NULL}}}};
static PyModuleDef definition = {{PyModuleDef_HEAD_INIT, "{name}", NULL, 0, NULL, slots}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModuleDef_Init(&definition); }}
"""

# Single-phase initialization, which only the main interpreter accepts.
_MAIN_ONLY = """
#include <Python.h>
static PyModuleDef definition = {{PyModuleDef_HEAD_INIT, "{name}", NULL, -1, NULL}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&definition); }}
"""


def build(folder, name, body=None):
    """Compile a module into a folder. body: C code that it runs when it is loaded; None: only main can load it.

    The name may have dots: then the folder is that of the package. Skips the test if there is no C compiler.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("needs a C compiler")
    short = name.rpartition(".")[2]
    template = _MAIN_ONLY if body is None else _MODULE
    source = folder / f"{short}.c"
    source.write_text(template.format(name=short, body=textwrap.dedent(body or "")))
    target = folder / f"{short}{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = sysconfig.get_path("include")
    subprocess.run([compiler, "-shared", "-fPIC", "-O0", f"-I{include}", "-o", target, source], check=True)
    return target
