// The button for light and dark; the menu, open where there is room; one player at a time.
const dark = matchMedia("(prefers-color-scheme: dark)");
const button = document.getElementById("theme");
const now = () => document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
const name = () => { button.textContent = now() === "dark" ? "Light" : "Dark"; };
button.addEventListener("click", () => {
  const next = now() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try { localStorage.setItem("theme", next); } catch (error) { /* for this page alone */ }
  name();
});
dark.addEventListener("change", name);
name();

const menu = document.querySelector("details.menu");
const room = matchMedia("(min-width: 56rem)");
const open = () => { menu.open = room.matches; };
room.addEventListener("change", open);
open();

document.addEventListener("play", (event) => {
  if (event.target.muted) return;
  for (const player of document.querySelectorAll("audio")) {
    if (player !== event.target) player.pause();
  }
}, true);
