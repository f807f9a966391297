"""Score functions: how well a key answers a query (survey section 3.1.1 and table 2; mechanisms by name in `SCORES`).

All are modules with `forward(query (batch, *maps, query, d_query), key (batch, *maps, key, d_key))` that return scores
`(batch, *maps, query, key)`; leading axes broadcast. `formula` is what they compute, for one query and one key.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from attnviz.errors import ShapeError, UnknownNameError

Query = Float[Tensor, "*#maps query d_query"]
Key = Float[Tensor, "*#maps key d_key"]
Scores = Float[Tensor, "*#maps query key"]

LONGEST = 256  # positions for which location scores have a row


class Dot(nn.Module):
    """e = q' k (Luong et al. 2015). ShapeError unless queries and keys have the same dimension."""

    formula = r"e_l = q^\top k_l"

    def __init__(self, d_query: int, d_key: int):
        super().__init__()
        _need_equal("dot", d_query, d_key)

    def forward(self, query: Query, key: Key) -> Scores:
        """The inner product of each query with each key."""
        return query @ key.transpose(-1, -2)


class ScaledDot(nn.Module):
    """e = q' k / sqrt(d) (Vaswani et al. 2017). ShapeError unless queries and keys have the same dimension."""

    formula = r"e_l = q^\top k_l / \sqrt{d_k}"

    def __init__(self, d_query: int, d_key: int):
        super().__init__()
        _need_equal("scaled dot", d_query, d_key)

    def forward(self, query: Query, key: Key) -> Scores:
        """The inner product, divided so that its spread does not grow with the dimension."""
        return query @ key.transpose(-1, -2) * key.shape[-1] ** -0.5


class General(nn.Module):
    """e = k' W q (Luong et al. 2015): a bilinear form, so queries and keys may differ in dimension."""

    formula = r"e_l = k_l^\top W q"

    def __init__(self, d_query: int, d_key: int):
        super().__init__()
        self.transform = nn.Linear(d_query, d_key, bias=False)

    def forward(self, query: Query, key: Key) -> Scores:
        """The inner product of each key with the transformed query."""
        return self.transform(query) @ key.transpose(-1, -2)


class BiasedGeneral(nn.Module):
    """e = k' (W q + b) (Sordoni et al. 2016); b `(d_key)` favours keys whatever is asked."""

    formula = r"e_l = k_l^\top (W q + b)"

    def __init__(self, d_query: int, d_key: int):
        super().__init__()
        self.transform = nn.Linear(d_query, d_key)

    def forward(self, query: Query, key: Key) -> Scores:
        """The inner product of each key with the transformed query plus the bias."""
        return self.transform(query) @ key.transpose(-1, -2)


class ActivatedGeneral(nn.Module):
    """e = tanh(k' W q + b) with a single number b (Ma et al. 2017): no score leaves (-1, 1)."""

    formula = r"e_l = \tanh(k_l^\top W q + b)"

    def __init__(self, d_query: int, d_key: int):
        super().__init__()
        self.transform = nn.Linear(d_query, d_key, bias=False)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, query: Query, key: Key) -> Scores:
        """The squashed bilinear form."""
        return torch.tanh(self.transform(query) @ key.transpose(-1, -2) + self.bias)


class Additive(nn.Module):
    """e = w' tanh(W_1 q + W_2 k + b) (Bahdanau et al. 2015), through `d_hidden` units (d_key if not given)."""

    formula = r"e_l = w^\top \tanh(W_1 q + W_2 k_l + b)"

    def __init__(self, d_query: int, d_key: int, d_hidden: int | None = None):
        super().__init__()
        self.from_query = nn.Linear(d_query, d_hidden or d_key)  # W_1 and b
        self.from_key = nn.Linear(d_key, d_hidden or d_key, bias=False)  # W_2
        self.weigh = nn.Linear(d_hidden or d_key, 1, bias=False)  # w

    def forward(self, query: Query, key: Key) -> Scores:
        """A network of one hidden layer for each pair of query and key."""
        hidden = torch.tanh(self.from_query(query).unsqueeze(-2) + self.from_key(key).unsqueeze(-3))
        return self.weigh(hidden).squeeze(-1)


