"""What all tests share: a fixed seed, double precision on request, and short runs of hypothesis."""

import pytest
import torch
from hypothesis import HealthCheck, settings

settings.register_profile(
    "attnviz",
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("attnviz")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def double():
    """New tensors and modules are float64 while the test runs."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
