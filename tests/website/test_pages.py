"""The site's pages, as written: every notebook, every table, links that lead somewhere."""

import re

import pytest

from course_lib import paths
from course_lib.notebook import form
from website import book, pages
from website.listening import Answer, Sound, Stage
from website.markup import Formulas

NOTEBOOKS = form.notebooks()


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_a_notebook_keeps_its_players_pictures_and_headings(number):
    path, formulas = NOTEBOOKS[number], Formulas()
    page = pages.notebook(path, formulas)
    cells = form.read(path)["cells"]
    outputs = [o.get("data", {}).get("text/html", "") for c in cells for o in c.get("outputs", ())]
    html = "".join("".join(part) for part in outputs)
    assert html.count("<audio") > 0
    assert page.body.count("<audio") == html.count("<audio")
    assert page.body.count("<img") == html.count("<img")
    said = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    assert len(page.sections) >= len(re.findall(r"^#{1,3} ", said, re.MULTILINE))
    assert "<details><summary>Setup" in page.body
    assert not re.search(r"""\bsrc=["']?https?:""", page.body)
    assert all(text or section.level for section, text in page.texts())


@pytest.mark.parametrize("source", pages.TEXTS)
def test_links_of_a_guide_lead_to_pages(source):
    page = pages.text(source, Formulas())
    known = {address for address, *_ in pages.TEXTS.values()}
    known |= {f"notebooks/{path.stem}.html" for path in NOTEBOOKS.values()}
    known |= {"results.html", "slides.html", "homework.html"}
    for address in re.findall(r'<a href="([^"]+)"', page.body):
        if not address.startswith("https:"):
            assert address.partition("#")[0] in {*known, ""}


@pytest.mark.parametrize(
    ("source", "address", "written", "wanted"),
    [
        ("notebooks/01_x.ipynb", "notebooks/01_x.html", "03_vqvae.ipynb", "03_vqvae.html"),
        ("notebooks/01_x.ipynb", "notebooks/01_x.html", "#build", "#build"),
        ("notebooks/01_x.ipynb", "notebooks/01_x.html", "../README.md", "../readme.html"),
        ("homework/README.md", "homework.html", "../notebooks/03_vqvae.ipynb#train",
         "notebooks/03_vqvae.html#train"),
        ("README.md", "readme.html", "data/results/codec.json", "results.html#codec"),
        ("README.md", "readme.html", "Makefile", None),
        ("README.md", "readme.html", "https://example.org", "https://example.org"),
    ],
)  # fmt: skip
def test_where_a_link_leads(source, address, written, wanted, monkeypatch):
    monkeypatch.setattr(pages.setup, "published", lambda: "")
    assert pages.linker(source, address)(written) == wanted


def test_what_the_site_lacks_is_in_the_public_copy(monkeypatch):
    monkeypatch.setattr(pages.setup, "published", lambda: "https://example.org/us/course")
    link = pages.linker("slides/README.md", "about_slides.html")
    assert link("../Makefile") == "https://example.org/us/course/blob/HEAD/Makefile"


def test_results_show_every_table_with_its_claims():
    formulas = Formulas()
    page = pages.results(formulas)
    have = {section.title for section in page.sections if section.level == 2}
    assert have == {p.stem for p in paths.data("results").glob("*.json")} - {"soak"}
    assert page.body.count("holds here") > 10


def test_the_front_page_plays_every_stage_and_prompt():
    sounds = [Sound("a.mp3", "waltz: <x>", "loud"), Sound("b.mp3", "MusicGen: p", "soft")]
    stages = [Stage("VQ-VAE", "156 bit/s", "03", sounds)] * 2
    page = pages.front(stages, [Answer("a prompt", sounds, ["this", "that"])] * 2, NOTEBOOKS)
    assert page.body.count("<audio") == 2 * 2 + 2 * 2 + 2
    assert "aria-label='waltz: &lt;x&gt;'" in page.body
    assert all(f"notebooks/{path.stem}.html" in page.body for path in NOTEBOOKS.values())
    assert [s.title for s in page.sections if s.level == 2] == [
        "What the course builds",
        "The same clips through every stage",
        "The same prompts through every generator",
    ]


def test_the_search_knows_words_and_formulas_of_sections():
    formulas = Formulas()
    page = pages.notebook(NOTEBOOKS["08"], formulas)
    script = pages.search_index([page], formulas)
    assert script.startswith("window.SECTIONS = [")
    assert "notebooks/08_encodec.html#how-many-bits" in script
    assert r"\\log_2 V" in script
    assert "\ue000" not in script


def test_outputs_of_a_notebook():
    def shown(one):
        return book.output(one, Formulas(), lambda written: None)

    printed = shown({"output_type": "stream", "text": ["\x1b[31mred\x1b[0m <b>\n"]})
    assert printed == '<pre class="printed" tabindex="0">red &lt;b&gt;</pre>'
    assert shown({"output_type": "stream", "text": "\n"}) == ""
    several = {"text/html": "<i>h</i>", "text/plain": "p"}
    assert "<i>h</i>" in shown({"output_type": "display_data", "data": several})
    assert "<td>1</td>" in shown(
        {"output_type": "display_data", "data": {"text/markdown": "|a|\n|---|\n|1|"}}
    )
    assert "&lt;p&gt;" in shown({"output_type": "execute_result", "data": {"text/plain": "<p>"}})
