import random
import re

import pytest
import torch

from attnviz.features.scene import GRID
from attnviz.training import scene_names, scene_pictures, scene_sentences
from attnviz.training.scenes import COLOURS, GAP, PAPER, Thing, is_tower, painted, scattered, towers

BOX = [Thing("square", "black", 70, 70, 30), Thing("circle", "blue", 10, 20, 20), Thing("triangle", "blue", 50, 10, 10)]
SCENE = [BOX, [Thing("circle", "yellow", 0, 40, 20)], [Thing("square", "blue", 30, 30, 30)]]


def test_each_thing_is_painted_at_its_place():
    image = painted(SCENE, scale=2)
    assert image.size == (800, 200)
    for number, box in enumerate(SCENE):
        for thing in box:
            x = 2 * (150 * number + thing.x) + thing.size
            y = 2 * thing.y + (thing.size * 5) // 4
            assert image.getpixel((x, y)) == COLOURS[thing.colour]
    assert image.getpixel((2, 2)) == PAPER and image.getpixel((240, 100)) == GAP
    assert image.getpixel((2 * 50 + 1, 2 * 10 + 1)) == PAPER  # beside the tip of the triangle


def test_things_lie_inside_their_boxes_and_apart():
    draw = random.Random(1)
    for box in (box for _ in range(60) for box in scattered(draw)):
        assert 1 <= len(box) <= 7 and not is_tower(box)
        for i, a in enumerate(box):
            assert min(a.x, a.y) >= 0 and max(a.x, a.y) + a.size <= 100
            for b in box[:i]:
                assert a.x + a.size < b.x or b.x + b.size < a.x or a.y + a.size < b.y or b.y + b.size < a.y


def test_towers_stand_on_the_ground():
    for box in (box for _ in range(30) for box in towers(random.Random(2))):
        assert is_tower(box) and box[0].walls() == {"bottom"} and not any(t.walls() for t in box[1:])


def test_walls():
    assert Thing("square", "black", 70, 70, 30).walls() == {"right", "bottom"}
    assert Thing("circle", "blue", 1, 50, 10).walls() == {"left"}
    assert Thing("circle", "blue", 2, 2, 10).walls() == frozenset()


