"""What lies below a folder, however odd."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from evalsets.errors import NoImagesError, SourceError
from evalsets.ingest import list_images

NOBODY = 65534


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "good.png").write_bytes(b"x")
    return folder


@pytest.fixture
def nobody():
    """A folder in the hands of a user who is not root, whom permissions bind."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    (folder / "good.png").write_bytes(b"x")
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    yield folder
    if root:
        os.seteuid(0)
    shutil.rmtree(folder)


def names(listing) -> list[str]:
    return [Path(path).name for path in listing.size]


@pytest.mark.parametrize(
    "name",
    [
        "two  spaces .png",
        'it\'s "quoted" `so`.png',
        "new\nline.png",
        "back\\slash.png",
        "日本 Ünïcode e\u0301.png",
        "~home.png",
        "100%20#?&;$(x).png",
        "x" * 251 + ".png",
        "é" * 125 + "x.png",
    ],
)
def test_every_name_a_file_can_have_is_listed(folder, name):
    (folder / name).write_bytes(b"x")
    assert sorted(names(list_images(folder))) == sorted(["good.png", name])


def test_a_name_that_is_no_text_is_named_and_left_out(folder):
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png")).write_bytes(b"x")
    listing = list_images(folder)
    assert names(listing) == ["good.png"]
    (why,) = listing.refused.values()
    assert listing.refused == {f"{folder}/caf\\xe9.png": why}
    assert "not valid UTF-8; rename it" in why


def test_a_folder_whose_name_is_no_text_is_named_and_left_out(folder):
    inner = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9"))
    inner.mkdir()
    (inner / "x.png").write_bytes(b"x")
    listing = list_images(folder)
    assert names(listing) == ["good.png"]
    assert list(listing.refused) == [f"{folder}/caf\\xe9"]


def test_links_that_lead_out_are_not_followed_but_named(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "x.png").write_bytes(b"x")
    (folder / "file.png").symlink_to(secret / "x.png")
    (folder / "deep").symlink_to("../secret", target_is_directory=True)
    listing = list_images(folder)
    assert names(listing) == ["good.png"]
    assert set(listing.refused) == {str(folder / "file.png"), str(folder / "deep")}
    assert not listing.covers(str(folder / "deep/x.png"))  # so it has not vanished


def test_a_link_as_the_folder_itself_is_followed(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    assert list(list_images(tmp_path / "link").size) == [
        str(tmp_path / "link/good.png")
    ]


def test_loops_of_links_end_and_every_walk_finds_the_same(folder):
    (folder / "z").mkdir()
    (folder / "z" / "x.png").write_bytes(b"x")
    (folder / "a").symlink_to(folder / "z", target_is_directory=True)
    (folder / "z" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "one.png").symlink_to(folder / "two.png")
    (folder / "two.png").symlink_to(folder / "one.png")
    assert list(list_images(folder).size) == [
        str(folder / "good.png"),
        str(folder / "z/x.png"),
    ]


def test_a_link_within_the_folder_is_a_file_like_any_other(folder):
    (folder / "also.png").symlink_to("good.png")
    assert names(list_images(folder)) == ["also.png", "good.png"]


def test_a_pipe_is_no_image(folder):
    os.mkfifo(folder / "pipe.png")
    assert names(list_images(folder)) == ["good.png"]


def test_a_folder_that_may_not_be_entered_is_named_and_nothing_in_it_has_vanished(
    nobody,
):
    closed = nobody / "closed"
    closed.mkdir()
    (closed / "x.png").write_bytes(b"x")
    closed.chmod(0)
    listing = list_images(nobody)
    assert names(listing) == ["good.png"]
    assert listing.refused == {str(closed): "the folder may not be read"}
    assert not listing.covers(str(closed / "x.png"))
    assert listing.covers(str(nobody / "other.png"))
    closed.chmod(0o755)


def test_a_source_that_may_not_be_entered_is_an_error(nobody):
    closed = nobody / "closed"
    closed.mkdir(0)
    with pytest.raises(
        SourceError, match=r"closed' cannot be read \(Permission denied"
    ):
        list_images(closed)
    closed.chmod(0o755)


def test_a_folder_of_nothing_but_refused_files_says_why(folder):
    (folder / "good.png").rename(folder.parent / "good.png")
    (folder / "link.png").symlink_to("../good.png")
    with pytest.raises(NoImagesError, match="a link that leads out of the folder"):
        list_images(folder)
