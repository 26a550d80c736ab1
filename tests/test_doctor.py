"""The doctor names what is missing and the one command that mends it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from evalsets import doctor
from evalsets.doctor import Finding


def test_this_machine_has_all_that_evalsets_needs():
    assert [f for f in doctor.examine() if f.needed and not f.ok] == []


def test_every_finding_that_is_not_well_has_one_command():
    for found in doctor.examine():
        assert bool(found.remedy) is not found.ok


def test_a_database_that_does_not_answer_is_named(monkeypatch):
    import fiftyone as fo

    monkeypatch.setattr(fo.config, "database_uri", "mongodb://127.0.0.1:1")
    (found,) = [f for f in doctor.examine() if f.name in ("mongod", "database")]
    assert not found.ok
    assert found.detail.endswith("Connection refused")
    assert found.remedy == "unset FIFTYONE_DATABASE_URI"


def test_a_missing_mongod_is_mended_by_pip(monkeypatch, tmp_path):
    """FiftyOne's own package, after its download has failed."""
    import fiftyone as fo

    binaries = tmp_path / "fiftyone" / "db" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "exception.txt").write_text("gaierror: Name or service not known")
    monkeypatch.setattr(fo.config, "database_uri", None)
    monkeypatch.setattr(fo, "__file__", str(tmp_path / "fiftyone" / "__init__.py"))
    (found,) = [f for f in doctor.examine() if f.name == "mongod"]
    assert not found.ok
    command = shlex.split(found.remedy)
    assert command[:4] == [sys.executable, "-m", "pip", "install"]


def test_a_library_that_mongod_lacks_is_mended_by_its_package(monkeypatch, tmp_path):
    import fiftyone as fo

    binaries = tmp_path / "fiftyone" / "db" / "bin"
    binaries.mkdir(parents=True)
    mongod = binaries / "mongod"
    mongod.write_text(
        "#!/bin/sh\necho 'mongod: error while loading shared libraries: libcurl.so.4:"
        " cannot open shared object file: No such file or directory' >&2\nexit 127\n"
    )
    mongod.chmod(0o755)
    monkeypatch.setattr(fo.config, "database_uri", None)
    monkeypatch.setattr(fo, "__file__", str(tmp_path / "fiftyone" / "__init__.py"))
    (found,) = [f for f in doctor.examine() if f.name == "mongod"]
    assert found.remedy == "apt-get update && apt-get install -y libcurl4"


def _database(monkeypatch, folder):
    """What is found where that folder is the one that FiftyOne is told of."""
    import fiftyone as fo

    monkeypatch.setattr(fo.config, "database_uri", None)
    monkeypatch.setattr(fo.config, "database_dir", str(folder))
    (found,) = [f for f in doctor.examine() if f.name == "database"]
    return found


@pytest.fixture
def theirs(tmp_path):
    """The folder of a MongoDB that another process has FiftyOne run."""
    unset = ("FIFTYONE_DATABASE_URI", "FIFTYONE_PRIVATE_DATABASE_PORT")
    left = {name: value for name, value in os.environ.items() if name not in unset}
    ask = (
        "from fiftyone.core.odm import get_db_client as client;"
        "told = client().admin.command('getCmdLineOpts')['parsed'];"
        "print(told['storage']['dbPath'], flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", ask],
        env={**left, "FIFTYONE_DATABASE_DIR": str(tmp_path / "theirs")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Path(process.stdout.readline().strip())
        process.communicate("\n")


def test_a_database_of_another_folder_is_named_with_a_way_to_ones_own(
    monkeypatch, tmp_path, theirs
):
    """FiftyOne joins any MongoDB of its own that runs, whatever folder it is told of."""
    assert _database(monkeypatch, theirs).ok
    mine = tmp_path / "my own"
    found = _database(monkeypatch, mine)
    assert not found.ok
    assert str(theirs) in found.detail
    assert str(mine) in found.detail
    served = (
        "python -c 'import os, pymongo;"
        'client = pymongo.MongoClient(os.environ["FIFTYONE_DATABASE_URI"]).admin;'
        'print(client.command("getCmdLineOpts")["parsed"]["storage"]["dbPath"]);'
        'client.command("shutdown", force=True)\' 2>&1'
    )
    served = served.replace("python", shlex.quote(sys.executable), 1)
    done = subprocess.run(
        ["/bin/sh", "-c", f"{found.remedy} && {served}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert str(mine) in done.stdout.splitlines(), done.stdout + done.stderr


def _disk():
    (found,) = [f for f in doctor.examine() if f.name == "disk"]
    return found


def test_the_disk_is_that_of_the_database(monkeypatch, tmp_path):
    import fiftyone as fo

    monkeypatch.setattr(fo.config, "database_uri", None)
    monkeypatch.setattr(fo.config, "database_dir", str(tmp_path / "new" / "mongo"))
    assert f"free in {tmp_path / 'new' / 'mongo'}, where" in _disk().detail


def test_with_a_database_elsewhere_the_disk_is_that_of_the_vectors(
    monkeypatch, tmp_path
):
    import fiftyone as fo

    monkeypatch.setattr(fo.config, "database_uri", "mongodb://127.0.0.1:1")
    monkeypatch.setenv("EVALSETS_HOME", str(tmp_path / "vectors"))
    assert f"free in {tmp_path / 'vectors'}, where vectors lie" in _disk().detail
    monkeypatch.setattr(doctor, "_NEEDED_GB", 1e9)
    assert "too little" in _disk().detail
    assert _disk().remedy == "export EVALSETS_HOME=/a/larger/disk/vectors"


def test_a_well_database_needs_no_mending():
    assert doctor.mend().ok


@pytest.mark.parametrize(("needed", "word"), [(True, "missing"), (False, "optional")])
def test_the_remedy_stands_below_what_it_mends(needed, word):
    lines = doctor.render([Finding("mongod", False, "gone", "pip install it", needed)])
    assert lines.splitlines() == [
        f"{word:9}mongod  gone",
        "                 → pip install it",
    ]
