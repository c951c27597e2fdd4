"""What is saved comes back; what is damaged, missing or does not fit is said in one sentence."""

import hashlib
import json
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import checkpoints
from course_lib.quantize import VectorQuantizer

WRONG_CONFIG = '{"name": "thing", "model": "Tiny", "config": [], "sha256": ""}'
WRONG_PARENTS = '{"name": "thing", "model": "Tiny", "config": {}, "sha256": "", "parents": []}'
FACTS = {"parents": {}, "steps": 3, "metrics": {"mse": 0.5}}


def save(model, name="thing", mine=False, int8=False, **facts):
    return checkpoints.save(checkpoints.folder(mine), name, model, FACTS | facts, int8)


def test_model_configuration_and_card_come_back(tiny):
    model = tiny(inputs=100, rates=(4, 5))
    save(model)
    back = checkpoints.load("thing")
    assert back.config == model.config and type(back.config.rates) is tuple
    assert not back.training
    assert back.step.dtype == torch.int64 and back.step == 7
    assert torch.equal(back.last.weight, model.last.weight)  # small, so float32
    assert torch.equal(back.first.weight, model.first.weight.half().float())
    card = checkpoints.card("thing")
    assert card["metrics"] == {"mse": 0.5} and card["parameters"] == 100 * 64 + 64 + 128 + 2
    content = (checkpoints.folder() / "thing.safetensors").read_bytes()
    assert card["sha256"] == hashlib.sha256(content).hexdigest() and card["bytes"] == len(content)
    assert card["versions"]["torch"] == torch.__version__


def test_int8_halves_the_file_and_errs_by_half_a_step(tiny):
    model = tiny(inputs=1000)
    save(model, "half")
    save(model, "byte", int8=True)
    sizes = [checkpoints.card(name)["bytes"] for name in ("half", "byte")]
    assert sizes[1] < 0.52 * sizes[0]
    weight = model.first.weight
    step = weight.abs().amax(1, keepdim=True) / 127
    error = (checkpoints.load("byte").first.weight - weight).abs()
    assert (error <= step * 0.501).all() and error.max() > 0
    assert checkpoints.load("byte").last.weight.equal(model.last.weight)


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(1, 70),
    scale=st.floats(1e-6, 1e6),
    int8=st.booleans(),
    kind=st.sampled_from([torch.float32, torch.float64, torch.int64, torch.bool]),
)
def test_packed_tensors_come_back_in_kind_and_closely(rows, scale, int8, kind):
    generator = torch.Generator().manual_seed(rows)
    value = (torch.randn(rows, 80, generator=generator) * scale).to(kind)
    state = {"x": value, "row": value[0], "zero": torch.zeros(70, 80)}
    back = checkpoints.unpack(checkpoints.pack(state, int8), state)
    assert list(back) == ["x", "row", "zero"]
    assert all(back[name].dtype == state[name].dtype for name in state)
    assert torch.equal(back["zero"], state["zero"])
    if not kind.is_floating_point:
        assert torch.equal(back["x"], value)
        return
    largest = value.abs().amax(1, keepdim=True)
    allowed = largest * (0.501 / 127 if int8 else 2**-11) + 2**-25
    assert ((back["x"] - value).abs() <= allowed).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("int8", [False, True])
def test_weights_that_are_no_numbers_are_not_saved(tiny, tmp_path, int8, bad):
    model = tiny()
    with torch.no_grad():
        model.first.weight[3, 4] = bad
    with pytest.raises(ValueError, match="first.weight holds NaN or infinity"):
        save(model, int8=int8)
    assert not list(tmp_path.rglob("*.*"))


def test_what_float16_cannot_hold_stays_float32():
    state = {"sums": torch.full((64, 80), 1e5)}
    assert checkpoints.pack(state, int8=False)["sums"].dtype == torch.float32


def test_sums_of_a_codebook_are_not_stored():
    quantizer = VectorQuantizer(8, 16)
    packed = checkpoints.pack({"stage.0." + n: v for n, v in quantizer.state_dict().items()}, True)
    kept = {"codebook", "counts", "step", "initialised"}
    assert packed.keys() == {f"stage.0.{name}" for name in kept}
    assert checkpoints.pack({"sums": torch.ones(3)}, False).keys() == {"sums"}  # of something else


def one_sentence(error) -> str:
    text = str(error.value)
    assert "\n" not in text and text.endswith("."), text
    return text


def test_nothing_trained_names_the_command(tiny):
    with pytest.raises(FileNotFoundError) as error:
        checkpoints.load("vqvae")
    assert "course train vqvae'" in one_sentence(error)
    save(tiny())
    with pytest.raises(FileNotFoundError, match="there are: thing") as error:
        checkpoints.load("thin")
    one_sentence(error)
    assert checkpoints.available() == ("thing",) and checkpoints.available(mine=True) == ()


@pytest.mark.parametrize("name", ["../shipped/thing", "", "thing.json", "/etc/passwd"])
def test_a_name_never_leads_out_of_the_folder(tiny, name):
    save(tiny())
    with pytest.raises(FileNotFoundError):
        checkpoints.load(name)


@pytest.mark.parametrize("where", [0, 8, 200, -1])
def test_one_flipped_byte_is_found(tiny, where):
    path = save(tiny()).with_suffix(".safetensors")
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged") as error:
        checkpoints.load("thing")
    assert "course train thing" in one_sentence(error)


