"""Bindings: the only code that talks to FiftyOne and MongoDB."""
