import contextlib
import struct
import warnings
import zlib
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

from evalsets import ingest
from evalsets.images import open_image
from evalsets.ingest import Facts


def examine(path):
    with Path(path).open("rb") as file:
        return ingest.examine(file)


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


@pytest.mark.parametrize("side", [9_500, 60_000])
def test_a_decompression_bomb_is_refused_undecoded_and_the_limit_named(tmp_path, side):
    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "more than the 89,478,485 pixels allowed" in examine(str(path))
        with pytest.raises(ValueError, match="89,478,485 pixels allowed"):
            open_image(str(path))


def test_a_real_picture_of_a_hundred_megapixels_needs_a_higher_limit(
    tmp_path, monkeypatch
):
    path = tmp_path / "poster.png"
    Image.new("1", (10_000, 10_000)).save(path)
    assert "10000×10000 pixels are more than the 89,478,485" in examine(str(path))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 200_000_000)
    assert examine(str(path)) == Facts(10_000, 10_000, 1, "image/png")


def test_postscript_with_the_name_of_a_photo_is_refused_and_never_run(postscript):
    assert "PostScript" in examine(postscript)
    with pytest.raises(OSError, match="PostScript"):
        open_image(str(postscript))


def test_the_type_is_that_of_the_content_not_of_the_name(tmp_path):
    path = tmp_path / "really a png.jpg"
    Image.new("RGB", (5, 4)).save(path, format="PNG")
    assert examine(str(path)) == Facts(5, 4, 3, "image/png")
    assert open_image(str(path)).size == (5, 4)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif"])
def test_of_an_animation_the_first_picture_counts(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    first.save(path, save_all=True, append_images=[second])
    assert isinstance(examine(str(path)), Facts)
    red, _, blue = np.asarray(open_image(str(path)))[0, 0]
    assert red > 200 > 50 > blue


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".webp", ".gif"])
def test_a_damaged_file_fails_in_the_ways_that_callers_expect(tmp_path, suffix):
    rng = np.random.default_rng(3)
    path = tmp_path / f"a{suffix}"
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, exif=exif)
    whole = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    for _ in range(150):
        damaged = whole.copy()
        damaged[rng.integers(0, min(len(whole), 400), 4)] = rng.integers(0, 256, 4)
        path.write_bytes(damaged.tobytes())
        assert examine(str(path))
        with contextlib.suppress(OSError, ValueError):
            open_image(str(path))


def test_a_file_that_the_system_refuses_says_nothing_of_its_content(tmp_path):
    with pytest.raises(FileNotFoundError):
        examine(str(tmp_path / "gone.jpg"))


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
