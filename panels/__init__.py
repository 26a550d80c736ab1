"""The panels of evalsets in the App."""

PANELS: tuple[type, ...] = ()
