"""What the Python tools share: reading results, judging them, and running as a program."""
