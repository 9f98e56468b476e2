"""xichan.descriptor(): what it accepts, and what the object does that owns the descriptor."""

import copy
import fcntl
import gc
import io
import multiprocessing.connection
import os
import pickle
import resource
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import weakref

import pytest
from support import run_script
from support.descriptors import has_peer, is_open, same_file

import xichan

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

CLOSED = "^the descriptor is closed$"
DETACHED = r"^the descriptor was detached, by detach\(\), socket\(\) or open\(\)$"


@pytest.fixture
def pair():
    """Two connected sockets."""
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture
def pipe():
    """The two ends of a pipe, as numbers."""
    ends = os.pipe()
    yield ends
    for end in ends:
        if is_open(end):
            os.close(end)


def check_unusable(descriptor, text, name):
    assert descriptor.closed and repr(descriptor) == f"<xichan.Descriptor {name}>"
    tx, rx = xichan.channel()
    uses = (
        descriptor.fileno, descriptor.detach, descriptor.socket, descriptor.open, descriptor.__enter__,
        lambda: xichan.descriptor(descriptor), lambda: tx.send(descriptor), lambda: tx.send_nowait([1, descriptor]),
    )  # fmt: skip
    for use in uses:
        with pytest.raises(ValueError, match=text):
            use()
    descriptor.close()
    assert len(rx) == 0 and not xichan.is_shareable(descriptor)


# What it is made of


def test_duplicate_of_a_socket_outlives_the_socket():
    one, other = socket.socketpair()
    descriptor = xichan.descriptor(one)
    assert type(descriptor) is xichan.Descriptor and not descriptor.closed
    assert descriptor.fileno() != one.fileno() and same_file(descriptor.fileno(), one.fileno())
    one.sendall(b"as before")
    one.close()
    with other:
        assert other.recv(100) == b"as before" and has_peer(other)
        with descriptor.socket() as made:
            made.sendall(b"from the duplicate")
        assert other.recv(100) == b"from the duplicate"
        assert not has_peer(other)


def sources(pipe):
    reading, writing = pipe
    connection = multiprocessing.connection.Connection(os.dup(reading), writable=False)
    return {
        "number": reading,
        "raw file": io.FileIO(reading, closefd=False),
        "buffered file": open(reading, "rb", closefd=False),
        "text file": open(writing, "w", closefd=False),
        "connection": connection,
        "descriptor": xichan.descriptor(reading),
    }


def test_every_object_with_a_descriptor_is_accepted(pipe):
    for name, source in sources(pipe).items():
        number = source if name == "number" else source.fileno()
        with xichan.descriptor(source) as descriptor:
            assert descriptor.fileno() != number and same_file(descriptor.fileno(), number), name
        assert is_open(number), name
        if name != "number":
            source.close()


def test_programs_that_are_executed_do_not_inherit_it(pipe):
    os.set_inheritable(pipe[0], True)
    with xichan.descriptor(pipe[0]) as descriptor:
        assert not os.get_inheritable(descriptor.fileno())
        with descriptor.open("rb") as file:
            assert not os.get_inheritable(file.fileno())


@pytest.mark.parametrize("source", [True, None, 1.5, "path", b"path", [1], io.BytesIO(b"x"), object()])
def test_other_objects_are_refused(source):
    expected = io.UnsupportedOperation if isinstance(source, io.BytesIO) else TypeError
    with pytest.raises(expected) as caught:
        xichan.descriptor(source)
    if expected is TypeError:
        text = "expected a socket, a file, or the number of an open descriptor, got "
        assert str(caught.value) == text + type(source).__name__


def test_sender_is_sent_itself():
    tx, rx = xichan.channel()
    for end, name in ((tx, "Sender"), (rx, "Receiver")):
        with pytest.raises(TypeError, match=f"got {name}; send the {name}$"):
            xichan.descriptor(end)


