"""A task waits for a key that is stored under another name.

kind: map
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()


def serve(settings):
    settings.wait("address")  # waits


settings = xichan.Map(name="settings")
with xichan.InterpreterPoolExecutor(1) as pool:
    task = pool.submit(serve, settings)
    settings["host"] = "localhost"
    task.result()  # joins
