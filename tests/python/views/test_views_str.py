"""xichan.StrView: a str whose characters stay in the arena."""

import copy
import json
import pickle
import re
import sys
import tempfile
import threading
import weakref

import pytest
from support import alive, interpreter, left_over, same, viewed

import xichan

TEXTS = {
    "ascii": "the quick brown fox " * 50,
    "latin1": "café \xff" * 200,
    "ucs2": "\u20acuro \ud800" * 200,
    "ucs4": "\U0001f600\U0010ffff!" * 200,
    "nuls": "a\0b" * 400,
}


@pytest.fixture(params=TEXTS)
def text(request):
    return TEXTS[request.param]


def test_str_view_type(text):
    view = viewed(text)
    assert type(view) is xichan.StrView and isinstance(view, str)
    assert weakref.ref(view)() is view
    for make in (lambda: xichan.StrView(), lambda: xichan.StrView("a"), lambda: str.__new__(xichan.StrView, "a"),
                 lambda: type("S", (xichan.StrView,), {})):  # fmt: skip
        with pytest.raises(TypeError):
            make()
    with pytest.raises((AttributeError, TypeError)):
        view.attribute = 1


def test_small_str_arrives_as_str():
    for character, width in (("a", 1), ("é", 1), ("\u20ac", 2), ("\U0001f600", 4)):
        largest = 512 // width
        assert type(viewed(character * largest)) is str
        assert type(viewed(character * (largest + 1))) is xichan.StrView


def test_str_view_equals_its_text(text):
    view = viewed(text)
    assert view == text and text == view and not view != text and view == viewed(text)
    assert hash(view) == hash(text) and {view: 1}[text] == 1 and {text: 1}[view] == 1
    assert len(view) == len(text) and view[3] == text[3] and view[-1] == text[-1] and list(view) == list(text)
    assert view < text + "a" and view > text[:-1] and view.isascii() == text.isascii()
    assert view.find(text[-3:]) == text.find(text[-3:]) and text[5:9] in view and view.count("a") == text.count("a")


def test_values_derived_from_a_str_view_are_str(text):
    view = viewed(text)
    for made in (str(view), view.value(), view[:], f"{view}", "%s" % view, "".join([view]), view + "", "" + view,  # noqa: UP031
                 copy.copy(view), copy.deepcopy(view), sys.intern(str(view)), view.replace("no such", "")):  # fmt: skip
        assert same(made, text)
    assert same(view[3:], text[3:]) and same(view * 2, text * 2) and same(view + view, text + text)
    assert same(view.upper(), text.upper()) and view.split() == text.split()
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        if not re.search("[\ud800-\udfff]", text) or protocol > 0:
            assert same(pickle.loads(pickle.dumps(view, protocol)), text)


def test_str_view_encodes(text):
    view = viewed(text)
    for _ in range(2):  # CPython keeps the first
        assert view.encode("utf-8", "surrogatepass") == text.encode("utf-8", "surrogatepass")
    assert view.encode("utf-32", "surrogatepass") == text.encode("utf-32", "surrogatepass")


def test_str_view_is_accepted_where_a_str_is():
    for text in (TEXTS["ascii"], TEXTS["latin1"], TEXTS["ucs4"]):
        view = viewed(text)
        assert json.loads(json.dumps({view: [view]})) == {text: [text]}
        assert same(re.fullmatch(".*", view, re.S)[0], text) and re.sub(re.escape(view), "", text + "!") == "!"
        assert same(re.sub(r"\s", "", view), re.sub(r"\s", "", text)) and re.match(view, view)
        assert ascii(view) == ascii(text) and repr(view) == repr(text)
        with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
            file.write(view)
            file.seek(0)
            assert file.read() == text
    re.purge()  # it keeps its patterns
    assert int(viewed("0" * 600 + "17")) == 17 and float(viewed("0" * 600 + ".5")) == 0.5
    name = "n" * 600

    class Thing:
        pass

    setattr(Thing, viewed(name), 1)
    assert getattr(Thing, name) == getattr(Thing, viewed(name)) == 1
    assert (lambda **names: names)(**{viewed(name): 2}) == {name: 2}
    assert eval(viewed("1 + 1" + " " * 600)) == 2


def test_utf8_form_of_a_str_view_is_freed():
    """CPython caches the UTF-8 form in the object, in the interpreter's memory."""
    before = alive()
    for text in TEXTS.values():
        for _ in range(200):
            view = viewed(text)
            try:
                int(view)  # has it made, as far as it can be
            except ValueError:
                pass
            open_failed = pytest.raises((OSError, ValueError))
            with open_failed:
                open("/" + view)
            with open_failed:
                open(view)
            del view
    assert left_over(before) == {}


def test_str_views_work_in_several_interpreters_and_threads():
    pytest.importorskip("concurrent.interpreters")
    text = "\u20acuro" * 1000
    view = viewed(text)
    held = alive()["bytes"]
    with interpreter(view=view) as one, interpreter(view=view) as two:
        source = """if True:
            assert type(view) is not str and view.encode().decode() == view
            assert hash(view) == hash('\\u20acuro' * 1000)
        """
        threads = [threading.Thread(target=interp.exec, args=(source,)) for interp in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert alive()["bytes"] == held
    assert view == text
