"""Values to send and to dump: edge cases, and a Hypothesis strategy for all kinds."""

from hypothesis import strategies as st

from support import float_of

HUGE = {
    "10**5000": 10**5000,
    "-10**5000": -(10**5000),
    "2**1000000": 2**1_000_000,
    "-2**1000000": -(2**1_000_000),
    "2**1000000-1": 2**1_000_000 - 1,
    "1-2**1000000": 1 - 2**1_000_000,
}

FLOAT_PATTERNS = [
    0,  # 0.0
    1 << 63,  # -0.0
    1,  # the smallest subnormal
    0x000FFFFFFFFFFFFF,
    0x7FEFFFFFFFFFFFFF,  # the largest
    0x7FF0000000000000,  # inf
    0xFFF0000000000000,
    0x7FF8000000000000,  # the usual NaN
    0xFFF8000000000000,
    0x7FF8DEADBEEF1234,  # NaNs with payloads, quiet and signaling
    0xFFFFFFFFFFFFFFFF,
    0x7FF0000000000001,
    0xFFF4000000000000,
]

characters = st.characters(exclude_categories=())  # surrogates too
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.floats(),
    st.integers(0, 2**64 - 1).map(float_of),
    st.text(characters, max_size=20),
    st.text(st.characters(max_codepoint=127)),
    st.binary(max_size=40),
)
values = st.recursive(leaves, lambda children: st.lists(children, max_size=8).map(tuple), max_leaves=40)