def test_tls_socket_is_refused(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with context.wrap_socket(pair[0], do_handshake_on_connect=False, server_hostname="localhost") as encrypted:
        with pytest.raises(TypeError, match=r"^the keys of a TLS socket .*; send the socket before wrap_socket\(\)$"):
            xichan.descriptor(encrypted)


@pytest.mark.parametrize("number", [-1, 2**31 - 1])
def test_number_that_is_not_open_is_an_os_error(number):
    with pytest.raises(OSError, match="Bad file descriptor"):
        xichan.descriptor(number)


def test_number_beyond_int_is_an_overflow():
    with pytest.raises(OverflowError):
        xichan.descriptor(2**40)


def test_closed_sources_are_refused(pair):
    pair[0].close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        xichan.descriptor(pair[0])
    file = open(os.devnull)
    file.close()
    with pytest.raises(ValueError, match="closed file"):
        xichan.descriptor(file)


def test_written_data_is_flushed_first(pipe):
    with open(pipe[1], "w", closefd=False) as file:
        file.write("first\n")
        with xichan.descriptor(file).open("w") as other:
            other.write("second\n")
    os.close(pipe[1])
    assert os.read(pipe[0], 100) == b"first\nsecond\n"


# The object


def test_repr_names_number_and_target(pair):
    with xichan.descriptor(pair[0]) as descriptor:
        link = os.readlink(f"/proc/self/fd/{descriptor.fileno()}")
        assert link.startswith("socket:[")
        assert repr(descriptor) == f"<xichan.Descriptor fd={descriptor.fileno()} {link}>"
    with tempfile.NamedTemporaryFile() as file, xichan.descriptor(file) as descriptor:
        assert repr(descriptor) == f"<xichan.Descriptor fd={descriptor.fileno()} {file.name}>"


def test_close_closes_once(pair):
    descriptor = xichan.descriptor(pair[0])
    number = descriptor.fileno()
    descriptor.close()
    assert not is_open(number)
    with xichan.descriptor(pair[0]) as other:  # has the same number
        descriptor.close()
        assert other.fileno() == number and is_open(number)
    check_unusable(descriptor, CLOSED, "closed")


def test_with_block_closes(pair):
    with xichan.descriptor(pair[0]) as descriptor:
        number = descriptor.fileno()
    assert not is_open(number) and descriptor.closed
    with pytest.raises(KeyError), xichan.descriptor(pair[0]) as descriptor:
        raise KeyError
    assert descriptor.closed


def test_with_block_of_a_sent_descriptor_leaves_it_to_the_receiver(pair):
    tx, rx = xichan.channel()
    with xichan.descriptor(pair[0]) as descriptor:
        tx.send(descriptor)
    check_unusable(descriptor, "^the descriptor was sent$", "sent")
    with rx.recv() as received:
        assert same_file(received.fileno(), pair[0].fileno())


def test_detach_hands_over_the_number(pair):
    descriptor = xichan.descriptor(pair[0])
    number = descriptor.fileno()
    assert descriptor.detach() == number and is_open(number)
    check_unusable(descriptor, DETACHED, "detached")
    del descriptor
    assert is_open(number)
    os.close(number)


def test_weak_references_and_attributes(pair):
    with xichan.descriptor(pair[0]) as descriptor:
        assert weakref.ref(descriptor)() is descriptor
        with pytest.raises(AttributeError):
            descriptor.other = 1
        assert descriptor == descriptor and hash(descriptor) == hash(descriptor)
    with pytest.raises(TypeError):
        xichan.Descriptor()
    with pytest.raises(TypeError):
        type("Sub", (xichan.Descriptor,), {})


@pytest.mark.parametrize("make_copy", [pickle.dumps, copy.copy, copy.deepcopy])
def test_pickle_and_copy_are_refused(pair, make_copy):
    with xichan.descriptor(pair[0]) as descriptor:
        with pytest.raises(TypeError, match="cannot pickle"):
            make_copy(descriptor)
        with xichan.descriptor(descriptor) as other:
            assert same_file(other.fileno(), descriptor.fileno()) and other.fileno() != descriptor.fileno()


@pytest.mark.filterwarnings("error")
def test_dropped_descriptor_is_closed_with_a_warning(pair):
    descriptor = xichan.descriptor(pair[0])
    number, text = descriptor.fileno(), repr(descriptor)
    with pytest.warns(ResourceWarning) as caught:
        del descriptor
    assert str(caught[0].message) == f"unclosed {text}" and not is_open(number)
    for end in "close", "detach", "socket", "open":
        descriptor = xichan.descriptor(pair[0])
        made = getattr(descriptor, end)()
        del descriptor  # no warning
        os.close(made) if end == "detach" else made and made.close()


def test_development_mode_reports_a_dropped_descriptor():
    program = "import os, xichan; r, w = os.pipe(); xichan.descriptor(r); os.close(r); os.close(w)"
    done = subprocess.run([sys.executable, "-X", "dev", "-c", program], capture_output=True, text=True, check=True)
    assert "ResourceWarning: unclosed <xichan.Descriptor fd=" in done.stderr


def test_warning_that_raises_or_keeps_the_object():
    run_script("""
    import gc, os, sys, warnings, xichan
    from support.descriptors import is_open
    reading, writing = os.pipe()
    warnings.simplefilter("error")
    reported = []
    sys.unraisablehook = lambda info: reported.append(str(info.exc_value))
    descriptor = xichan.descriptor(reading)
    number = descriptor.fileno()
    del descriptor
    assert not is_open(number) and len(reported) == 1 and reported[0].startswith("unclosed <xichan.Descriptor")
    warnings.simplefilter("always")
    kept = []
    warnings._showwarnmsg_impl = lambda message: kept.append(message.source)
    descriptor = xichan.descriptor(reading)
    del descriptor
    assert kept[0].closed and not is_open(number) and repr(kept[0]) == "<xichan.Descriptor closed>"
    """)


# socket()


def test_socket_keeps_family_type_protocol_and_timeout():
    cases = [
        (socket.AF_INET, socket.SOCK_STREAM, None), (socket.AF_INET, socket.SOCK_STREAM, 0.0),
        (socket.AF_INET, socket.SOCK_STREAM, 2.5), (socket.AF_INET, socket.SOCK_DGRAM, None),
        (socket.AF_UNIX, socket.SOCK_STREAM, 1.25), (socket.AF_UNIX, socket.SOCK_SEQPACKET, 0.0),
    ]  # fmt: skip
    tx, rx = xichan.channel()
    for family, kind, timeout in cases:
        with socket.socket(family, kind) as source:
            source.settimeout(timeout)
            tx.send(xichan.descriptor(source))
            with rx.recv().socket() as made:
                assert type(made) is socket.socket
                assert (made.family, made.type, made.proto) == (source.family, source.type, made.proto)
                assert made.proto == made.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)
                assert made.gettimeout() == timeout and made.getblocking() == (timeout != 0.0)
                assert os.get_blocking(made.fileno()) == (timeout is None)
                assert not made.get_inheritable()


