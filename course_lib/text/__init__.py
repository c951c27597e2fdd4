"""Text as numbers. Taught in notebook 13."""

from course_lib.text.tokenizer import PADDING, START, UNKNOWN, WordTokenizer

__all__ = ["PADDING", "START", "UNKNOWN", "WordTokenizer"]
