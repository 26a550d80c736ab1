import struct
import zlib

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

from evalsets.encoders.images import open_image
from evalsets.ingest import Facts, examine


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    path = tmp_path / "photo.jpg"
    Image.fromarray(pixels).save(path)
    return path


def test_the_header_says_size_channels_and_type(photo):
    assert examine(str(photo)) == Facts(60, 40, 3, "image/jpeg")


@pytest.mark.parametrize("keep", [0.0, 0.2, 0.99])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp"])
def test_a_truncated_image_is_unreadable_with_a_reason(photo, keep, suffix):
    path = photo.with_suffix(suffix)
    Image.open(photo).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    reason = examine(str(path))
    assert isinstance(reason, str)
    assert reason
    with pytest.raises((OSError, ValueError)):
        open_image(str(path))


def test_text_with_the_name_of_an_image_is_unreadable(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_text("not an image")
    assert "no image" in examine(str(path))


def test_a_decompression_bomb_is_refused_undecoded(tmp_path):
    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")
    )
    assert "pixels" in examine(str(path))
    with pytest.raises(ValueError, match="pixels"):
        open_image(str(path))


def test_a_jpeg_with_bytes_behind_its_end_is_readable(photo):
    photo.write_bytes(photo.read_bytes() + b"camera footer " * 1000)
    assert examine(str(photo)) == Facts(60, 40, 3, "image/jpeg")


def test_transparency_becomes_white(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(path)
    assert np.asarray(open_image(str(path))).min() == 255


def test_a_photo_is_turned_upright(tmp_path):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(path, exif=exif)
    assert open_image(str(path)).size == (40, 60)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_photo_as_fiftyone_has_it(
    tmp_path, orientation
):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (60, 40)).save(path, exif=exif)
    facts = examine(str(path))
    theirs = fo.ImageMetadata.build_for(str(path))
    assert (facts.width, facts.height) == (theirs.width, theirs.height)
    assert (facts.width, facts.height) == open_image(str(path)).size


@pytest.mark.parametrize(("top", "brightest"), [(65535, 255), (4095, 255), (255, 255)])
def test_sixteen_bits_are_scaled_to_eight(tmp_path, top, brightest):
    path = tmp_path / "a.png"
    pixels = np.linspace(0, top, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(pixels).save(path)
    opened = np.asarray(open_image(str(path)))
    assert opened.shape == (8, 8, 3)
    assert opened.max() == brightest
    assert opened.min() == 0


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / "a.tif"
    Image.new("RGB", (5, 4), "teal").convert(mode).save(path)
    assert open_image(str(path)).mode == "RGB"


@pytest.mark.shared
def test_odd_files_of_the_wild_are_all_readable(shared):
    paths = sorted((shared / "data" / "tuxpaint-stamps").glob("*.png"))
    assert len(paths) == 70
    assert all(isinstance(examine(str(path)), Facts) for path in paths)
    assert all(open_image(str(path)).mode == "RGB" for path in paths)
