"""The parts of the host of Python tools: what a function takes, what it is given, and what its result says."""