class Concat(nn.Module):
    """e = v' tanh(W [q; k]) (Luong et al. 2015): the additive score with W = [W_1 W_2] and b = 0."""

    formula = r"e_l = v^\top \tanh(W\,[q; k_l])"

    def __init__(self, d_query: int, d_key: int, d_hidden: int | None = None):
        super().__init__()
        self.d_query = d_query
        self.transform = nn.Linear(d_query + d_key, d_hidden or d_key, bias=False)  # W
        self.weigh = nn.Linear(d_hidden or d_key, 1, bias=False)  # v

    def forward(self, query: Query, key: Key) -> Scores:
        """A network of one hidden layer for each pair, without building all the pairs [q; k]."""
        from_query, from_key = self.transform.weight.split([self.d_query, key.shape[-1]], dim=1)
        hidden = torch.tanh((query @ from_query.T).unsqueeze(-2) + (key @ from_key.T).unsqueeze(-3))
        return self.weigh(hidden).squeeze(-1)


class Cosine(nn.Module):
    """e = q' k / (|q| |k|) (Graves et al. 2014): only directions count. A zero vector scores 0."""

    formula = r"e_l = \frac{q^\top k_l}{\lVert q \rVert\,\lVert k_l \rVert}"

    def __init__(self, d_query: int, d_key: int):
        super().__init__()
        _need_equal("cosine", d_query, d_key)

    def forward(self, query: Query, key: Key) -> Scores:
        """The cosine of the angle between each query and each key."""
        return functional.normalize(query, dim=-1) @ functional.normalize(key, dim=-1).transpose(-1, -2)


class Euclidean(nn.Module):
    """e = -|q - k|: the nearest key scores highest. ShapeError unless queries and keys have the same dimension."""

    formula = r"e_l = -\lVert q - k_l \rVert"

    def __init__(self, d_query: int, d_key: int):
        super().__init__()
        _need_equal("euclidean", d_query, d_key)

    def forward(self, query: Query, key: Key) -> Scores:
        """The negative distance of each query from each key."""
        return -torch.linalg.vector_norm(query.unsqueeze(-2) - key.unsqueeze(-3), dim=-1)


class Location(nn.Module):
    """e = W_a q (Luong et al. 2015): one row of W_a for each of `length` positions; the keys' contents are ignored."""

    formula = r"e = W_a\,q \text{ (first } n \text{ rows)}"

    def __init__(self, d_query: int, d_key: int, length: int = LONGEST):
        super().__init__()
        self.position = nn.Linear(d_query, length, bias=False)

    def forward(self, query: Query, key: Key) -> Scores:
        """A score for each position. ShapeError for more keys than there are positions."""
        n_keys, length = key.shape[-2], self.position.out_features
        if n_keys > length:
            raise ShapeError(f"{n_keys} keys and {length} positions: location scores need a position for each key.")
        return self.position(query)[..., :n_keys]


SCORES: dict[str, type[nn.Module]] = {
    "dot": Dot,
    "scaled_dot": ScaledDot,
    "general": General,
    "biased_general": BiasedGeneral,
    "activated_general": ActivatedGeneral,
    "additive": Additive,
    "concat": Concat,
    "cosine": Cosine,
    "euclidean": Euclidean,
    "location": Location,
}


def build_score(name: str, d_query: int, d_key: int, **sizes: int) -> nn.Module:
    """A new score function; `sizes` are `d_hidden` for additive and concat, `length` for location.

    Raises UnknownNameError if there is none of that name, ShapeError if the dimensions differ and must not.
    """
    if name not in SCORES:
        raise UnknownNameError("score function", name, SCORES)
    return SCORES[name](d_query, d_key, **sizes)


def _need_equal(name: str, d_query: int, d_key: int) -> None:
    if d_query != d_key:
        raise ShapeError(
            f"query dimension {d_query} and key dimension {d_key} differ: "
            f"{name} scores need them equal; choose general or additive"
        )
