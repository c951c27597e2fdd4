"""Figures of the decks: `figures/deck01/errors.svg` is the function `errors` in deck01.py."""
