import pytest

from evalsets.errors import ArgumentError, NoImagesError
from evalsets.ingest import list_images


def _touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_images_below_a_folder_are_listed_in_order_of_path(tmp_path):
    _touch(tmp_path, "b.JPG", "a/ü 1.png", "a/notes.txt", ".hidden/c.png", ".d.png")
    listed = list(list_images(tmp_path).size)
    assert listed == [str(tmp_path / "a/ü 1.png"), str(tmp_path / "b.JPG")]


def test_a_loop_of_links_ends(tmp_path):
    _touch(tmp_path, "a/x.png")
    (tmp_path / "a" / "again").symlink_to(tmp_path, target_is_directory=True)
    assert list(list_images(tmp_path).size) == [str(tmp_path / "a/x.png")]


def test_a_dangling_link_is_no_image(tmp_path):
    _touch(tmp_path, "x.png")
    (tmp_path / "y.png").symlink_to(tmp_path / "gone.png")
    assert list(list_images(tmp_path).size) == [str(tmp_path / "x.png")]


def test_a_list_of_files_may_be_relative_and_doubled(tmp_path, monkeypatch):
    _touch(tmp_path, "x.png")
    monkeypatch.chdir(tmp_path)
    assert list(list_images(["x.png", tmp_path / "x.png"]).size) == [
        str(tmp_path / "x.png")
    ]


@pytest.mark.parametrize("source", ["../photos", ["../photos/x.png"]])
def test_a_way_up_is_written_as_fiftyone_writes_it(tmp_path, monkeypatch, source):
    _touch(tmp_path, "photos/x.png", "work/y.png")
    monkeypatch.chdir(tmp_path / "work")
    assert list(list_images(source).size) == [str(tmp_path / "photos/x.png")]


@pytest.mark.parametrize("source", ["gone", "empty", ["gone.png"], []])
def test_a_source_without_images_is_refused(tmp_path, monkeypatch, source):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoImagesError):
        list_images(source)


def test_a_url_of_an_unknown_protocol_is_refused():
    with pytest.raises(ArgumentError, match="no URL that can be read"):
        list_images("nowhere://bucket/images")


def test_a_missing_package_is_named_with_its_extra():
    with pytest.raises(ArgumentError, match=r"pip install 'evalsets\[gcs\]'"):
        list_images("gs://bucket/images")


def test_a_file_url_is_a_path(tmp_path):
    (tmp_path / "x.png").touch()
    assert list(list_images(f"file://{tmp_path}").size) == [str(tmp_path / "x.png")]


def test_a_changed_file_has_another_stamp(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(b"one")
    before = list_images(tmp_path).stamp
    path.write_bytes(b"two!")
    assert list_images(tmp_path).stamp != before


def test_a_source_covers_what_lies_below_it_and_nothing_beside(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.png").touch()
    listing = list_images(tmp_path / "a")
    assert listing.covers(str(tmp_path / "a/b/y.png"))
    assert not listing.covers(str(tmp_path / "ab/y.png"))
    assert not list_images([tmp_path / "a/x.png"]).covers(str(tmp_path / "a/x.png"))


def test_a_file_for_a_folder_and_a_folder_for_a_file_are_told(tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("filepath,label\n")
    with pytest.raises(NoImagesError, match=r"labels.csv' is a file; give the folder"):
        list_images(labels)
    with pytest.raises(NoImagesError, match=rf"'{tmp_path}' is a folder, in a list of"):
        list_images([tmp_path, tmp_path / "nowhere"])
    with pytest.raises(NoImagesError, match="1 of 2 listed files are missing"):
        list_images([labels, tmp_path / "nowhere.jpg"])