@pytest.mark.parametrize("blocking", [False, True])
def test_socket_of_a_number_has_the_mode_of_the_descriptor(pair, blocking):
    os.set_blocking(pair[0].fileno(), blocking)
    descriptor = xichan.descriptor(pair[0].fileno())
    socket.setdefaulttimeout(7.0)
    try:
        made = descriptor.socket()
    finally:
        socket.setdefaulttimeout(None)
    with made:
        assert made.gettimeout() == (None if blocking else 0.0) and os.get_blocking(made.fileno()) == blocking
    check_unusable(descriptor, DETACHED, "detached")


def test_socket_has_the_number_of_the_descriptor(pair):
    descriptor = xichan.descriptor(pair[0])
    number = descriptor.fileno()
    with descriptor.socket() as made:
        assert made.fileno() == number
        made.sendall(b"x")
        assert pair[1].recv(1) == b"x"


def test_listening_socket_accepts():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with xichan.descriptor(listener).socket() as made:
            with socket.create_connection(listener.getsockname()) as client, made.accept()[0] as accepted:
                accepted.sendall(b"hello")
                assert client.recv(10) == b"hello"


@pytest.mark.parametrize("kind", ["pipe", "file", "directory", "device"])
def test_socket_of_anything_else_names_what_it_is(kind, pipe, tmp_path):
    opened = {
        "pipe": lambda: pipe[0],
        "file": lambda: os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR),
        "directory": lambda: os.open(tmp_path, os.O_RDONLY),
        "device": lambda: os.open(os.devnull, os.O_RDONLY),
    }[kind]()
    with xichan.descriptor(opened) as descriptor:
        with pytest.raises(OSError, match=rf"the descriptor is a {kind}, not a socket; call open\(\)"):
            descriptor.socket()
        assert is_open(descriptor.fileno())
    if kind != "pipe":
        os.close(opened)


