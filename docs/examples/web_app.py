"""An ASGI application whose workers share a cache and a rate limit. Served by hypercorn_workers.py:

    python hypercorn_workers.py --workers 2 --state web_app:create_state web_app:app

    GET /           the name of the worker
    GET /primes/N   the number of primes below N, which one worker computes and all of them find in the cache
    GET /limited    429 from the sixth request of a client within a minute, whichever workers it meets

The program calls create_state() and keeps the shared objects, also during a reload. Workers look them up by name.
"""

import xichan

LIMIT = 5  # requests of a client per minute


def create_state():
    pages = xichan.Map(max_items=10_000, ttl=300, name="web_app.pages")
    clients = xichan.Map(max_items=100_000, ttl=60, name="web_app.clients")
    return pages, clients


def count_primes(limit):
    return sum(all(n % divisor for divisor in range(2, int(n**0.5) + 1)) for n in range(2, limit))


def respond(path, client, state):
    """Return the status and text of a response."""
    if path == "/":
        return 200, f"hello from {xichan.worker().name}"
    if path.startswith("/primes/") and path[8:].isdecimal() and len(path) < 14:
        text = state["pages"].get(path)
        if text is None:
            text = f"{count_primes(int(path[8:]))}, computed by {xichan.worker().name}"
            state["pages"].set(path, text)
        return 200, text
    if path == "/limited":
        count = state["clients"].add(client)
        return (200, f"request {count}") if count <= LIMIT else (429, "too many requests")
    return 404, "not found"


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(scope["state"], receive, send)
    elif scope["type"] == "http":
        client, _ = scope["client"] or ("local", 0)
        status, text = respond(scope["path"], client, scope["state"])
        body = f"{text}\n".encode()
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def lifespan(state, receive, send):
    await receive()
    state["pages"] = xichan.Map.lookup("web_app.pages")
    state["clients"] = xichan.Map.lookup("web_app.clients")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
