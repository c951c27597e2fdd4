"""Markdown as HTML: formulas set aside for KaTeX, headings that can be linked, code in colours."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape, unescape

HEADINGS = ("h1", "h2", "h3")
HOLD = "\ue000{}\ue001"  # a formula's place until KaTeX has set it; never in a text
HELD = re.compile("\ue000(\\d+)\ue001")


@dataclass
class Formulas:
    """The formulas of all pages, each once: (TeX, whether it stands on a line of its own)."""

    known: dict[tuple[str, bool], int] = field(default_factory=dict)

    def hold(self, tex: str, display: bool) -> str:
        return HOLD.format(self.known.setdefault((tex.strip(), display), len(self.known)))

    def put(self, html: str, done: list[str]) -> str:
        """`html` with what KaTeX made of each formula, in the order of `known`."""
        return HELD.sub(lambda match: done[int(match.group(1))], html)

    def plain(self, text: str) -> str:
        """`text` with its formulas as TeX, for the search."""
        tex = [tex for tex, _ in self.known]
        return HELD.sub(lambda match: tex[int(match.group(1))], text)


@dataclass(frozen=True)
class Section:
    """A heading with what follows it: level 1 to 3, `anchor` within the page, HTML of the two."""

    level: int
    anchor: str
    title: str


def markdown(text: str, formulas: Formulas, link: Callable[[str], str | None]) -> str:
    """Markdown with $formulas$ as HTML.

    `link` turns an address as written into one of the site, or None where the site has nothing
    there: then the words stay and the link goes. Pictures from a server become their words.
    """
    environment = {"formulas": formulas, "link": link}
    return _parser().render(text, environment)


def code(source: str, language: str = "python") -> str:
    """Source in colours; it can be scrolled by keyboard."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language or "text")
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    inner = highlight(source, lexer, HtmlFormatter(nowrap=True))
    return f'<pre class="code" tabindex="0"><code>{inner}</code></pre>'


def anchored(html: str, first: str = "") -> tuple[str, list[Section]]:
    """`html` with an id for each heading, and the headings. A page's ids are all different.

    Heads of tables that say nothing become plain cells: they would be read out as heads.
    """
    html = re.sub(r"<th\b[^>]*>\s*</th>", "<td></td>", html)
    seen: dict[str, int] = {}
    sections = []

    def name(match: re.Match) -> str:
        level, inner = match.group(1), match.group(2)
        title = unescape(re.sub(r"<[^>]+>", "", inner)).strip()
        anchor = first + (re.sub(r"\W+", "-", title.lower()).strip("-") or "part")
        seen[anchor] = seen.get(anchor, 0) + 1
        if seen[anchor] > 1:
            anchor = f"{anchor}-{seen[anchor]}"
        sections.append(Section(int(level), anchor, title))
        return f'<h{level} id="{escape(anchor)}">{inner}</h{level}>'

    return re.sub(r"<h([1-3])>(.*?)</h\1>", name, html, flags=re.DOTALL), sections


def words(html: str) -> str:
    """What a reader sees of HTML, without code, pictures and players."""
    html = re.sub(r"<(pre|script|style|audio)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@lru_cache(maxsize=1)
def _parser():
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, allow_labels=False, allow_digits=False, double_inline=True)
    rules = {
        "math_inline": lambda tokens, i, options, env: env["formulas"].hold(
            tokens[i].content, False
        ),
        "math_inline_double": _display,
        "math_block": _display,
        "fence": lambda tokens, i, options, env: code(
            tokens[i].content.rstrip("\n"), tokens[i].info.strip()
        ),
        "link_open": _link_open,
        "link_close": _link_close,
        "image": _image,
        "table_open": lambda *_: '<div class="wide" tabindex="0"><table>',
        "table_close": lambda *_: "</table></div>",
        "html_block": _html,
        "html_inline": _html,
    }
    for kind, rule in rules.items():
        parser.add_render_rule(kind, lambda self, *given, rule=rule: rule(*given))
    return parser


def _display(tokens, i, options, env) -> str:
    return (
        f'<div class="formula" tabindex="0">{env["formulas"].hold(tokens[i].content, True)}</div>'
    )


def _link_open(tokens, i, options, env) -> str:
    address = env["link"](tokens[i].attrGet("href"))
    return "<span>" if address is None else f'<a href="{escape(address, quote=True)}">'


def _link_close(tokens, i, options, env) -> str:
    opened, depth = i, 0
    while opened >= 0:  # the link that this closes
        depth += {"link_close": 1, "link_open": -1}.get(tokens[opened].type, 0)
        if depth == 0:
            break
        opened -= 1
    return "</span>" if env["link"](tokens[opened].attrGet("href")) is None else "</a>"


def _image(tokens, i, options, env) -> str:
    source, alternative = tokens[i].attrGet("src"), escape(tokens[i].content, quote=True)
    address = None if re.match(r"https?:", source) else env["link"](source)
    if address is None:
        return alternative
    return f'<img src="{escape(address, quote=True)}" alt="{alternative}">'


def _html(tokens, i, options, env) -> str:
    return re.sub(r"<!--.*?-->", "", tokens[i].content, flags=re.DOTALL)


def lines(paragraphs: Iterable[str]) -> str:
    """Paragraphs as HTML."""
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
