"""Charts of what if: the numbers in them are the analysis', their words say what is drawn, colours can be read."""

import numpy as np
import pytest

from attnviz.analysis.sweeps import Ablation, Removal, Sweep
from attnviz.views import charts

PAPERS = {"light": "#fbfbfd", "dark": "#0f131a"}


def swept(probabilities, values=None, scale="linear", now=None, title="Temperature", trained=None):
    probabilities = np.asarray(probabilities, dtype=np.float64)
    n, n_classes = probabilities.shape
    values = tuple(values or np.linspace(0, 1, n).tolist())
    labels = tuple(f"class {c}" for c in range(n_classes))
    return Sweep(title, values, values[0] if now is None else now, scale, labels, probabilities, trained or (True,) * n)


def removal(label, after, best="a", before=0.8, index=0):
    return Removal(label, index, before, after, abs(after - before), best, best != "a")


def ablation(*removals, kind="head", left_out=0):
    return Ablation(kind, "a", removals, left_out)


def rows(chart, field):
    """All data rows of a chart that have this field."""
    tables = chart.to_dict()["datasets"].values()
    return [row for table in tables for row in table if field in row]


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("colour", charts.COLOURS)
def test_every_colour_stands_out_from_either_paper(colour, paper):
    light, dark = sorted((luminance(colour), luminance(PAPERS[paper])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_a_sweep_draws_every_probability():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), size=5)
    found = swept(probabilities)
    drawn = {(row["value"], row["class"]): row["probability"] for row in rows(charts.sweep_chart(found), "probability")}
    assert drawn == {
        (value, label): probabilities[i, c]
        for i, value in enumerate(found.values)
        for c, label in enumerate(found.labels)
    }


@pytest.mark.parametrize("scale", ["log", "linear", "steps", "names"])
def test_every_scale_is_valid_and_has_clear_paper(scale):
    values = {"steps": (1, 2, 4), "names": ("dot", "scaled_dot", "cosine")}.get(scale, (0.1, 1.0, 4.0))
    spec = charts.sweep_chart(swept([[0.2, 0.8]] * 3, values, scale, now=values[1])).to_dict()
    assert spec["background"] == "transparent"
    lines = [layer for layer in spec["layer"] if layer["mark"]["type"] == "line"]
    assert len(lines) == (scale != "names")
    if scale == "names":
        assert {row["value"] for row in rows(charts.sweep_chart(swept([[1.0]] * 3, values, scale)), "class")} == {
            "dot",
            "scaled dot",
            "cosine",
        }


def test_yes_and_no():
    chart = charts.sweep_chart(swept([[0.2, 0.8], [0.5, 0.5]], (True, False), "names", now=True))
    assert {row["value"] for row in rows(chart, "probability")} == {"yes", "no"}


def test_it_is_marked_where_the_control_stands():
    chart = charts.sweep_chart(swept([[0.2, 0.8]] * 3, (0.1, 1.0, 4.0), "log", now=1.0))
    assert [row for row in rows(chart, "value") if len(row) == 1] == [{"value": 1.0}]


def test_of_many_classes_the_ten_that_matter_are_drawn():
    probabilities = np.full((2, 14), 0.01)
    probabilities[1, [3, 12]] = 0.9
    chart = charts.sweep_chart(swept(probabilities))
    shown = {row["class"] for row in rows(chart, "probability")}
    assert len(shown) == charts.MOST_LINES == 10
    assert {"class 3", "class 12"} <= shown


def test_names_at_the_ends_do_not_cover_one_another():
    found = swept([[0.1] * 10, [0.0, 0.0, 0.01, 0.5, 0.51, 0.99, 0.99, 1.0, 1.0, 1.0]])
    places = sorted(row["place"] for row in rows(charts.sweep_chart(found), "place"))
    assert np.diff(places).min() >= charts.BETWEEN_LABELS - 1e-12
    assert places == pytest.approx([0, 0.07, 0.14, 0.5, 0.57, 0.72, 0.79, 0.86, 0.93, 1])


def test_names_stay_where_there_is_room():
    places = {row["class"]: row["place"] for row in rows(charts.sweep_chart(swept([[0.5, 0.5], [0.2, 0.8]])), "place")}
    assert places == {"class 0": 0.2, "class 1": 0.8}


def test_untrained_values_say_so():
    chart = charts.sweep_chart(swept([[1.0]] * 2, (1, 2), "steps", trained=(True, False)))
    assert {row["value"]: row["weights"] for row in rows(chart, "probability")} == {1: "trained", 2: "random"}


def test_the_sweep_in_words():
    found = swept([[0.9, 0.1], [0.6, 0.4], [0.25, 0.75]], (0.1, 1.0, 4.0), "log", now=1.0)
    assert charts.sweep_words(found) == (
        "Now, at 1, the probability of class 0 is 0.600; it is lowest at 4 with 0.250 and highest at 0.1 with 0.900. "
        "Elsewhere the prediction is class 1 (first at 4)."
    )


def test_a_sweep_that_changes_nothing_in_words():
    found = swept([[0.9, 0.1], [0.9005, 0.0995]], ("dot", "scaled_dot"), "names", now="scaled_dot")
    assert charts.sweep_words(found) == (
        "Now, at scaled dot, the probability of class 0 is 0.900; it changes by less than 0.001 over the whole range. "
        "The prediction is the same everywhere."
    )


def test_bars_are_the_changes_in_their_order():
    found = ablation(removal("head 2", 0.1, "b"), removal("head 1", 0.9), removal("head 3", 0.79999))
    bars = rows(charts.ablation_chart(found), "change")
    assert [bar["part"] for bar in bars] == ["1. head 2", "2. head 1", "3. head 3"]
    assert [bar["change"] for bar in bars] == pytest.approx([-0.7, 0.1, -0.00001])
    assert [bar["says"] for bar in bars] == ["→ b", "+0.1000", "0"]


def test_a_long_ranking_shows_its_first_bars_and_a_table_with_all():
    found = ablation(*[removal(f"head {i}", 0.8 - 0.02 * (40 - i)) for i in range(1, 40)])
    assert len(rows(charts.ablation_chart(found), "change")) == charts.MOST_BARS
    table = charts.ablation_table(found)
    assert len(table) == 39
    assert table.iloc[0].to_dict() == pytest.approx(
        {"probability": 0.02, "change": -0.78, "all classes moved by": 0.78, "prediction": "a"}
    )


def test_a_ranking_in_words():
    found = ablation(removal("head 2", 0.1, "b"), removal("head 1", 0.9))
    assert charts.ablation_words(found) == (
        "Without head 2 the probability of a goes from 0.800 to 0.100, the largest change. "
        "Another prediction follows without head 2 (b)."
    )


def test_a_ranking_of_a_part_of_the_items_says_so():
    found = ablation(removal("row 1, column 2", 0.8), kind="patch", left_out=3)
    assert charts.ablation_words(found) == (
        "No single patch moves the probability of a by 0.001 or more. "
        "The prediction stays the same without any one patch. "
        "Tried: the 1 patch with the largest weights; 3 with less are left out."
    )


def test_nothing_left_to_take_away_is_a_sentence():
    assert "nothing left to take away" in charts.ablation_words(ablation())
