"""The site: `make site` builds it from executed notebooks, decks and results (website/README.md)."""
