"""Constraints from Colab's published `pip freeze`: python scripts/colab_constraints.py freeze.txt

Kept are the versions of ordinary distributions, without local suffixes such as +cu128; what is
installed from an address, and what belongs to CUDA alone, is left out.
"""

import re
import sys
from pathlib import Path


def constraints(freeze: str) -> list[str]:
    """Lines NAME==VERSION from the text of a `pip freeze`."""
    kept = []
    for line in freeze.splitlines():
        found = re.fullmatch(r"([\w.-]+)==([\w.!]+)(\+[\w.]+)?", line.strip())
        if found and not re.match(r"nvidia|cuda|triton|cu(df|ml|graph|py)|libcu", found.group(1)):
            kept.append(f"{found.group(1)}=={found.group(2)}")
    return kept


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        sys.exit("usage: python scripts/colab_constraints.py FREEZE.txt")
    print("\n".join(constraints(Path(sys.argv[1]).read_text(encoding="utf-8"))))
