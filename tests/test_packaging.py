"""What people get when they install, and what an import costs them."""

import subprocess
import sys
import zipfile
from pathlib import Path

import tomllib
import yaml
from fiftyone.core.utils import load_requirements

import evalsets

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MANIFEST = yaml.safe_load((ROOT / "fiftyone.yml").read_text())


def test_the_versions_agree():
    assert evalsets.__version__ == PROJECT["version"] == MANIFEST["version"]


def test_requirements_of_the_plugin_are_those_of_the_package_and_the_package():
    """As FiftyOne installs them: ``pip install <line>``, in the folder of the plugin."""
    *others, ours = load_requirements(ROOT / "requirements.txt")
    assert others == PROJECT["dependencies"]
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps"]
    run = subprocess.run(
        [*pip, "--force-reinstall", "--no-build-isolation", ours],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"Would install evalsets-{evalsets.__version__}" in run.stdout


def test_the_plugin_needs_the_fiftyone_of_the_package():
    (stated,) = [x for x in PROJECT["dependencies"] if x.startswith("fiftyone")]
    assert stated == "fiftyone" + MANIFEST["fiftyone"]["version"]


def test_import_is_light():
    heavy = "{'fiftyone', 'torch', 'pandas', 'plotly', 'statsmodels'}"
    script = f"import sys, evalsets; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_every_public_name_resolves():
    for name in evalsets.__all__:
        assert getattr(evalsets, name) is not None


def test_the_wheel_carries_package_and_app_half_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    parts = {"fiftyone.yml", "plugin/__init__.py", "operators/__init__.py"}
    assert {f"evalsets/app/{p}" for p in parts} <= set(names)
    assert "evalsets/py.typed" in names
    tops = {n.split("/")[0] for n in names}
    assert tops == {"evalsets", f"evalsets-{evalsets.__version__}.dist-info"}
