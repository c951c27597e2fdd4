"""The built site as a browser shows it: every player plays, nothing is asked of a server.

Each page is opened in light and dark and at a telephone's width; axe-core looks at contrast,
alternative texts, labels and what the keyboard reaches.
"""

from collections.abc import Iterator
from pathlib import Path

from scripts.chromium import Page

PLAY = """
(async () => {
  const faults = [];
  await Promise.all([...document.querySelectorAll('audio')].map(async (player) => {
    const name = player.getAttribute('aria-label') || player.getAttribute('src').slice(0, 60);
    const failed = (why) => faults.push(`the player “${name}” ${why}`);
    if (!player.controls) failed('has no controls');
    try {
      player.muted = true;
      player.preload = 'auto';
      player.load();
      await new Promise((resolve, reject) => {
        player.onloadedmetadata = resolve;
        player.onerror = () => reject(new Error('does not load'));
        setTimeout(() => reject(new Error('does not load in 20 s')), 20000);
      });
      if (!(player.duration > 0 && player.duration < 3600)) failed('has no duration');
      await player.play();
      await new Promise((resolve, reject) => {
        player.ontimeupdate = () => player.currentTime > 0 && resolve();
        setTimeout(() => reject(new Error('does not play')), 20000);
      });
      player.pause();
    } catch (error) { failed(error.message); }
  }));
  for (const image of document.images) {
    await image.decode().catch(() => {});
    if (!image.naturalWidth) faults.push(`the picture ${image.src.slice(0, 60)} does not load`);
  }
  return faults;
})()
"""
RULES = """
axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'],
  rules: {region: {enabled: false}, 'no-autoplay-audio': {enabled: false}}}).then(found =>
  found.violations.flatMap(v => v.nodes.slice(0, 3).map(n =>
    `${v.help} (${v.id}) at ${n.html.slice(0, 120)}`)))
"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
DESK = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
PHONE = {"width": 375, "height": 740, "deviceScaleFactor": 1, "mobile": True}
SERVERS = ("http:", "https:", "ws:", "wss:")


def faults(site: Path, page: Page, axe: Path) -> list[str]:
    """What is wrong with the pages in `site`, one sentence each."""
    from tqdm.auto import tqdm

    for domain in ("Network", "Runtime", "Log", "Page"):
        page.call(f"{domain}.enable")
    found = []
    for path in tqdm(sorted(site.rglob("*.html")), desc="Looking at pages", unit="page"):
        name = path.relative_to(site).as_posix()
        ours = path.parent.name != "slides"  # decks are looked at slide by slide, by make slides
        said = look(path, page, axe if ours else None)
        found += [f"{name}: {fault}." for fault in dict.fromkeys(said)]
        found += [f"{name}: {fault}." for fault in _dead_links(path, site)] if ours else []
    return found


def look(path: Path, page: Page, axe: Path | None) -> Iterator[str]:
    """Open one page; yield its faults. Without `axe` only what it plays and asks for."""
    page.events.clear()
    page.call("Emulation.setDeviceMetricsOverride", **DESK)
    page.open(path.resolve().as_uri())
    page.wait(f"location.pathname.endsWith('/{path.name}') && document.readyState === 'complete'")
    yield from page.evaluate(PLAY)
    if axe is not None:
        page.evaluate(axe.read_text(encoding="utf-8") + ";undefined")
        for scheme in ("light", "dark"):
            feature = {"name": "prefers-color-scheme", "value": scheme}
            page.call("Emulation.setEmulatedMedia", features=[feature])
            for fault in page.evaluate(RULES):
                yield f"{fault}, in {scheme} colours"
        page.call("Emulation.setDeviceMetricsOverride", **PHONE)
        wide = page.evaluate(TOO_WIDE)
        if wide > 0:
            yield f"it is {wide} pixels wider than a telephone"
    yield from spoken(page.events)


def spoken(events: list[dict]) -> Iterator[str]:
    """What a page asked of a server, and what it complained of."""
    for event in events:
        said = event["params"]
        if event["method"] == "Network.requestWillBeSent":
            address = said["request"]["url"]
            if address.startswith(SERVERS):
                yield f"it asks for {address}"
        elif event["method"] == "Network.loadingFailed" and not said.get("canceled"):
            yield f"something does not load: {said['errorText']}"
        elif event["method"] == "Runtime.exceptionThrown":
            yield f"a script fails: {said['exceptionDetails']['text']}"
        elif event["method"] == "Runtime.consoleAPICalled" and said["type"] == "error":
            yield f"the console says {said['args'][0].get('value', 'an error')}"
        elif event["method"] == "Log.entryAdded" and said["entry"]["level"] == "error":
            yield f"the console says {said['entry']['text']}"


def _dead_links(path: Path, site: Path) -> Iterator[str]:
    from html.parser import HTMLParser
    from urllib.parse import unquote, urlparse

    class Links(HTMLParser):
        def __init__(self):
            super().__init__()
            self.links, self.names = [], set()

        def handle_starttag(self, tag, attributes):
            given = dict(attributes)
            self.names.add(given.get("id"))
            if tag in ("a", "link") and given.get("href"):
                self.links.append(given["href"])

    def read(one: Path) -> Links:
        parser = Links()
        parser.feed(one.read_text(encoding="utf-8"))
        return parser

    for link in dict.fromkeys(read(path).links):
        parts = urlparse(link)
        if parts.scheme:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file() or not target.is_relative_to(site.resolve()):
            yield f"it links to {link}, which is not there"
        elif parts.fragment and target.suffix == ".html":
            if unquote(parts.fragment) not in read(target).names:
                yield f"it links to {link}, but that page has no such part"
