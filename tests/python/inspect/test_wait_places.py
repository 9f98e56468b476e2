"""The places of the waits of inspect(): files, lines and functions of the code that called."""

import pytest
from support import Call, run_script
from support.waits import line_of, only_wait

import xichan


def test_send_of_a_long_list_shows_the_line_of_the_call():
    tx, rx = xichan.channel(2)

    def send():
        values = [1, 2, 3]

        return (
            tx
            .send_many(values)
        )  # fmt: skip

    call = Call(send)
    assert only_wait().place in {line_of(send, offset) for offset in (4, 5)}
    rx.drain()
    assert call.result() == 3


@pytest.mark.parametrize("tracing", [False, True])
def test_lines_agree_with_those_of_python(tracing):
    """Every line of code with all kinds of entries in its line table, also while a debugger has a look at it."""
    run_script(
        f"""
        import sys, threading, time, xichan

        body = [f"    rx.recv(){{';' if i % 3 else ''}}" + " " * (i * 7 % 90) for i in range(60)]
        for i in range(0, 60, 7):
            body[i] = "\\n" * (i * 5 % 200) + body[i]
        source = "def receive():\\n" + "\\n".join(body) + "\\n"
        names = {{}}
        exec(compile(source, "generated.py", "exec"), names)
        receive = names["receive"]
        tx, rx = names["tx"], names["rx"] = xichan.channel(1)
        expected = [i for i, line in enumerate(source.splitlines(), 1) if "recv" in line]
        assert len(expected) == 60

        def run():
            if {tracing}:
                sys.settrace(lambda *_: lambda *_: None)
            receive()

        thread = threading.Thread(target=run)
        thread.start()
        last = 0
        for line in expected:
            while True:
                waits = [wait for wait in xichan.inspect().waits if wait.id > last]
                if waits:
                    break
                time.sleep(0)
            (wait,) = waits
            last = wait.id
            assert wait.place == f"generated.py:{{line}}", (wait.place, line)
            tx.send(1)
        thread.join()
        """
    )


def test_names_that_are_not_ascii(tmp_path):
    path = tmp_path / "größe_大_🙂.py"
    path.write_text("def empfängt_大(rx):\n    return rx.recv()\n")
    names = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    tx, rx = xichan.channel(1)
    call = Call(lambda: names["empfängt_大"](rx))
    wait = only_wait()
    assert wait.function == "empfängt_大"
    assert f"{path}:2".endswith(wait.place.removeprefix("..."))
    tx.send(1)
    call.result()


def test_surrogates_and_long_names():
    names = {}
    exec(compile("def receive(rx):\n    return rx.recv()\n", "\udc80" + "x" * 700 + "/end.py", "exec"), names)
    tx, rx = xichan.channel(1)
    call = Call(lambda: names["receive"](rx))
    place = only_wait().place
    assert place.startswith("...x") and place.endswith("x/end.py:2")
    tx.send(1)
    call.result()
