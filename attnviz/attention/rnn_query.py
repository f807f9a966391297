"""The hidden state of a recurrent decoder as the query (Bahdanau et al. 2015; Luong et al. 2015)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.pooling import mean_item
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.errors import OptionError
from attnviz.recording import note

FORMS = ("bahdanau", "luong", "none")
ALWAYS = {
    "values": r"v_s = \text{encoder state of item } s",
    "first state": r"h_0 = \tanh\!\left(W_0\,\tfrac{1}{n}\sum_s v_s + b_0\right)",
    "input": r"y_t = \text{vector of the word produced before}",
}
ENDING = {
    "attended state": r"\tilde h_t = \tanh(W_c\,[c_t; h_t] + b_c)",
    "output": r"\tilde h_1, \dots, \tilde h_T",
}
ATTENDED = {"weights": r"a_{ts} = \mathrm{softmax}_s(e_{ts})", "context": r"c_t = \sum_s a_{ts} v_s"}
FORMULAS = {
    "bahdanau": ALWAYS
    | {
        "keys": r"k_s = W_k v_s",
        "query": r"q_t = h_{t-1}",
        "scores": r"e_{ts} = w^\top \tanh(W_q q_t + b + k_s)",
    }
    | ATTENDED
    | {"state": r"h_t = \mathrm{GRU}([y_t; c_t],\, h_{t-1})"}
    | ENDING,
    "luong": ALWAYS
    | {
        "keys": r"k_s = W_k v_s",
        "state": r"h_t = \mathrm{GRU}([y_t; \tilde h_{t-1}],\, h_{t-1})",
        "query": r"q_t = h_t",
        "scores": r"e_{ts} = q_t^\top k_s",
    }
    | ATTENDED
    | ENDING,
    "none": ALWAYS
    | {
        "context": r"c_t = \tfrac{1}{n}\sum_s v_s",
        "state": r"h_t = \mathrm{GRU}([y_t; c_t],\, h_{t-1})",
    }
    | ENDING,
}


@dataclass(frozen=True)
class Options:
    """Options of the decoder."""

    form: str = option(
        "bahdanau",
        choices=FORMS,
        label="form",
        help="bahdanau asks with the state before the word, luong with the state after reading it; none does not ask",
    )


def cost(n: int, d: int, options: Options) -> Cost:
    """Keys once; for each of n words the recurrent cell, scores, sum and the attended state."""
    cell = 3 * d * (2 * d + d) + 2 * d * d
    asking = {"bahdanau": d * d + 2 * n * d, "luong": 2 * n * d, "none": 0}[options.form]
    keys = 0 if options.form == "none" else n * d * d
    return Cost(keys + n * (cell + asking), 3 * n * d + n * n)


class Source(NamedTuple):
    """What is attended over, the same for all words."""

    values: Float[Tensor, "batch key d"]
    keys: Float[Tensor, "batch key d"] | None
    mean: Float[Tensor, "batch d"]
    mask: Bool[Tensor, "batch key"] | None


class State(NamedTuple):
    """What a word hands on to the next: the recurrent state, and what came of it with the context."""

    hidden: Float[Tensor, "batch d"]
    attended: Float[Tensor, "batch d"]


@mechanism(
    name="rnn_query",
    title="RNN hidden state",
    short="RNN state",
    family="basic query",
    paper="Survey, section 3.3.1 (Bahdanau et al. 2015; Luong et al. 2015)",
    formula=r"a_{ts} = \mathrm{softmax}_s\!\left(w^\top \tanh(W_q h_{t-1} + b + W_k v_s)\right), \quad "
    r"h_t = \mathrm{GRU}\!\left([y_t; \textstyle\sum_s a_{ts} v_s],\, h_{t-1}\right)",
    query="The state of the decoder, which knows what has been said so far: another query for every word.",
    look_for="Does the weight move through the sentence in its order, and where does it jump?",
    yields="states",
    steps=FORMULAS["bahdanau"],
    cost=cost,
    options=Options,
    asks=("inputs",),
    sizes=("d_input",),
    symbols={
        "s": "counts the items",
        "t": "counts the words that are produced",
        "T": "the number of words produced",
        "h": "the state of the decoder",
        "y": "the vector of a word",
        "b": "a trained shift",
        "n": "the number of items",
    },
    disputes=(
        Dispute(
            "Two papers",
            "Bahdanau asks by the decoder's previous state, Luong by its current one.",
            "Both. Mixing them up shifts every alignment by one word.",
            "form",
        ),
    ),
)
class RNNQuery(nn.Module):
    """A decoder that asks the items anew for every word, or, with the form "none", does not ask.

    bahdanau: the query is the state *before* the word, h_{t-1}; the scores are additive; the context enters the cell.
    luong: the query is the state *after* it, h_t; the scores are bilinear ("general"); the attended state of the word
    before enters the cell (input feeding). none: the context is the mean of the items, whatever was said. All three
    end in Luong's attended state tanh(W_c [c; h]), so that they differ in the query alone. `d_input` is the size of
    the word vectors, d_model unless given. OptionError for an unknown form.
    """

    def __init__(self, d_model: int, form: str = "bahdanau", d_input: int | None = None):
        super().__init__()
        if form not in FORMS:
            raise OptionError(f"There is no form {form!r}; choose one of {', '.join(FORMS)}.")
        self.form, self.formulas = form, FORMULAS[form]
        self.first = nn.Linear(d_model, d_model)  # W_0
        self.cell = nn.GRUCell((d_input or d_model) + d_model, d_model)
        self.keys = nn.Linear(d_model, d_model, bias=False) if form != "none" else None  # W_k
        self.query = nn.Linear(d_model, d_model) if form == "bahdanau" else None  # W_q and b
        self.weigh = nn.Linear(d_model, 1, bias=False) if form == "bahdanau" else None  # w
        self.combine = nn.Linear(2 * d_model, d_model)  # W_c
        self.align = Alignment()

    def forward(
        self,
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None = None,
        *,
        inputs: Float[Tensor, "batch word d_input"],
    ) -> Float[Tensor, "batch word d"]:
        """The attended state of each word, given the vector of the word before it (teacher forcing)."""
        source, state = self.start(items, mask)
        found = []
        for y in inputs.unbind(1):
            state = self.step(y, state, source)
            found.append(state.attended)
        return note("output", torch.stack(found, 1), "word feature")

    def start(
        self, items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None
    ) -> tuple[Source, State]:
        """What all words attend over, and the state before the first of them."""
        values = note("values", items, "key feature")
        keys = None if self.keys is None else note("keys", self.keys(values), "key feature")
        mean = mean_item(values, mask)
        hidden = note("first state", torch.tanh(self.first(mean)), "feature")
        return Source(values, keys, mean, mask), State(hidden, torch.zeros_like(hidden))

    def step(self, y: Float[Tensor, "batch d_input"], state: State, source: Source) -> State:
        """One word: y is the vector of the word before it."""
        y = note("input", y, "word* feature")
        if self.form == "luong":
            h = self._next(y, state.attended, state.hidden)
            c = self._context(h, source)
        else:
            c = self._context(state.hidden, source)
            h = self._next(y, c, state.hidden)
        return State(h, note("attended state", torch.tanh(self.combine(torch.cat([c, h], -1))), "word* feature"))

    def _next(self, y: Tensor, beside: Tensor, h: Tensor) -> Float[Tensor, "batch d"]:
        return note("state", self.cell(torch.cat([y, beside], -1), h), "word* feature")

    def _context(self, h: Tensor, source: Source) -> Float[Tensor, "batch d"]:
        if source.keys is None:
            return note("context", source.mean, "word* feature")
        q = note("query", h, "word* feature")
        a = self.align(self._scores(q, source.keys), "word* key", mask=source.mask)
        return note("context", (a[:, None] @ source.values)[:, 0], "word* feature")

    def _scores(self, q: Tensor, keys: Tensor) -> Float[Tensor, "batch key"]:
        if self.weigh is None:
            return (keys @ q[..., None])[..., 0]
        return self.weigh(torch.tanh(self.query(q)[:, None] + keys))[..., 0]
