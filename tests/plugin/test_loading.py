"""However the plugin came to the machine, FiftyOne loads all of it, once."""

import shutil
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LISTED = yaml.safe_load((ROOT / "fiftyone.yml").read_text())
NAMES = [*LISTED["operators"], *(LISTED["panels"] or [])]

LOAD = """
import fiftyone.operators as foo
from fiftyone.operators.registry import OperatorRegistry
assert OperatorRegistry().list_errors() == [], OperatorRegistry().list_errors()
print(foo.get_operator("@evalsets/evalsets/search").uri)
import evalsets
print(evalsets.__file__)
"""


def test_loading_reports_no_error(plugin):
    assert plugin.errors == []


def test_every_listed_name_is_registered_and_no_other(plugin):
    assert sorted(i.name for i in plugin.instances) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_listed_name_can_be_had_by_its_uri(plugin, name):
    import fiftyone.operators as foo

    assert foo.get_operator(f"@evalsets/evalsets/{name}").config.label != name


def test_a_bare_checkout_works_without_installation(isolated, tmp_path):
    checkout = tmp_path / "plugins" / "any-name"
    without = shutil.ignore_patterns("__pycache__")
    for folder in ("plugin", "operators", "panels"):
        shutil.copytree(ROOT / folder, checkout / folder, ignore=without)
    shutil.copy(ROOT / "fiftyone.yml", checkout)
    uri, file = isolated(LOAD).splitlines()
    assert uri == "@evalsets/evalsets/search"
    assert Path(file) == checkout / "plugin" / "evalsets" / "__init__.py"


def test_a_link_to_the_checkout_works(isolated, tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "evalsets").symlink_to(ROOT)
    _, file = isolated(LOAD).splitlines()
    assert Path(file) == ROOT / "plugin" / "evalsets" / "__init__.py"


def test_a_folder_called_evalsets_nearby_does_not_hide_the_checkout(isolated, tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "evalsets").symlink_to(ROOT)
    (tmp_path / "evalsets").mkdir()
    _, file = isolated(LOAD, tmp_path).splitlines()
    assert Path(file).is_relative_to(ROOT)


def test_the_wheel_alone_works(isolated, tmp_path, wheel):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    install = "from evalsets.install import install_plugin; print(install_plugin())"
    target, uri, file = isolated(install + LOAD, site).splitlines()
    assert Path(target).resolve() == site / "evalsets" / "app"
    assert uri == "@evalsets/evalsets/search"
    assert Path(file) == site / "evalsets" / "__init__.py"
