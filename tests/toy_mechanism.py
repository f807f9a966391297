"""A mechanism in one file of its own: what a newcomer would write. Nothing else in the project knows of it."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import Cost, mechanism, option
from attnviz.recording import note


@dataclass(frozen=True)
class Options:
    """Options of the toy."""

    n_voices: int = option(3, choices=(2, 3), label="voices", help="how many voices listen")


def register() -> None:
    """Put the toy on the list."""

    @mechanism(
        name="toy_choir",
        title="Toy choir",
        short="Toy choir",
        family="extension",
        paper="nobody",
        formula=r"c = \sum_v \sum_l a_{v,l} f_l",
        query="Each voice of a choir listens for its own note.",
        look_for="Do the voices listen to the same word?",
        yields="vector",
        steps={
            "queries": "q_v",
            "scores": r"e_{v,l} = q_v^\top f_l",
            "weights": r"a_{v,l} = \mathrm{softmax}_l(e_{v,l})",
            "context": r"c_v = \sum_l a_{v,l} f_l",
            "output": r"c = \sum_v c_v",
        },
        cost=lambda n, d, options: Cost(options.n_voices * n * d * 2, options.n_voices * n),
        options=Options,
    )
    class ToyChoir(nn.Module):
        """A query a voice, the contexts summed."""

        def __init__(self, d_model: int, n_voices: int = 3):
            super().__init__()
            self.queries = nn.Parameter(torch.randn(n_voices, 1, d_model))
            self.align = Alignment()

        def forward(
            self, items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None
        ) -> Float[Tensor, "batch d"]:
            q = note("queries", self.queries, "voice query feature")
            e = q @ items[:, None].transpose(-1, -2)
            a = self.align(e, "voice query key", mask=None if mask is None else mask[:, None, None])
            c = note("context", a @ items[:, None], "voice query feature")
            return note("output", c.sum(1).squeeze(1), "feature")
