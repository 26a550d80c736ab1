"""Installing the plugin never takes anything away."""

import errno
import shutil
from pathlib import Path

import pytest

from evalsets import install
from evalsets.errors import ArgumentError, NameTakenError
from evalsets.install import install_plugin, installed_plugin, plugin_name

ROOT = Path(__file__).resolve().parents[2]


def test_installing_twice_is_installing_once(tmp_path):
    first = install_plugin(tmp_path)
    assert install_plugin(tmp_path) == first == tmp_path / "evalsets"
    assert first.resolve() == ROOT
    assert [p.name for p in tmp_path.iterdir()] == ["evalsets"]


def test_a_checkout_among_the_plugins_is_left_as_it_is():
    assert install_plugin(ROOT.parent) == ROOT


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_not_ours_is_never_replaced(tmp_path, kind):
    target = tmp_path / "plugins" / "evalsets"
    target.parent.mkdir()
    other = tmp_path / "other"
    other.mkdir()
    (other / "fiftyone.yml").write_text("name: '@someone/else'")
    if kind == "file":
        target.write_text("mine")
    elif kind == "folder":
        shutil.copytree(other, target)
    else:
        target.symlink_to(other)
    with pytest.raises(NameTakenError, match="not this plugin"):
        install_plugin(target.parent)
    assert target.is_symlink() == (kind == "link")


def test_another_checkout_is_never_replaced(tmp_path):
    target = tmp_path / "evalsets"
    target.mkdir()
    for name in ("fiftyone.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, target)
    with pytest.raises(NameTakenError, match="another checkout"):
        install_plugin(tmp_path)
    assert (target / "pyproject.toml").exists()


def test_a_link_of_ours_that_went_stale_is_mended(tmp_path):
    (tmp_path / "evalsets").symlink_to(tmp_path / "gone")
    assert install_plugin(tmp_path).resolve() == ROOT


def test_without_links_the_plugin_is_copied_and_copied_again(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    for _ in range(2):
        target = install_plugin(tmp_path)
        assert not target.is_symlink()
        assert plugin_name(target) == install.PLUGIN
        assert (target / "operators" / "search.py").is_file()
        assert (target / "plugin" / "__init__.py").is_file()
        assert [p.name for p in tmp_path.iterdir()] == ["evalsets"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match="FIFTYONE_PLUGINS_DIR"):
        install_plugin(tmp_path / "file" / "plugins")


def test_the_installed_plugin_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("FIFTYONE_PLUGINS_DIR", str(tmp_path / "plugins"))
    assert installed_plugin() is None
    assert installed_plugin() is None
    install_plugin()
    assert installed_plugin() == tmp_path / "plugins" / "evalsets"
