"""The arithmetic and the table under every figure."""

import json

import pytest

from benchmarks import report
from benchmarks.report import Figure, Result, percentile, quartiles, side_by_side, table


@pytest.mark.parametrize("share, expected", [(0.5, 50), (0.95, 95), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_one_of_the_values(share, expected):
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_a_percentile_of_few_values_is_not_below_them():
    assert percentile([3.0], 0.95) == 3.0
    assert percentile([1.0, 2.0, 9.0], 0.95) == 9.0
    assert percentile([1.0, 2.0, 9.0], 0.5) == 2.0


def test_quartiles_of_one_value_are_that_value():
    assert quartiles([2.0]) == (2.0, 2.0, 2.0)
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 3.0, 4.0)


def test_a_target_is_a_bound_that_may_be_reached():
    assert Figure("a", "", 1.1, 1.1).met is True
    assert Figure("a", "", 1.11, 1.1).met is False
    assert Figure("a", "", 20, 20, at_least=True).met is True
    assert Figure("a", "", 19.9, 20, at_least=True).met is False
    assert Figure("a", "", 5.0).met is None
    assert Figure("what could not be measured", "", None, 1.1).met is False


def test_calls_take_turns_and_none_is_always_first():
    order = []
    times = side_by_side([lambda: order.append("a"), lambda: order.append("b")], seconds=0, at_least=4)
    assert "".join(order) == "ab" + "abbaabba"  # the first round is not counted
    assert [len(found) for found in times] == [4, 4]


def test_rounds_end():
    assert len(side_by_side([lambda: None], seconds=60, at_most=9)[0]) == 9


def test_the_table_and_the_file_say_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    result = Result([Figure("speed", "2.00x", 2.0, 1.5), Figure("size", "3 MB")], [{"seconds": [1.0, 2.0]}])
    lines = table(result.figures).splitlines()
    assert lines[2:] == ["| speed | 2.00x | at most 1.5x | **no** |", "| size | 3 MB |  |  |"]
    kept = json.loads(report.write("speed", result).read_text())
    assert [figure["met"] for figure in kept["figures"]] == [False, None]
    assert kept["raw"] == result.raw
    assert {"cores", "python", "torch", "streamlit"} <= set(kept["machine"])
