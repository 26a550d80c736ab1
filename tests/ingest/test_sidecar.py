import pandas as pd
import pytest

from evalsets.errors import ArgumentError
from evalsets.ingest import read_sidecar

PATHS = ["/data/a/x.jpg", "/data/b/x.jpg", "/data/b/y.jpg"]


def test_full_relative_and_base_names_find_their_image():
    table = pd.DataFrame(
        {"file": ["/data/a/x.jpg", "b/x.jpg", "y.jpg"], "n": [1, 2, None]}
    )
    assert read_sidecar(table, PATHS) == {"n": {PATHS[0]: 1.0, PATHS[1]: 2.0}}


def test_a_base_name_that_two_images_have_finds_neither():
    table = pd.DataFrame({"file": ["x.jpg", "y.jpg"], "n": [1, 2]})
    assert read_sidecar(table, PATHS) == {"n": {PATHS[2]: 2}}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pd.DataFrame({"name": ["y.jpg"]}), "no column with the image's path"),
        (pd.DataFrame({"file": ["z.jpg"]}), "None of the 1 paths"),
        (pd.DataFrame({"file": ["y.jpg", "b/y.jpg"]}), "more than once"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table, said):
    with pytest.raises(ArgumentError, match=said):
        read_sidecar(table, PATHS)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="cannot be read as CSV"):
        read_sidecar(tmp_path / "gone.csv", PATHS)
