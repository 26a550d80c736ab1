"""Puts the App's two single files into the wheel; hatchling maps folders only."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AppFiles(BuildHookInterface):  # type: ignore[type-arg]
    """Leaves editable installs alone: those read the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it writes the wheel."""
        if version != "editable":
            for name in ("fiftyone.yml", "plugin/__init__.py"):
                build_data["force_include"][name] = f"evalsets/app/{name}"