NUMBERS = {"no": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
COLOUR = "(black|yellow|blue)"
COUNT = r"(?:exactly |only |at least )?\w+"


def counted(words, found):
    """Whether a count is as the words say; figures are meant exactly, number words at least."""
    how, number = re.fullmatch(r"(?:(exactly|only|at least) )?(\w+)", words).groups()
    n = int(number) if number.isdigit() else NUMBERS[number]
    exact = how in ("exactly", "only") or (how is None and (number.isdigit() or n == 0))
    return found == n if exact else found >= n


def check_things(scene, said):
    if not (
        m := re.fullmatch(rf"there (?:is|are) ({COUNT}) {COLOUR} (square|circle|triangle)s?( touching the \w+)?", said)
    ):
        return None
    things = [t for box in scene for t in box if (t.colour, t.shape) == (m[2], m[3])]
    if m[4] in (" touching the edge", " touching the wall"):
        things = [t for t in things if min(t.x, t.y) <= 1 or max(t.x, t.y) + t.size >= 99]
    elif m[4] == " touching the base":
        things = [t for t in things if t.y + t.size >= 99]
    return counted(m[1], len(things))


def check_ends(scene, said):
    if not (m := re.fullmatch(rf"there (?:is|are) (.+?) towers? with a {COLOUR} block (at the|on) (\w+)", said)):
        return None
    ends = [sorted(box, key=lambda t: t.y)[0 if m[4] == "top" else -1] for box in scene]
    words = "at least one" if m[1] == "a" else m[1]
    return counted(words, sum(t.colour == m[2] for t in ends))


def check_over(scene, said):
    if not (m := re.fullmatch(rf"there is (a|no) {COLOUR} block (over|above|on|below) a {COLOUR} block", said)):
        return None
    upper, lower = (m[4], m[2]) if m[3] == "below" else (m[2], m[4])
    found = any((a.colour, b.colour) == (upper, lower) and b.y - a.y == 21 for box in scene for a in box for b in box)
    return found == (m[1] == "a")


def check_totals(scene, said):
    if not (
        m := re.fullmatch(
            r"there (?:is|are) (.+?) (?:box|boxes) with (?:exactly |only )?(\d) (?:items?|objects?)", said
        )
    ):
        return None
    words = "at least one" if m[1] == "a" else m[1]
    return counted(words, sum(len(box) == int(m[2]) for box in scene))


@pytest.mark.parametrize("check", [check_things, check_ends, check_over, check_totals])
def test_what_is_said_is_as_true_as_another_reader_finds(check):
    draw = random.Random(5)
    found = []
    for _ in range(4000):
        shown = towers(draw) if draw.random() < 0.5 else scattered(draw)
        said, truth = scene_sentences.sentence(shown, draw)
        if (expected := check(shown, said)) is not None:
            assert truth == expected, said
            found.append(truth)
    assert len(found) > 40 and len(set(found)) == 2


def test_about_half_of_the_sentences_are_true_whatever_the_scene():
    draw = random.Random(6)
    for make in (towers, scattered):
        truths = [scene_sentences.sentence(make(draw), draw)[1] for _ in range(600)]
        assert 0.45 < sum(truths) / 600 < 0.65


def check_one(scene, said):
    if not (m := re.fullmatch(rf"there is a {COLOUR} (square|circle|triangle)( touching the (?:edge|wall))?", said)):
        return None
    things = [t for box in scene for t in box if (t.colour, t.shape) == (m[1], m[2])]
    return any(not m[3] or min(t.x, t.y) <= 1 or max(t.x, t.y) + t.size >= 99 for t in things)


def test_plain_sentences_hang_on_what_they_name():
    draw = random.Random(7)
    found = []
    for _ in range(2000):
        shown = scattered(draw)
        said, truth = scene_sentences.sentence(shown, draw, plain=True)
        found.append(truth)
        named = [[t for t in box if scene_names.is_named(t, scene_names.names(said))] for box in shown]
        if (expected := check_one(shown, said)) is not None:
            assert truth == expected == check_one(named, said), said
    assert 0.45 < sum(found) / len(found) < 0.55


def test_words_tell_colour_and_shape_of_what_they_name():
    words = "two black items and a Yellow circle over blocks".split()
    (black, yellow), (square, circle), nothing = (0, 1), (1, 2), -1
    told = [(nothing, nothing)] * len(words)
    told[1], told[5], told[6], told[8] = (black, nothing), (yellow, circle), (yellow, circle), (nothing, square)
    assert scene_names.told(words) == told


def test_coverage_adds_up_to_the_thing():
    for number, box in enumerate(SCENE):
        for thing in box:
            share = scene_pictures.coverage(thing, number)
            assert share.max() <= 1
            assert share.sum() * scene_pictures.PLACE**2 == pytest.approx(thing.size**2)
            row, column = divmod(int(share.argmax()), GRID[1])
            assert thing.y - 12.5 < row * 12.5 < thing.y + thing.size
            assert thing.x - 12.5 < column * 12.5 - 150 * number < thing.x + thing.size


def test_a_place_tells_of_its_thing_and_box():
    answers = scene_pictures.facts(SCENE).view(*GRID, -1)
    blank = answers[0, 0]
    assert not blank.any()
    *thing, walls, below, above, total, black, yellow, blue, triangles, squares, circles = answers[7, 7].tolist()
    assert thing == [1 + 0, 1 + 1, 1 + 2]  # black, square, large
    assert walls == 1 + 4 + 8  # right and bottom
    assert (below, above) == (1, 1)  # nothing
    assert (total, black, yellow, blue) == (1 + 3, 1 + 1, 1 + 0, 1 + 2)
    assert (triangles, squares, circles) == (1 + 1, 1 + 1, 1 + 1)


def test_a_block_knows_what_it_stands_on():
    tower = [Thing("square", colour, 40, y, 20) for colour, y in (("yellow", 80), ("black", 59), ("blue", 38))]
    answers = scene_pictures.facts([tower, [], []]).view(*GRID, -1)
    base, middle, top = (answers[row, 4].tolist() for row in (7, 5, 4))
    assert [base[4:6], middle[4:6], top[4:6]] == [[1, 2 + 0], [2 + 1, 2 + 2], [2 + 0, 1]]


def test_what_places_of_one_kind_share():
    answers = scene_pictures.facts(SCENE)
    items = torch.nn.functional.one_hot(answers[None, :, 0] * 4 + answers[None, :, 1], 16).float()
    colours, shapes = scene_pictures.kinds([SCENE], items)
    assert colours.shape == shapes.shape == (3, 16)
    assert colours.sum(0).abs().max() < 1e-5 and shapes.sum(0).abs().max() < 1e-5
    assert [int(v.argmax()) // 4 for v in colours] == [1, 2, 3] and [int(v.argmax()) % 4 for v in shapes] == [1, 2, 3]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("There is a Blue square.", {("blue", "square")}),
        ("black items and two circles", {("black", ""), ("", "circle")}),
        ("a yellow block over a black block", {("yellow", ""), ("black", "")}),
        ("There are four blocks.", set()),
    ],
)
def test_names_in_a_sentence(said, expected):
    assert scene_names.names(said) == expected


def test_even_weights_have_the_share_of_the_places():
    found = scene_names.shares(torch.full((256,), 1 / 256), "a blue square or a triangle", SCENE)
    assert found["weight on named shapes"] == pytest.approx(found["their share of the places"])
    assert found["weight on named among shapes"] == pytest.approx(found["their share among shapes"])


def test_all_weight_on_a_named_shape():
    weights = scene_names.covered([(2, SCENE[2][0])]).float()
    found = scene_names.shares(weights / weights.sum(), "a blue square", SCENE)
    assert found["weight on named shapes"] == pytest.approx(1) and found["their share of the places"] < 0.1
    assert scene_names.shares(weights, "a tower", SCENE) == {}
    assert scene_names.shares(weights, "black or yellow or blue", SCENE) == {}
    assert scene_names.shares(weights, "a yellow square", SCENE) == {}
