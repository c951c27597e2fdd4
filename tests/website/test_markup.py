"""Markdown as the site shows it."""

import re

import pytest

from website.markup import Formulas, anchored, code, markdown, words


def shown(text, formulas=None, link=lambda written: written):
    return markdown(text, formulas or Formulas(), link)


def test_formulas_are_set_once_each_and_put_back():
    formulas = Formulas()
    html = shown("$a_1$ and $a_1$\n\n$$b$$\n\n`$no$`", formulas)
    assert list(formulas.known) == [("a_1", False), ("b", True)]
    done = formulas.put(html, ["<i>one</i>", "<i>two</i>"])
    assert done.count("<i>one</i>") == 2
    assert '<div class="formula" tabindex="0"><i>two</i>' in done
    assert "<code>$no$</code>" in done
    assert formulas.plain(words(html)).startswith("a_1 and a_1 b")


def test_prices_are_no_formulas():
    formulas = Formulas()
    shown("It costs 5$ and 6$ more.", formulas)
    assert not formulas.known


def test_a_link_with_nothing_behind_it_leaves_its_words():
    html = shown("[here](a.md) and [there](b.md)", link={"b.md": "b.html"}.get)
    assert html == '<p><span>here</span> and <a href="b.html">there</a></p>\n'


def test_pictures_of_a_server_become_their_words():
    html = shown("[![Open in Colab](https://example.org/badge.svg)](https://example.org/nb)")
    assert html == '<p><a href="https://example.org/nb">Open in Colab</a></p>\n'


def test_comments_are_not_shown():
    assert "badge" not in shown("# A\n\n<!-- badge -->\n\ntext")


def test_code_is_coloured_escaped_and_reached_by_keyboard():
    html = code("def f(): return '<b>'")
    assert html.startswith('<pre class="code" tabindex="0"><code><span class="k">def</span>')
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert "nothing" in code("nothing", "a language that is not there")


def test_headings_have_names_of_their_own():
    html, sections = anchored("<h1>A &amp; B</h1><h2>The <code>x</code></h2><h2>The x</h2>")
    assert [(s.level, s.anchor, s.title) for s in sections] == [
        (1, "a-b", "A & B"), (2, "the-x", "The x"), (2, "the-x-2", "The x"),
    ]  # fmt: skip
    assert re.findall(r'id="([^"]+)"', html) == ["a-b", "the-x", "the-x-2"]


def test_an_empty_head_of_a_table_is_a_cell():
    html, _ = anchored(shown("| | b |\n|---|---|\n| 1 | 2 |"))
    assert "<td></td>\n<th>b</th>" in html


@pytest.mark.parametrize(
    "hidden", ["<pre>x</pre>", "<audio src='x'>x</audio>", "<b title='x'></b>"]
)
def test_words_are_what_one_reads(hidden):
    assert words(f"<p>one {hidden} two&amp;</p>") == "one two&"
