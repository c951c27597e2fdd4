"""The list of notebooks in the README: written by the machine, so that it is true."""

from course_lib import paths
from course_lib.notebook import form, setup

START, END = "<!-- notebooks -->", "<!-- /notebooks -->"


def table() -> str:
    """A Markdown table of the course's notebooks with their state; planned ones have no link."""
    have = form.notebooks()
    lines = ["| | notebook | state |", "|---|---|---|"]
    for number in sorted({*form.PLAN, *have}):
        title = form.PLAN.get(number) or form.title(have[number])
        if number in have:
            path = have[number]
            badge = setup.badge(path.name).removeprefix(setup.BADGE)
            lines.append(f"| {number} | [{title}](notebooks/{path.name}) | ready{badge} |")
        else:
            lines.append(f"| {number} | {title} | planned |")
    return "\n".join(lines)


def renew() -> bool:
    """Bring the README's list up to date; whether anything changed."""
    path = paths.root() / "README.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        return False
    new = f"{before}{START}\n{table()}\n{END}{after}"
    if new != text:
        paths.replace_file(path, lambda p: p.write_text(new, encoding="utf-8", newline="\n"))
    return new != text
