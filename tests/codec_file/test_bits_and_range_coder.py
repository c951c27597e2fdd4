import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_lib.codec_file import bits, range_coder


def test_ten_bits_a_code_frame_after_frame_highest_bit_first():
    codes = np.array([[1, 1023], [512, 0]])  # 2 codebooks, 2 frames
    packed = bits.pack(codes, 1024)
    said = "".join(f"{byte:08b}" for byte in packed)
    assert said == "0000000001" + "1000000000" + "1111111111" + "0000000000"
    assert (bits.width(1), bits.width(2), bits.width(1000), bits.width(1025)) == (1, 1, 10, 11)
    assert bits.size(3, 1024) == 4 == len(bits.pack(np.zeros((3, 1), int), 1024))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_packed_codes_come_back(data):
    entries = data.draw(st.integers(1, 5000))
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 40)))
    codes = data.draw(arrays.arrays(np.int64, shape, elements=st.integers(0, entries - 1)))
    packed = bits.pack(codes, entries)
    assert len(packed) == bits.size(codes.size, entries)
    assert np.array_equal(bits.unpack(packed, *shape, entries), codes)


def test_bits_that_are_no_codes_are_refused():
    packed = bits.pack(np.array([[1, 2, 3]]), 1000)  # 30 bits in 4 bytes
    with pytest.raises(ValueError, match="3 bytes of codes; 3 codes take 4"):
        bits.unpack(packed[:3], 1, 3, 1000)
    with pytest.raises(ValueError, match="not filled up with zeros"):
        bits.unpack(packed[:3] + bytes([packed[3] | 1]), 1, 3, 1000)
    with pytest.raises(ValueError, match="A code is 1023; the codebook has 0 to 999"):
        bits.unpack(b"\xff\xff\xff\xfc", 1, 3, 1000)
    for code in (-1, 1000):
        with pytest.raises(ValueError, match="the codebook has 0 to 999"):
            bits.pack(np.array([[code]]), 1000)


def remembering(table: np.ndarray) -> range_coder.Predict:
    """A model of one codebook: the last code [1] chooses a row of logits of table [V + 1, V]."""
    return lambda last: table[[-1 if last is None else last[0]]]


@given(st.integers(0, 10_000), st.integers(2, 300), st.integers(1, 60), st.sampled_from((0, 1, 30)))
@settings(max_examples=40, deadline=None)
def test_range_coded_codes_come_back(seed, entries, frames, spread):
    random = np.random.default_rng(seed)
    table = spread * random.normal(size=(entries + 1, entries))
    codes = random.integers(0, entries, (1, frames))
    data = range_coder.encode(codes, remembering(table))
    back = range_coder.decode(data, 1, frames, remembering(table))
    assert back.dtype == np.int64 and np.array_equal(back, codes)


def test_likely_codes_take_the_bits_that_theory_says():
    random = np.random.default_rng(0)
    logits = 2 * random.normal(size=(4, 256))
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    codes = np.stack([random.choice(256, 2000, p=row) for row in p])  # [4, 2000]
    ideal = -np.log2(np.take_along_axis(p, codes, -1)).sum()
    used = 8 * len(range_coder.encode(codes, lambda last: logits))
    assert ideal < used < 1.002 * ideal + 64
    assert used < 0.8 * 4 * 2000 * 8  # and packed bits take more


def test_the_grid_swallows_rounding_errors_and_only_those():
    random = np.random.default_rng(0)
    logits = 3 * random.normal(size=(8, 1024))
    table = range_coder.weights(logits)
    assert np.array_equal(table, np.rint(table)) and table.max() == 2**24
    assert np.array_equal(range_coder.weights(logits + 1e-12), table)  # what float64 may differ by
    assert not np.array_equal(range_coder.weights(1.01 * logits), table)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    q = table / table.sum(-1, keepdims=True)
    kept = q > 0
    wasted = (p[kept] * np.log2(p[kept] / q[kept])).sum() / len(p)
    assert wasted < 0.001  # bits a code


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_logits_that_are_no_numbers_are_a_sentence(wrong):
    logits = np.zeros((2, 5))
    logits[1, 3] = wrong
    with pytest.raises(ValueError, match="gives NaN or infinite logits: its weights are broken"):
        range_coder.encode(np.zeros((2, 1), int), lambda last: logits)
    logits[1, 3] = -np.inf  # never expected, and coded all the same
    data = range_coder.encode(np.full((2, 4), 3), lambda last: logits)
    assert (range_coder.decode(data, 2, 4, lambda last: logits) == 3).all()


def test_one_probability_that_differs_ruins_what_follows():
    random = np.random.default_rng(0)
    table = random.normal(size=(31, 30))
    codes = random.integers(0, 30, (1, 200))
    data = range_coder.encode(codes, remembering(table))
    other = table.copy()
    other[codes[0, 100], 5] += 0.2
    try:
        wrong = range_coder.decode(data, 1, 200, remembering(other)) != codes
    except ValueError:
        return
    first = wrong[0].argmax()
    assert first > 0 and wrong[0, first:].mean() > 0.8


@pytest.mark.parametrize("length", [1, 4, 8, 40, 400])
def test_bytes_that_hold_no_codes_give_codes_or_a_sentence(length):
    random = np.random.default_rng(length)
    logits = 3 * random.normal(size=(2, 50))
    outcomes = set()
    for _ in range(60):
        data = random.integers(0, 256, length, dtype=np.uint8).tobytes()
        try:
            codes = range_coder.decode(data, 2, 20, lambda last: logits)
            assert codes.shape == (2, 20) and 0 <= codes.min() <= codes.max() < 50
            outcomes.add("codes")
        except ValueError as error:
            assert "range-coded" in str(error)
            outcomes.add("sentence")
    assert outcomes <= {"codes", "sentence"} and outcomes
