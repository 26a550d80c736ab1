"""Puts the plugin where FiftyOne looks for plugins."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import yaml

from evalsets.errors import ArgumentError, EvalsetsError, NameTakenError

PLUGIN = "@evalsets/evalsets"
_MANIFEST = "fiftyone.yml"
_PARTS = (_MANIFEST, "plugin/__init__.py", "operators", "panels")


def install_plugin(plugins_dir: str | Path | None = None) -> Path:
    """Makes the FiftyOne App find this plugin; doing it twice changes nothing.

    The plugin is linked, or copied where the file system has no links.

    Args:
        plugins_dir: folder of plugins; by default the one FiftyOne is configured with

    Returns:
        the plugin's folder among the plugins

    Raises:
        NameTakenError: something else lies where the plugin would go
        ArgumentError: the folder of plugins cannot be written
    """
    folder = Path(plugins_dir or configured_plugins_dir()).expanduser().absolute()
    source = app_folder()
    if source.is_relative_to(folder.resolve()):
        return source
    target = folder / "evalsets"
    if target.is_symlink() and target.resolve() == source:
        return target
    _check_free(target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _place(source, target)
    except OSError as error:
        raise ArgumentError(
            f"Cannot write the plugin to {target}: {error.strerror or error}; "
            "give another plugins_dir or set FIFTYONE_PLUGINS_DIR"
        ) from error
    return target


def installed_plugin() -> Path | None:
    """The folder from which FiftyOne loads this plugin, if there is one."""
    folder = configured_plugins_dir()
    if not folder.is_dir():
        return None
    for root, names, files in os.walk(folder, followlinks=True):
        if _MANIFEST in files:
            names.clear()
            if plugin_name(Path(root)) == PLUGIN:
                return Path(root)
        names[:] = sorted(n for n in names if not n.startswith("."))
    return None


def configured_plugins_dir() -> Path:
    """The folder that FiftyOne searches for plugins."""
    folder = os.environ.get("FIFTYONE_PLUGINS_DIR")
    if not folder:
        import fiftyone as fo

        folder = fo.config.plugins_dir
    return Path(folder).expanduser()


def app_folder() -> Path:
    """The folder with ``fiftyone.yml``: inside an installed wheel, or the checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "app", package.parents[1]):
        if (folder / _MANIFEST).is_file():
            return folder
    raise EvalsetsError(
        f"The App half of evalsets is missing beside {package}; reinstall evalsets"
    )


def plugin_name(folder: Path) -> str | None:
    """The name in the manifest of a plugin's folder, if it can be read."""
    try:
        manifest = yaml.safe_load((folder / _MANIFEST).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    return manifest.get("name") if isinstance(manifest, dict) else None


def _check_free(target: Path) -> None:
    """Only our own links and copies are replaced, never a folder people work in."""
    if not os.path.lexists(target):
        return
    if target.is_symlink() and not target.exists():
        return
    if plugin_name(target) != PLUGIN:
        raise NameTakenError(f"{target} is not this plugin; move it away and try again")
    if not target.is_symlink() and (target / "pyproject.toml").exists():
        raise NameTakenError(
            f"{target} is another checkout of evalsets, and FiftyOne loads it; "
            "move it away to load this one"
        )


def _place(source: Path, target: Path) -> None:
    fresh = target.with_name(f".{target.name}-{os.getpid()}")
    try:
        fresh.symlink_to(source, target_is_directory=True)
    except OSError:
        _copy(source, fresh)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    fresh.replace(target)


def _copy(source: Path, target: Path) -> None:
    for part in _PARTS:
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        if (source / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(source / part, target / part, ignore=ignored)
        else:
            shutil.copy2(source / part, target / part)
