import numpy as np
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


def test_a_path_as_windows_writes_it_finds_its_image():
    table = pd.DataFrame({"file": ["a\\x.jpg", ".\\b\\y.jpg"], "n": [1, 2]})
    assert read_sidecar(table, PATHS) == {"n": {PATHS[0]: 1, PATHS[2]: 2}}


def test_a_base_name_that_two_images_have_finds_neither_and_is_named(caplog):
    table = pd.DataFrame({"file": ["x.jpg", "y.jpg"], "n": [1, 2]})
    assert read_sidecar(table, PATHS) == {"n": {PATHS[2]: 2}}
    assert "1 of 2 rows" in caplog.text
    assert "'x.jpg': 1 with more than one" in caplog.text


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pd.DataFrame({"name": ["y.jpg"]}), "no column with the image's path"),
        (pd.DataFrame({"file;label": ["y.jpg;a"]}), "looks separated by ';'"),
        (pd.DataFrame({"file": []}), "has no rows"),
        (
            pd.DataFrame([["y.jpg", 1, 2]], columns=["file", "n", "n"]),
            "more than one column 'n'; keep one",
        ),
        (
            pd.DataFrame([["y.jpg", "x.jpg"]], columns=["file", "file"]),
            "more than one column 'file'",
        ),
        (
            pd.DataFrame({"file": ["y.jpg"], "label": [["a", "b"]]}),
            "has in column 'label' cells of type list; a field takes one",
        ),
        (pd.DataFrame({"file": ["z.jpg"]}), "None of the 1 paths"),
        (
            pd.DataFrame({"file": ["z", "b/y.jpg", "a/x.jpg", "y.jpg"]}, index=[7] * 4),
            r"names 1 image more than once, such as '.*y.jpg' in rows 2 and 4; keep one",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table, said):
    with pytest.raises(ArgumentError, match=said):
        read_sidecar(table, PATHS)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "photo.csv").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ArgumentError, match="cannot be read as a table"):
        read_sidecar(tmp_path / "photo.csv", PATHS)


def test_a_file_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "gone.csv"
    with pytest.raises(ArgumentError) as error:
        read_sidecar(path, PATHS)
    assert str(error.value) == f"There is no file '{path}'; check the path"


def test_a_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "labels.csv").write_text("file,n\ny.jpg,3\n")
    assert read_sidecar("~/labels.csv", PATHS) == {"n": {PATHS[2]: 3}}


def test_labels_and_words_of_a_file_are_read_as_they_stand(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("file,label,sky\na/x.jpg,007,None\nb/x.jpg,None,\ny.jpg,NA,NA\n")
    read = read_sidecar(path, PATHS)
    assert list(read["label"].values()) == ["007", "None", "NA"]
    assert read["sky"] == {PATHS[0]: "None", PATHS[2]: "NA"}


@pytest.mark.parametrize("from_file", [True, False])
def test_numbers_with_gaps_stay_what_they_are(tmp_path, from_file):
    path = tmp_path / "labels.csv"
    path.write_text(
        "file,label,n,x,b\na/x.jpg,0,1,0.5,True\nb/x.jpg,,NA,,\ny.jpg,2,3,2,\n"
    )
    read = read_sidecar(path if from_file else pd.read_csv(path), PATHS)
    assert read["label"] == {PATHS[0]: "0", PATHS[2]: "2"}
    assert [isinstance(n, (int, np.integer)) for n in read["n"].values()] == [True] * 2
    assert list(read["x"].values()) == [0.5, 2.0]
    assert list(read["b"].values()) == [True]


def test_a_row_without_a_path_is_left_out_and_counted(tmp_path, caplog):
    path = tmp_path / "labels.csv"
    path.write_text("file,n\n,1\ny.jpg,2\n")
    assert read_sidecar(path, PATHS) == {"n": {PATHS[2]: 2}}
    assert "1 of 2 rows" in caplog.text


def test_a_column_that_a_file_names_twice_is_refused_by_its_name(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("file,n,n\ny.jpg,1,2\n")
    with pytest.raises(ArgumentError, match=r"more than one column 'n'; keep one"):
        read_sidecar(path, PATHS)


def test_commas_at_the_end_of_each_line_are_no_columns(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("file,n,,\ny.jpg,1,,\n")
    assert read_sidecar(path, PATHS)["n"] == {PATHS[2]: 1}
