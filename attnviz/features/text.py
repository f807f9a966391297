"""Text feature model: a sentence as feature vectors, one a word."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnviz.features.words import Words

VOCABULARY = 30522


class _ContextBlock(nn.Module):
    """What stands up to two words away, added to a word's own vector."""

    def __init__(self, d_model: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.neighbours = nn.Conv1d(d_model, 2 * d_model, kernel_size=5, padding=2)
        self.mix = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * d_model, d_model))

    def forward(self, x: Float[Tensor, "batch word d"], real: Float[Tensor, "batch word 1"]) -> Tensor:
        around = self.neighbours((self.norm(x) * real).transpose(1, 2)).transpose(1, 2)
        return x + self.mix(around)


class TextFeatures(nn.Module):
    """Word vectors (mean of a word's pieces) and three convolutional context layers: a vector knows six words each way.

    Convolutions, not a recurrent net: a feature vector then says what stands near its word, and the weight that a word
    gets can be read as weight on that place. The embedding table is shared by all tasks and kept apart from the state.
    """

    def __init__(self, d_model: int = 128, layers: int = 3, dropout: float = 0.0):
        super().__init__()
        self.d_model = d_model
        self.register_buffer("embedding", torch.zeros(VOCABULARY, d_model), persistent=False)
        self.first = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(_ContextBlock(d_model, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(d_model)

    def forward(
        self, pieces: Int[Tensor, "batch word piece"], mask: Bool[Tensor, "batch word"]
    ) -> Float[Tensor, "batch word d"]:
        """Feature vectors; `pieces` are numbers of the vocabulary, 0 where a word has no further piece."""
        given = (pieces > 0).unsqueeze(-1).to(self.norm.weight.dtype)
        vectors = (self.embedding[pieces] * given).sum(2) / given.sum(2).clamp_min(1)
        real = mask.unsqueeze(-1).to(vectors.dtype)
        x = self.dropout(self.first(vectors))
        for layer in self.layers:
            x = layer(x, real)
        return self.norm(x)


def collate(sentences: Sequence[Words]) -> tuple[Int[Tensor, "batch word piece"], Bool[Tensor, "batch word"]]:
    """Sentences of different lengths as one padded batch, and the mask that is True on real words."""
    longest = max(len(s.pieces) for s in sentences)
    most = max(len(p) for s in sentences for p in s.pieces)
    nothing = (0,) * most
    rows = [
        [piece + nothing[len(piece) :] for piece in s.pieces] + [nothing] * (longest - len(s.pieces)) for s in sentences
    ]
    pieces = torch.tensor(rows, dtype=torch.long)
    mask = torch.arange(longest) < torch.tensor([len(s.pieces) for s in sentences])[:, None]
    return pieces, mask
