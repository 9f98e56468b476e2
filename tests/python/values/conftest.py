"""Fixtures of the tests of Descriptors."""

import gc

import pytest
from support.descriptors import Held, Line, open_descriptors

import xichan
from xichan import _core


@pytest.fixture
def no_descriptor_is_left():
    """The test closes all that it opens."""
    before = open_descriptors()
    yield
    gc.collect()
    assert open_descriptors() == before


@pytest.fixture
def line():
    made = Line()
    with made.end, made.descriptor:
        yield made


@pytest.fixture
def register_held():
    """Return a function that registers Held with a function that decodes it."""
    yield lambda decode=Held: xichan.register(Held, lambda held: held.descriptor, decode)
    _core._forget_plan(Held)
