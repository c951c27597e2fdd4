// Finds sections by their words; the index is made from sections.js, so that no server is needed.
const index = new MiniSearch({
  fields: ["title", "page", "text"],
  storeFields: ["address", "page", "title", "text"],
  searchOptions: { boost: { title: 3, page: 2 }, prefix: true, fuzzy: 0.15, combineWith: "AND" },
});
index.addAll(window.SECTIONS);
const field = document.getElementById("q");
const list = document.getElementById("results");

function excerpt(text, terms) {
  const low = text.toLowerCase();
  const places = terms.map((term) => low.indexOf(term)).filter((place) => place >= 0);
  const from = Math.max(0, (places.length ? Math.min(...places) : 0) - 60);
  return (from ? "… " : "") + text.slice(from, from + 200) + (text.length > from + 200 ? " …" : "");
}

function show() {
  const query = field.value.trim();
  const found = query ? index.search(query) : [];
  document.getElementById("found").textContent = query
    ? `${found.length} ${found.length === 1 ? "section" : "sections"} with “${query}”`
    : "Type words to look for in notebooks, results and guides.";
  list.replaceChildren(...found.slice(0, 50).map((one) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = one.address;
    link.textContent = one.title === one.page ? one.page : `${one.page}: ${one.title}`;
    const text = document.createElement("p");
    text.textContent = excerpt(one.text, one.terms);
    item.append(link, text);
    return item;
  }));
}

field.value = new URLSearchParams(location.search).get("q") || "";
field.addEventListener("input", show);
field.form.addEventListener("submit", (event) => { event.preventDefault(); show(); });
show();
