"""Applications of the tests of docs/examples/hypercorn_workers.py, by ASGI alone, Starlette and Flask.

/worker       the name of the worker, and how often it was restarted
/hold/NAME    creates the file NAME.held in the working folder, and responds when NAME.released exists
/exit/STATUS  calls sys.exit
"""

import asyncio
import sys
import time
from pathlib import Path

import xichan


def worker():
    me = xichan.worker()
    return f"{me.name} {me.attempt}"


def is_released(name):
    Path(f"{name}.held").touch()
    return Path(f"{name}.released").exists()


async def hold(name):
    while not is_released(name):
        await asyncio.sleep(0.001)
    return worker()


async def plain(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    match scope["path"].split("/")[1:]:
        case ["worker"]:
            text = worker()
        case ["hold", name]:
            text = await hold(name)
        case ["exit", status]:
            sys.exit(int(status))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text.encode()})


def starlette():
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def on_worker(request):
        return PlainTextResponse(worker())

    async def on_hold(request):
        return PlainTextResponse(await hold(request.path_params["name"]))

    async def on_exit(request):
        sys.exit(request.path_params["status"])

    routes = [("/worker", on_worker), ("/hold/{name}", on_hold), ("/exit/{status:int}", on_exit)]
    return Starlette(routes=[Route(path, function) for path, function in routes])


def flask():
    import flask

    app = flask.Flask(__name__)
    app.add_url_rule("/worker", view_func=worker)

    @app.route("/hold/<name>")
    def on_hold(name):
        while not is_released(name):
            time.sleep(0.001)
        return worker()

    @app.route("/exit/<int:status>")
    def on_exit(status):
        sys.exit(status)

    return app
