"""An executed notebook as a page: text, code, what it printed, pictures and players."""

import re
from collections.abc import Callable
from html import escape

from course_lib.notebook.running import joined
from website.markup import Formulas, code, markdown

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # colours of a terminal


def body(book: dict, formulas: Formulas, link: Callable[[str], str | None]) -> str:
    """The cells of a notebook as HTML. `link` is as in `markup.markdown`."""
    parts = []
    for cell in book["cells"]:
        source = joined(cell["source"]).strip("\n")
        if cell["cell_type"] == "markdown":
            parts.append(markdown(source, formulas, link))
        elif cell["cell_type"] == "code" and source:
            parts.append(_code(cell, source, formulas, link))
    return "\n".join(parts)


def _code(cell: dict, source: str, formulas: Formulas, link) -> str:
    shown = code(re.sub(r"^# NBVAL_\w+\n", "", source))
    if cell["metadata"].get("cellView") == "form":
        name, _, _ = source.removeprefix("# @title ").partition("\n")
        shown = f"<details><summary>{escape(name)}</summary>{shown}</details>"
    outputs = "".join(output(one, formulas, link) for one in cell["outputs"])
    return f'<div class="cell">{shown}{outputs}</div>'


def output(one: dict, formulas: Formulas, link) -> str:
    """One output of a cell as HTML; "" where there is nothing to see."""
    if one["output_type"] == "stream":
        text = ESCAPES.sub("", joined(one["text"])).rstrip("\n")
        return f'<pre class="printed" tabindex="0">{escape(text)}</pre>' if text else ""
    if one["output_type"] == "error":
        text = ESCAPES.sub("", "\n".join(one["traceback"]))
        return f'<pre class="printed" tabindex="0">{escape(text)}</pre>'
    data = one["data"]
    if "text/html" in data:
        return f'<div class="output wide" tabindex="0">{joined(data["text/html"])}</div>'
    if "text/markdown" in data:
        return (
            f'<div class="output">{markdown(joined(data["text/markdown"]), formulas, link)}</div>'
        )
    return f'<pre class="printed" tabindex="0">{escape(joined(data.get("text/plain", "")))}</pre>'