class Failure(BaseException):
    pass


@pytest.mark.parametrize("after", [False, True])
def test_exception_in_the_socket_leaves_the_descriptor_usable(pair, monkeypatch, after):
    """A signal handler may raise anywhere in socket.__init__()."""
    original = socket.socket.__init__

    def init(self, *args, **kwargs):
        if after:
            original(self, *args, **kwargs)
        with pytest.raises(ValueError, match="in use by another call"):
            descriptor.close()
        with pytest.raises(ValueError, match="in use by another call"):
            xichan.channel()[0].send(descriptor)
        raise Failure

    descriptor = xichan.descriptor(pair[0])
    monkeypatch.setattr(socket.socket, "__init__", init)
    with pytest.raises(Failure):
        descriptor.socket()
    monkeypatch.undo()
    gc.collect()
    with descriptor.socket() as made:
        made.sendall(b"still open")
        assert pair[1].recv(100) == b"still open"


# open()


def test_open_makes_files_as_fdopen_does(pipe):
    with xichan.descriptor(pipe[1]).open("w", encoding="utf-16-le", newline="\r\n") as file:
        assert type(file) is io.TextIOWrapper and file.encoding == "utf-16-le"
        file.write("é\n")
    assert os.read(pipe[0], 100) == "é\r\n".encode("utf-16-le")
    with xichan.descriptor(pipe[1]).open("wb", 0) as file:
        assert type(file) is io.FileIO and file.mode == "wb"
        file.write(b"raw")
    with xichan.descriptor(pipe[1]).open(mode="wb", buffering=1000) as file:
        assert type(file) is io.BufferedWriter
        file.write(b" buffered")
    os.close(pipe[1])
    with xichan.descriptor(pipe[0]).open("rb") as file:
        assert type(file) is io.BufferedReader and file.name == file.fileno() and file.raw.closefd
        assert file.read() == b"raw buffered"


def test_open_keeps_the_position(tmp_path):
    path = tmp_path / "file"
    path.write_text("one\ntwo\n")
    with open(path, "rb", buffering=0) as file:
        file.seek(4)
        with xichan.descriptor(file).open() as other:
            assert other.read() == "two\n" and other.buffer.raw.name == other.fileno()
        assert file.tell() == 8
    with open(path, "r+b", buffering=0) as file, xichan.descriptor(file).open("a") as other:
        other.write("three\n")
    assert path.read_text() == "one\ntwo\nthree\n"


def test_open_of_a_socket(pair):
    with xichan.descriptor(pair[0]).open("wb") as file:
        file.write(b"through a file")
    assert pair[1].recv(100) == b"through a file"


def test_open_refuses_a_mode_that_the_descriptor_does_not_allow(pipe):
    for number, modes, way in (
        (pipe[0], ("w", "wb", "ab", "r+b"), "reading"),
        (pipe[1], ("r", "rb", "w+b"), "writing"),
    ):
        with xichan.descriptor(number) as descriptor:
            for mode in modes:
                with pytest.raises(io.UnsupportedOperation) as caught:
                    descriptor.open(mode)
                assert str(caught.value) == f"cannot open with mode {mode!r}: the descriptor is open for {way} only"
            assert is_open(descriptor.fileno())


