"""The channel: what goes in comes out, and nothing that comes in can do harm."""

import io
import json
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_lib.grading import channel

DTYPES = st.sampled_from([np.dtype(d) for d in channel.DTYPES])
ARRAYS = arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
PLAIN = st.one_of(st.text(max_size=50), st.integers(), st.floats(), st.booleans())
NAMES = st.text(min_size=1, max_size=12)
KINDS = st.sampled_from(["ask", "answer"])


def header(told, body=b"") -> io.BytesIO:
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    return io.BytesIO(channel.MAGIC + struct.pack("<I", len(raw)) + raw + body)


def message(listed, body=b"", **values) -> io.BytesIO:
    return header({"kind": "answer", "values": values, "arrays": listed}, body)


@settings(max_examples=60, deadline=None)
@given(KINDS, st.dictionaries(NAMES, st.one_of(ARRAYS, PLAIN), max_size=6))
def test_what_goes_in_comes_out(kind, values):
    stream = io.BytesIO()
    channel.write(stream, kind, values)
    stream.seek(0)
    told, got = channel.read(stream)
    assert told == kind and set(got) == set(values)
    for name, value in values.items():
        np.testing.assert_array_equal(got[name], value)
        if isinstance(value, np.ndarray):
            assert got[name].dtype == value.dtype and got[name].shape == value.shape
    with pytest.raises(EOFError):
        channel.read(stream)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_way(raw):
    for stream in (io.BytesIO(raw), io.BytesIO(channel.MAGIC + raw), header(raw)):
        try:
            channel.read(stream)
        except (channel.Broken, EOFError):
            pass


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(JSON, JSON, JSON)
def test_any_header_is_refused_in_one_way(kind, values, listed):
    for told in (kind, {"kind": kind, "values": values, "arrays": listed}):
        try:
            channel.read(header(told))
        except channel.Broken:
            pass


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(NAMES, ARRAYS, min_size=1, max_size=3), st.data())
def test_a_message_cut_or_changed_is_read_or_refused(values, data):
    raw = bytearray(channel.pack("answer", values))
    cut = data.draw(st.integers(1, len(raw) - 1))
    with pytest.raises(channel.Broken):
        channel.read(io.BytesIO(bytes(raw[:cut])))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        channel.read(io.BytesIO(bytes(raw)))
    except channel.Broken:
        pass


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ([["a", "<f8", [2**40]]], "impossible shape"),
        ([["a", "<f8", [2**26]]], "64 MiB"),
        ([["a", "<f8", [2**20, 2**20]]], "64 MiB"),
        ([["a", "<f8", [0, 2**26, 2**26]]], "64 MiB"),
        ([["a", "<f4", [2**23]]] * 3, "two values"),
        ([[str(n), "<f4", [2**23]] for n in range(3)], "64 MiB"),
        ([[str(n), "<f4", [0]] for n in range(70)], "70 arrays"),
        ([["a", "|O", [1]]], "something else than numbers"),
        ([["a", "|V8", [1]]], "something else than numbers"),
        ([["a", "<f4", [-1]]], "impossible shape"),
        ([["a", "<f4", [True]]], "impossible shape"),
        ([["a", "<f4", [1.0]]], "impossible shape"),
        ([["a", "<f4", [1] * 9]], "impossible shape"),
        ([["a", ["<f4"], [1]]], "something else than numbers"),
        ([["a", "<f4"]], "without name"),
        (["abc"], "without name"),
        ({"a": 1}, "something else"),
    ],
)
def test_what_a_header_claims_is_looked_at_before_memory_is_taken(listed, said):
    tracemalloc.start()
    with pytest.raises(channel.Broken, match=said):
        channel.read(message(listed))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_headers_that_are_too_long_too_deep_or_hold_more_than_numbers():
    long = io.BytesIO(channel.MAGIC + struct.pack("<I", 2**31))
    for stream in (long, header(b"[" * 60_000), message([], x=[1]), message([], x=None)):
        with pytest.raises(channel.Broken):
            channel.read(stream)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.array([object()]), "only numbers"),
        (np.array(["text"]), "only numbers"),
        (np.zeros(2, complex), "only numbers"),
        ([1, 2], "is a list"),
        (np.zeros(9 << 20), "64 MiB"),
        ("x" * 70_000, "KiB of text"),
        (10**5000, "digits"),
    ],
    ids=["objects", "strings", "complex", "list", "large", "text", "digits"],
)
def test_what_no_message_can_hold_is_refused_in_words(value, said):
    with pytest.raises(channel.Broken, match=said):
        channel.pack("answer", {"a": value})


def test_big_endian_and_strided_arrays_arrive_as_they_read():
    for array in (np.arange(6, dtype=">i4").reshape(2, 3), np.arange(12.0).reshape(3, 4).T[::2]):
        _, got = channel.read(io.BytesIO(channel.pack("ask", {"a": array})))
        np.testing.assert_array_equal(got["a"], array)
