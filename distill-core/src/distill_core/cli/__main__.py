"""``python -m distill_core.cli``: the same as ``distill``."""

from distill_core.cli import main

if __name__ == "__main__":
    main()
