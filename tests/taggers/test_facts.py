"""What files say of themselves, and what they only pretend to say."""

from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from evalsets.taggers import FileFacts, checked

BASE, GPS = ExifTags.Base, ExifTags.GPS


def save(path, main=None, photo=None, place=None):
    exif = Image.Exif()
    exif.update(main or {})
    exif.get_ifd(ExifTags.IFD.Exif).update(photo or {})
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(place or {})
    Image.new("RGB", (8, 6)).save(path, exif=exif)
    return str(path)


def facts(path):
    found = FileFacts().read(path)
    checked(FileFacts(), {f: [found.get(f)] for f in FileFacts.fields}, 1)
    return found


def test_a_photograph_tells_how_it_was_taken(tmp_path):
    path = save(
        tmp_path / "a.jpg",
        {BASE.Make: "Canon", BASE.Model: "Canon EOS 5D"},
        {
            BASE.DateTimeOriginal: "2026:03:01 12:30:00",
            BASE.OffsetTimeOriginal: "+02:00",
            BASE.ExposureTime: IFDRational(1, 250),
            BASE.FNumber: IFDRational(28, 10),
            BASE.ISOSpeedRatings: 400,
            BASE.FocalLength: IFDRational(50, 1),
            BASE.Flash: 1,
        },
        {
            GPS.GPSLatitude: (IFDRational(48), IFDRational(30), IFDRational(0)),
            GPS.GPSLatitudeRef: "S",
            GPS.GPSLongitude: (IFDRational(9), IFDRational(0), IFDRational(36)),
            GPS.GPSLongitudeRef: "E",
        },
    )
    found = facts(path)
    assert found["camera"] == "Canon EOS 5D"
    assert found["taken_at"] == datetime(2026, 3, 1, 10, 30, tzinfo=timezone.utc)
    assert found["exposure_s"] == pytest.approx(1 / 250)
    assert (found["f_number"], found["iso"], found["focal_mm"]) == (2.8, 400, 50)
    assert found["flash"] is True
    assert (found["latitude"], found["longitude"]) == pytest.approx((-48.5, 9.01))
    assert (found["file_format"], found["n_frames"]) == ("JPEG", 1)
    assert found["has_exif"] is True


def test_what_a_file_does_not_tell_stays_empty(tmp_path):
    Image.new("RGB", (8, 6)).save(tmp_path / "plain.png")
    found = facts(str(tmp_path / "plain.png"))
    told = {name for name, value in found.items() if value is not None}
    assert told == {"file_format", "file_bytes", "n_frames", "has_exif"}
    assert found["file_bytes"] == (tmp_path / "plain.png").stat().st_size


def test_nonsense_in_exif_is_no_fact(tmp_path):
    path = save(
        tmp_path / "a.jpg",
        {BASE.Make: "\0\0", BASE.Model: ""},
        {
            BASE.DateTimeOriginal: "0000:00:00 00:00:00",
            BASE.ExposureTime: IFDRational(1, 0),
            BASE.FNumber: IFDRational(0, 0),
        },
        {GPS.GPSLatitude: (IFDRational(500), IFDRational(0), IFDRational(0))},
    )
    found = facts(path)
    wrong = ("camera", "taken_at", "exposure_s", "f_number", "latitude", "longitude")
    assert [found[name] for name in wrong] == [None] * len(wrong)


def test_frames_of_an_animation_are_counted(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert facts(str(tmp_path / "a.gif"))["n_frames"] == 3


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns, and reads on
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_exif_of_any_bytes_raises_nothing(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("exif")
    path = save(folder / "a.jpg", {BASE.Make: "M" * 40}, {BASE.ISOSpeedRatings: 100})
    content = bytearray((folder / "a.jpg").read_bytes())
    start = content.index(b"Exif\0\0")
    for _ in range(data.draw(st.integers(1, 6))):
        at = start + 6 + data.draw(st.integers(0, 90))
        content[at] = data.draw(st.integers(0, 255))
    (folder / "a.jpg").write_bytes(bytes(content))
    assert facts(path)["file_format"] == "JPEG"
