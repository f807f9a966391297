"""Pictures from people: every kind of good and bad file, made in memory."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from attnviz.errors import PictureError
from attnviz.features.picture import MOST_BYTES, as_data_url, digits, fit, pixels, read_picture

ORANGE = (230, 120, 20)


def saved(image, kind="png", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photo(width=60, height=40):
    """Left half orange, right half blue, with a white upper left corner."""
    image = Image.new("RGB", (width, height), ORANGE)
    image.paste((20, 60, 200), (width // 2, 0, width, height))
    image.paste((255, 255, 255), (0, 0, width // 4, height // 4))
    return image


def png_header(width, height):
    """A PNG that claims a size and holds no pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunks + b"\x00\x00\x00\x00IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


@pytest.mark.parametrize("kind", ["png", "gif", "bmp", "tiff", "webp"])
def test_each_format_is_read(kind):
    options = {"lossless": True} if kind == "webp" else {}
    found = read_picture(saved(photo(), kind, **options))
    assert found.image.mode == "RGB" and found.notes == ()
    np.testing.assert_array_equal(np.asarray(found.image), np.asarray(photo()))


def test_jpeg_is_read():
    found = read_picture(saved(photo(), "jpeg", quality=95))
    assert found.notes == ()
    assert np.abs(np.asarray(found.image, int) - np.asarray(photo(), int)).mean() < 6


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "The file is empty. Choose a PNG"),
        (b"hello, I am a text", "not a picture that can be read here. Choose a PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"%PDF-1.7\n", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "not a picture"),
        (saved(photo(), "ico"), "not a picture"),
        (saved(photo(), "ppm"), "not a picture"),
        (saved(photo(), "jpeg2000"), "not a picture"),
        (png_header(20_000, 20_000), "megapixels is the limit. Make it smaller"),
        (png_header(10_000, 10_000), "10000 x 10000 pixels, and 40 megapixels is the limit"),
        (png_header(30, 30), "damaged or breaks off"),
        (b"0" * (MOST_BYTES + 1), "30 MB is the limit. Choose a smaller one"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bad_file_is_explained(data, says):
    with pytest.raises(PictureError, match=says):
        read_picture(data)


@pytest.mark.filterwarnings("error")
def test_a_large_header_is_refused_even_where_warnings_are_errors():
    with pytest.raises(PictureError, match="megapixels"):
        read_picture(png_header(10_000, 10_000))


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "tiff"])
def test_a_truncated_file_is_explained(kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    with pytest.raises(PictureError):
        read_picture(data[: len(data) // 2])


@given(st.data())
def test_damage_anywhere_gives_a_picture_or_an_explanation(data):
    kind = data.draw(st.sampled_from(["png", "jpeg", "gif", "webp", "bmp", "tiff"]))
    broken = bytearray(saved(photo(24, 16), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert read_picture(bytes(broken)).image.mode == "RGB"
    except PictureError as error:
        assert str(error).endswith(".")


def test_printing_colours():
    found = read_picture(saved(photo().convert("CMYK"), "tiff"))
    assert found.image.mode == "RGB" and "(CMYK)" in found.notes[0]
    assert np.abs(np.asarray(found.image, int) - np.asarray(photo(), int)).max() <= 2


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_16_bit_grey_keeps_its_proportions(kind):
    values = np.linspace(0, 30_000, 64 * 64).astype(np.uint16).reshape(64, 64)
    found = read_picture(saved(Image.fromarray(values), kind))
    expected = np.rint(values / 65_535 * 255)
    np.testing.assert_array_equal(np.asarray(found.image)[..., 0], expected)
    assert found.notes == ("The 16-bit grey values are brought to 8 bits.",)


def test_other_numbers_are_stretched():
    values = np.linspace(-3, 7, 64 * 64, dtype=np.float32).reshape(64, 64)
    found = read_picture(saved(Image.fromarray(values), "tiff"))
    grey = np.asarray(found.image)[..., 0]
    assert (grey[0, 0], grey[-1, -1]) == (0, 255) and "stretched" in found.notes[0]


def test_numbers_that_are_not_numbers_are_black():
    values = np.full((64, 64), np.nan, dtype=np.float32)
    assert not np.asarray(read_picture(saved(Image.fromarray(values), "tiff")).image).any()


def test_transparent_parts_are_white():
    image = photo().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 30, 40))
    found = read_picture(saved(image))
    assert found.notes == ("Transparent parts are shown on white.",)
    assert found.image.getpixel((5, 30)) == (255, 255, 255)
    assert found.image.getpixel((50, 30)) == (20, 60, 200)


def test_half_transparent_parts_are_mixed_with_white():
    found = read_picture(saved(Image.new("RGBA", (40, 40), (0, 0, 0, 128))))
    assert found.image.getpixel((5, 5)) == (127, 127, 127)


def test_a_palette_with_a_transparent_colour():
    image = Image.new("P", (40, 40), 1)
    image.putpalette([255, 0, 0, 0, 128, 0])
    image.paste(0, (0, 0, 20, 40))
    found = read_picture(saved(image, transparency=0))
    assert (found.image.getpixel((5, 5)), found.image.getpixel((30, 5))) == ((255, 255, 255), (0, 128, 0))


def test_opaque_alpha_needs_no_note():
    assert read_picture(saved(photo().convert("RGBA"))).notes == ()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P"])
def test_other_modes_become_rgb(mode):
    assert read_picture(saved(photo().convert(mode))).image.mode == "RGB"


@pytest.mark.parametrize("kind", ["gif", "webp", "tiff", "png"])
def test_the_first_frame_of_an_animation_is_used(kind):
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "green", "blue")]
    options = {"lossless": True} if kind == "webp" else {}
    found = read_picture(saved(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert found.notes == ("The first of 3 frames is used.",)
    assert found.image.getpixel((20, 20)) == (255, 0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff"])
def test_a_turned_picture_is_set_upright(orientation, kind):
    """The camera stores the picture turned; its note undoes the turn."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # how an upright picture is stored under each orientation
    upright = photo()
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = read_picture(saved(stored, kind, exif=exif))
    assert found.image.size == (60, 40)
    assert np.abs(np.asarray(found.image, int) - np.asarray(upright, int)).mean() < 8
    assert found.notes == (() if orientation == 1 else ("The picture is turned upright, as its camera noted.",))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_camera_data_does_no_harm():
    found = read_picture(saved(photo(), "jpeg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff"))
    assert found.image.size == (60, 40)


def test_one_pixel():
    found = read_picture(saved(Image.new("RGB", (1, 1), ORANGE)))
    assert found.notes == ("The picture is only 1 x 1 pixels, so it is enlarged.",)
    enlarged = fit(found)
    assert enlarged.size == (32, 32) and enlarged.getpixel((16, 16)) == ORANGE


@pytest.mark.parametrize(("size", "kept", "which"), [((4000, 10), (20, 10), "long"), ((40, 3000), (40, 80), "tall")])
def test_a_very_long_picture_keeps_its_middle(size, kept, which):
    found = read_picture(saved(photo(*size)))
    assert found.image.size == kept
    words = (
        f"The picture is very {which}: the middle {kept[0]} x {kept[1]} of its {size[0]} x {size[1]} pixels are used."
    )
    assert words in found.notes


def test_a_large_picture_is_kept_small():
    found = read_picture(saved(Image.new("RGB", (3000, 2000), ORANGE), "jpeg"))
    assert 3_900_000 < found.image.width * found.image.height < 4_100_000
    assert found.notes == ("The picture is reduced from 3000 x 2000 to 2449 x 1633 pixels.",)


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([16, 32, 64]))
def test_a_fitted_picture_has_whole_patches(width, height, side):
    fitted = fit(photo(width, height), side)
    assert min(fitted.size) == side and max(fitted.size) <= 2 * side
    assert fitted.width % 4 == 0 and fitted.height % 4 == 0 and fitted.mode == "RGB"
    ratio = min(2.0, max(width, height) / min(width, height))
    assert abs(max(fitted.size) - side * ratio) <= 2 + (side / min(width, height) if ratio == 2 else 0)


def test_fitting_averages_instead_of_skipping():
    stripes = np.zeros((320, 320, 3), np.uint8)
    stripes[:, ::2] = 255
    inside = np.asarray(fit(Image.fromarray(stripes)))[4:-4, 4:-4].astype(int)
    assert np.abs(inside - 127).max() <= 3


def test_pixels_are_those_of_the_picture():
    found = pixels(photo(8, 4))
    assert found.shape == (1, 3, 4, 8) and found.dtype == torch.uint8
    np.testing.assert_array_equal(found[0].permute(1, 2, 0).numpy(), np.asarray(photo(8, 4)))


def url_bytes(url):
    head, body = url.split(",", 1)
    return head, base64.b64decode(body)


def test_a_data_url_is_encoded_anew_and_keeps_no_secrets():
    secret = PngImagePlugin.PngInfo()
    secret.add_text("Comment", "SECRET-PLACE")
    data = saved(photo(1000, 700), pnginfo=secret, icc_profile=b"SECRET-PLACE" * 4)
    head, body = url_bytes(as_data_url(read_picture(data).image))
    assert head == "data:image/jpeg;base64" and b"SECRET" not in body
    assert Image.open(io.BytesIO(body)).size == (640, 448)
    straight = Image.open(io.BytesIO(saved(photo(100, 70), "jpeg", comment=b"SECRET-PLACE", exif=b"Exif\0\0SECRET")))
    assert b"SECRET" not in url_bytes(as_data_url(straight))[1]


def test_a_small_picture_stays_exact_in_its_data_url():
    head, body = url_bytes(as_data_url(photo(32, 32)))
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(body))), np.asarray(photo(32, 32)))


def seven(paper=255, ink=0, size=(120, 90), at=(50, 20)):
    """A thick 7, 30 x 50 pixels."""
    values = np.full(size[::-1], paper, np.uint8)
    left, top = at
    values[top : top + 8, left : left + 30] = ink
    for row in range(42):
        values[top + 8 + row, left + 22 - row // 3 : left + 30 - row // 3] = ink
    return Image.fromarray(values)


def test_a_digit_is_as_in_mnist():
    found = np.asarray(digits(seven()))
    assert (
        found.shape == (32, 32, 3) and (found[..., 0] == found[..., 1]).all() and (found[..., 0] == found[..., 2]).all()
    )
    grey = found[..., 0].astype(float)
    rows, columns = np.flatnonzero((grey > 25).any(1)), np.flatnonzero((grey > 25).any(0))
    assert rows[-1] - rows[0] + 1 == 20 and 11 <= columns[-1] - columns[0] + 1 <= 13
    assert grey.max() > 240 and np.median(grey) == 0
    assert abs((grey.sum(1) @ np.arange(32)) / grey.sum() - 16) <= 0.5
    assert abs((grey.sum(0) @ np.arange(32)) / grey.sum() - 16) <= 0.5


def test_dark_on_light_is_the_same_as_light_on_dark():
    expected = np.asarray(digits(seven()))
    np.testing.assert_array_equal(np.asarray(digits(seven(0, 255))), expected)
    assert np.abs(np.asarray(digits(seven(200, 90)), int) - expected).max() <= 1
    assert np.abs(np.asarray(digits(seven(100, 20)), int) - expected).max() <= 1


def test_place_and_size_of_a_digit_do_not_matter():
    expected = np.asarray(digits(seven()))
    np.testing.assert_array_equal(np.asarray(digits(seven(size=(300, 200), at=(220, 3)))), expected)
    twice = seven().resize((240, 180), Image.Resampling.NEAREST)
    assert np.abs(np.asarray(digits(twice), int) - expected).mean() < 3


def test_a_digit_that_is_as_in_mnist_already_stays():
    small = np.asarray(digits(seven()))[2:30, 2:30]
    again = np.asarray(digits(Image.fromarray(small)))[2:30, 2:30]
    assert np.abs(again.astype(int) - small).max() <= 256 - int(small.max())  # the strongest ink becomes 255


@pytest.mark.parametrize(
    "image", [Image.new("RGB", (50, 50), "white"), Image.new("L", (1, 1)), Image.new("L", (9, 3), 128)]
)
def test_without_ink_the_digit_is_black(image):
    assert not np.asarray(digits(image)).any()


def test_a_dot_and_a_line_are_digits_too():
    for width, height in ((1, 60), (60, 1), (1, 1)):
        image = Image.new("L", (80, 80), 255)
        image.paste(0, (10, 10, 10 + width, 10 + height))
        found = np.asarray(digits(image))
        assert found.shape == (32, 32, 3) and found.max() > 100
