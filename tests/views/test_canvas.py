"""What a browser sends: taken as it is, but for what no link could hold."""

import pytest

from attnviz.views import canvas


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ({"what": "swap", "word": "a\ud83d", "i": 3}, {"what": "swap", "word": "a\ufffd", "i": 3}),
        ({"value": "狗 🙂", "sent": 1}, {"value": "狗 🙂", "sent": 1}),
        (["no", "event"], {}),
        (None, {}),
    ],
)
def test_an_event_has_no_half_characters(monkeypatch, sent, taken):
    monkeypatch.setattr(canvas.st, "session_state", {"picture": {"event": sent}})
    assert canvas.event("picture") == taken
    assert canvas.event("another") == {}