def test_a_cut_file_is_found_even_where_the_hash_is_made_to_fit(tiny):
    path = save(tiny())
    cut = path.with_suffix(".safetensors").read_bytes()[:-10]
    path.with_suffix(".safetensors").write_bytes(cut)
    page = json.loads(path.read_text(encoding="utf-8"))
    page["sha256"] = hashlib.sha256(cut).hexdigest()
    path.write_text(json.dumps(page), encoding="utf-8")
    with pytest.raises(ValueError, match="not a safetensors file") as error:
        checkpoints.load("thing")
    one_sentence(error)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "{}", '{"name": "thing"}', WRONG_CONFIG, WRONG_PARENTS]
)
def test_a_damaged_card_is_named(tiny, text):
    save(tiny()).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="card .*thing.json is damaged") as error:
        checkpoints.load("thing")
    one_sentence(error)


def test_missing_weights_are_named(tiny):
    save(tiny()).with_suffix(".safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="weights .* missing") as error:
        checkpoints.load("thing")
    one_sentence(error)


def change_card(path, **changes):
    page = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(page), encoding="utf-8")


@pytest.mark.parametrize(
    "config",
    [{"inputs": 90}, {"inputs": -1}, {"depth": 3}, {"inputs": "many"}, {"layer": {"height": 2}}],
)
def test_another_configuration_is_named(tiny, config):
    change_card(save(tiny()), config=config)
    with pytest.raises(ValueError, match="another configuration than Tiny") as error:
        checkpoints.load("thing")
    one_sentence(error)


@pytest.mark.parametrize("kind", ["Module", "Huge", "os", "__class__", "os.system", 3, None])
def test_only_models_of_the_course_are_built(tiny, kind):
    change_card(save(tiny()), model=kind)
    with pytest.raises(ValueError, match="course_lib.models does not have") as error:
        checkpoints.load("thing")
    one_sentence(error)


def test_a_model_that_could_not_be_loaded_is_not_saved(tiny, tmp_path):
    model = tiny()
    model.config = {"inputs": 3}
    with pytest.raises(TypeError, match="TinyConfig"):
        save(model)
    with pytest.raises(TypeError, match="LinearConfig"):
        save(torch.nn.Linear(2, 2))
    with pytest.raises(ValueError):
        save(tiny(), metrics={"mse": float("nan")})
    assert not list(tmp_path.rglob("*.*"))


def test_a_write_that_fails_leaves_the_old_artefact(tiny, monkeypatch):
    save(tiny())
    before = checkpoints.load("thing").last.weight

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError):
        save(tiny())
    assert torch.equal(checkpoints.load("thing").last.weight, before)
    assert sorted(p.name for p in checkpoints.folder().iterdir()) == [
        "thing.json",
        "thing.safetensors",
    ]


def test_what_a_killed_process_left_is_removed(tiny):
    path = save(tiny())
    for suffix in (".json", ".safetensors"):
        path.with_name(f".thing.abc{suffix}").write_bytes(b"half")
        path.with_name(f".things.abc{suffix}").write_bytes(b"another's")
    save(tiny())
    names = {p.name for p in path.parent.glob(".*")}
    assert names == {".things.abc.json", ".things.abc.safetensors"}


def test_weights_newer_than_their_card_are_named(tiny, monkeypatch):
    """Killed between the two files, an artefact says so."""
    save(tiny())

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        save(tiny())
    with pytest.raises(ValueError, match="not the file of its card"):
        checkpoints.load("thing")


class TestParents:
    @pytest.fixture
    def chain(self, tiny):
        save(tiny(), "parent")
        save(tiny(), "child", parents=checkpoints.parent_hashes(("parent",)))
        return tiny

    def test_a_chain_loads(self, chain):
        assert checkpoints.load("child") is not None

    def test_a_missing_parent_is_named(self, chain):
        (checkpoints.folder() / "parent.json").unlink()
        with pytest.raises(ValueError, match="its parent 'parent' is missing") as error:
            checkpoints.load("child")
        one_sentence(error)

    def test_a_replaced_parent_is_named(self, chain):
        save(chain(), "parent")
        with pytest.raises(ValueError, match="trained on another 'parent'") as error:
            checkpoints.load("child")
        assert "course train child" in one_sentence(error)

    def test_without_own_ones_the_shipped_are_used_and_said(self, chain, capsys):
        checkpoints.load("child", mine=True)
        assert capsys.readouterr().out == (
            "You have not trained 'child' yet: the shipped one is used.\n"
        )

    def test_own_parent_refuses_the_shipped_child(self, chain):
        save(chain(), "parent", mine=True)
        checkpoints.load("child")
        with pytest.raises(ValueError, match="shipped 'child' does not fit.*--mine") as error:
            checkpoints.load("child", mine=True)
        assert re.search("You have not trained 'child'", one_sentence(error))

    def test_own_chain_is_used(self, chain):
        save(chain(), "parent", mine=True)
        own = chain()
        save(own, "child", mine=True, parents=checkpoints.parent_hashes(("parent",), mine=True))
        back = checkpoints.load("child", mine=True)
        assert torch.equal(back.last.weight, own.last.weight)

    def test_own_child_of_an_older_parent_gives_way_to_the_shipped(self, chain, capsys):
        save(chain(), "child", mine=True, parents={"parent": "0" * 64})
        checkpoints.load("child", mine=True)
        assert re.fullmatch(
            r"Your 'child' does not fit: it was trained on another 'parent' "
            r"\(00000000…, here \w{8}…\): the shipped one is used\.\n",
            capsys.readouterr().out,
        )