def test_failed_open_leaves_the_descriptor_usable(pipe, tmp_path):
    with xichan.descriptor(pipe[0]) as descriptor:
        failures = (
            ({"mode": "q"}, ValueError), ({"mode": "rb", "encoding": "utf-8"}, ValueError), ({"mode": 5}, TypeError),
            ({"encoding": "no such encoding"}, LookupError), ({"buffering": 0}, ValueError),
            ({"newline": "x"}, ValueError), ({"errors": "no such"}, LookupError), ({"unknown": 1}, TypeError),
        )  # fmt: skip
        for keywords, error in failures:
            if "errors" in keywords and not sys.flags.dev_mode:
                continue
            with pytest.raises(error):
                descriptor.open(**keywords)
            assert is_open(descriptor.fileno())
        with pytest.raises(TypeError):
            descriptor.open("r", -1, None, None, None, True)
        os.write(pipe[1], b"still there")
        with descriptor.open("rb", buffering=0) as file:
            assert file.read(100) == b"still there"
    with xichan.descriptor(directory := os.open(tmp_path, os.O_RDONLY)) as descriptor:
        with pytest.raises(IsADirectoryError):
            descriptor.open()
    os.close(directory)


def test_signal_during_open_leaves_the_descriptor_usable(pipe, monkeypatch):
    """An encoding is found by Python code, in which a signal handler may raise."""
    import codecs

    def search(name):
        if name == "interrupting":
            with pytest.raises(ValueError, match="in use by another call"):
                descriptor.close()
            signal.raise_signal(signal.SIGUSR1)

    def handler(*_):
        raise Failure

    codecs.register(search)
    before = signal.signal(signal.SIGUSR1, handler)
    descriptor = xichan.descriptor(pipe[0])
    try:
        with pytest.raises(Failure):
            descriptor.open(encoding="interrupting")
    finally:
        signal.signal(signal.SIGUSR1, before)
        codecs.unregister(search)
    with descriptor.open("rb") as file:
        os.close(pipe[1])
        assert file.read() == b""


def test_no_free_descriptor_loses_nothing(pair):
    descriptor = xichan.descriptor(pair[0])
    tx, rx = xichan.channel()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptor.fileno() + 1, hard))
    held = []
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                held.append(os.dup(pair[0].fileno()))
        for failing in (lambda: xichan.descriptor(pair[1]), lambda: xichan.descriptor(descriptor), descriptor.open):
            with pytest.raises(OSError, match="Too many open files"):
                failing() if failing is not descriptor.open else descriptor.open("rb")
        with pytest.raises(OSError, match="Too many open files"):
            xichan._core._duplicate([descriptor])
        tx.send([descriptor])  # needs no other descriptor
        [received] = rx.recv()
        made = received.socket()
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with made:
        made.sendall(b"x")
        assert pair[1].recv(1) == b"x"


def test_child_of_a_fork_closes_only_its_own_copies():
    run_script("""
    import os, socket, sys, warnings, xichan
    from support.descriptors import has_peer
    one, other = socket.socketpair()
    tx, rx = xichan.channel()
    kept = xichan.descriptor(one)
    tx.send(xichan.descriptor(one))
    tx.send(xichan.descriptor(one))
    view_tx, view_rx = xichan.channel()
    view_tx.send((xichan.descriptor(one), 1))
    view = view_rx.recv(copy=False)
    one.close()
    warnings.simplefilter("ignore")
    child = os.fork()
    if child == 0:
        kept.close()
        del view, tx, rx
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    for descriptor in (kept, view[0], rx.recv(), rx.recv()):
        with descriptor.socket() as made:
            made.sendall(b"x")
        assert other.recv(10) == b"x"
    assert not has_peer(other)
    """)


def test_flags_of_the_original_are_shared(pair):
    with xichan.descriptor(pair[0]) as descriptor:
        pair[0].setblocking(False)
        assert fcntl.fcntl(descriptor.fileno(), fcntl.F_GETFL) & os.O_NONBLOCK
