"""``python -m evalsets``."""

from evalsets.cli import main

main()
