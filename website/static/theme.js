// Before anything is painted: the reader's choice of colours, else the system's.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch (error) { /* a browser that keeps nothing: the system's colours */ }
