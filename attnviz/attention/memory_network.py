"""The end-to-end memory network (Sukhbaatar et al. 2015): a question read again after each look at the memory."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.errors import OptionError, ShapeError
from attnviz.recording import note

TYINGS = ("adjacent", "layerwise")
POSITIONS = ("none", "paper", "code")
STEPS = {
    "items": r"f_i",
    "query": r"q \text{ (learned, unless a question is asked)}",
    "question": r"u^0 = B\,q",
    "memories": r"m_i^k = A^k f_i",
    "values": r"c_i^k = C^k f_i",
    "scores": r"e_i^k = u^{k-1\,\top} m_i^k",
    "weights": r"p_i^k = \mathrm{softmax}_i(e_i^k)",
    "context": r"o^k = \sum_i p_i^k c_i^k",
    "state": r"u^k = u^{k-1} + o^k \quad (\text{layer-wise: } u^k = H u^{k-1} + o^k)",
    "output": r"u^K",
}


@dataclass(frozen=True)
class Options:
    """Options of the memory network."""

    n_hops: int = option(3, choices=(1, 2, 3, 4, 6), label="hops", help="how often the memory is read")
    tying: str = option(
        "adjacent",
        choices=TYINGS,
        label="shared weights",
        help="adjacent: what a hop reads out is what the next one searches; layerwise: every hop has the same weights",
    )


def position_encoding(n_words: int, d: int, form: str = "paper") -> Float[Tensor, "word d"]:
    """l, which weighs feature k of word j so that the sum over a sentence's words keeps their order; j, k from 1.

    "paper" is section 4.1 of the paper: (1 - j/J) - (k/d)(1 - 2j/J). "code" is what the released code computes:
    1 + 4 (k - (d+1)/2)(j - (J+1)/2) / (d J), which is twice the paper's at j - 1/2 and k - 1/2 and averages to one.
    In float64. OptionError for another form.
    """
    j = torch.arange(1, n_words + 1, dtype=torch.float64)[:, None]
    k = torch.arange(1, d + 1, dtype=torch.float64)
    if form == "paper":
        return (1 - j / n_words) - (k / d) * (1 - 2 * j / n_words)
    if form == "code":
        return 1 + 4 * (k - (d + 1) / 2) * (j - (n_words + 1) / 2) / (d * n_words)
    raise OptionError(f"There is no position encoding {form!r}; choose paper or code.")


def check_position(form: str) -> None:
    """OptionError if there is no such position encoding."""
    if form not in POSITIONS:
        raise OptionError(f"There is no position encoding {form!r}; choose one of {', '.join(POSITIONS)}.")


def sentence(embedded: Float[Tensor, "*batch word d"], position: str) -> Float[Tensor, "*batch d"]:
    """The sum of a sentence's embedded words, after the position encoding."""
    if position == "none":
        return embedded.sum(-2)
    return (embedded * position_encoding(*embedded.shape[-2:], position).to(embedded)).sum(-2)


def ages(
    items: Float[Tensor, "batch key *rest"], mask: Bool[Tensor, "batch key"] | None, n_times: int
) -> Int[Tensor, "batch key"]:
    """How many items are newer than each; the paper counts time backwards from the question.

    ShapeError if there are more items than times.
    """
    n = items.shape[1]
    if n > n_times:
        raise ShapeError(f"{n} items and {n_times} learned times: build the network with n_times={n} or more.")
    present = torch.ones(items.shape[:2], dtype=torch.bool, device=items.device) if mask is None else mask
    return (present.long().flip(-1).cumsum(-1).flip(-1) - 1).clamp_min(0)


def cost(n: int, d: int, options: Options) -> Cost:
    """Embedded memories and question, then scores and sums for each hop, and H where hops share their weights."""
    n_embeddings = options.n_hops + 1 if options.tying == "adjacent" else 2
    carried = 0 if options.tying == "adjacent" else options.n_hops * d * d
    embedded = (n_embeddings * n + 1) * d * d
    return Cost(embedded + carried + 2 * options.n_hops * n * d, n_embeddings * n * d + options.n_hops * n)


@mechanism(
    name="memory_network",
    title="End-to-end memory network",
    short="Memory",
    family="multiple queries",
    paper="Sukhbaatar et al. 2015, section 2; survey, section 3.3.2",
    formula=r"u^k = u^{k-1} + \sum_i \mathrm{softmax}_i\!\left(u^{k-1\,\top} A^k f_i\right) C^k f_i, \quad u^0 = B\,q",
    query="A question (asked by you, or learned where none is asked), to which each hop adds what it has read.",
    look_for="Does a later hop look where the first one did not?",
    yields="vector",
    steps=STEPS,
    cost=cost,
    options=Options,
    may_ask=("question",),
    sizes=("d_items", "position", "n_times"),
    symbols={
        "k": "counts hops",
        "m": "an input memory: what the state is compared with",
        "c": "an output memory: what is collected",
        "u": "the state, which asks the next hop",
        "p": "a weight: an item's share of the attention",
        "o": "what a hop has read: output memories, each taken by its weight, added up",
        "A": "trained weights that make input memories",
        "C": "trained weights that make output memories",
        "B": "trained weights that make the first state",
        "H": "trained weights between hops",
        "K": "the number of hops",
    },
    queries=("question", "state>"),
    disputes=(
        Dispute(
            "Paper and released code",
            "The paper weighs a sentence's words by (1 − j/J) − (k/d)(1 − 2j/J); the released code by about twice "
            "that, half a step away.",
            "The paper's form. Both are in `position_encoding`.",
        ),
        Dispute(
            "A blog on the survey",
            "Several hops are typical of the Transformer's decoder, several heads of its encoder.",
            "Both stacks have several heads; the survey takes the whole stack, encoder and decoder, as a form of hops.",
        ),
    ),
)
class MemoryNetwork(nn.Module):
    """K hops over a memory of items: p = softmax(u'm), o = sum p c, next u = u + o.

    An item is a vector; as a bag of words (counts over a vocabulary of size `d_items`) A f is the paper's sum of word
    embeddings. Items may also come word by word, (batch, key, word, d_items): then the embedded words are summed, after
    the position encoding `position` if it is not "none" (J is the padded number of words, as in the released code; a
    padding word is a row of zeros). `tying` "adjacent" makes A^{k+1} = C^k and B = A^1; "layerwise" has the same A and
    C in every hop and carries H u over. `n_times` above zero adds learned times T_A(i) and T_C(i), counted backwards
    from the newest item, to as many items. The paper's last tie, the answer's W = C^K, belongs to an output model over
    the vocabulary and is not made here. OptionError for an unknown tying or position.
    """

    def __init__(
        self,
        d_model: int,
        n_hops: int = 3,
        tying: str = "adjacent",
        *,
        d_items: int | None = None,
        position: str = "none",
        n_times: int = 0,
    ):
        super().__init__()
        if tying not in TYINGS:
            raise OptionError(f"There is no tying {tying!r}; choose one of {', '.join(TYINGS)}.")
        check_position(position)
        self.n_hops, self.tying, self.position = n_hops, tying, position
        d_items = d_items or d_model
        adjacent = tying == "adjacent"
        n_embeddings = n_hops + 1 if adjacent else 2
        self.query = nn.Parameter(0.1 * torch.randn(d_items))
        self.embeddings = nn.ModuleList(nn.Linear(d_items, d_model, bias=False) for _ in range(n_embeddings))
        self.times = nn.Parameter(0.1 * torch.randn(n_embeddings, n_times, d_model)) if n_times else None
        self.asking = None if adjacent else nn.Linear(d_items, d_model, bias=False)
        self.carry = nn.Identity() if adjacent else nn.Linear(d_model, d_model, bias=False)
        self.align = Alignment()

    def forward(
        self,
        items: Float[Tensor, "batch key d_items"] | Float[Tensor, "batch key word d_items"],
        mask: Bool[Tensor, "batch key"] | None = None,
        question: Float[Tensor, "batch d_items"] | Float[Tensor, "batch word d_items"] | None = None,
    ) -> Float[Tensor, "batch d"]:
        """u^K for each row of the batch. Without a `question` a learned one is asked.

        ShapeError if there are more items than learned times.
        """
        items = note("items", items, "key word feature" if items.ndim == 4 else "key feature")
        if question is None:
            question = self.query.expand(len(items), -1)
        question = note("query", question, "word feature" if question.ndim == 3 else "feature")
        by_word = items.ndim == 4
        stored = [self._sentences(embedding(items), by_word) for embedding in self.embeddings]
        if self.times is not None:
            age = ages(items, mask, self.times.shape[1])
            stored = [x + times[age] for x, times in zip(stored, self.times, strict=True)]
        asked = self._sentences((self.asking or self.embeddings[0])(question), question.ndim == 3)
        u = note("question", asked[:, None], "query feature")
        for hop in range(self.n_hops):
            m, c = stored[hop : hop + 2] if self.tying == "adjacent" else stored
            u = self._hop(u, m, c, mask)
        return note("output", u, "query feature").squeeze(1)

    def _hop(self, u: Tensor, m: Tensor, c: Tensor, mask: Tensor | None) -> Float[Tensor, "batch query d"]:
        m = note("memories", m, "hop* key feature")
        c = note("values", c, "hop* key feature")
        scores = u @ m.transpose(-1, -2)  # (batch, query, key)
        p = self.align(scores, "hop* query key", mask=None if mask is None else mask[:, None])
        o = note("context", p @ c, "hop* query feature")
        return note("state", self.carry(u) + o, "hop* query feature")

    def _sentences(self, embedded: Tensor, by_word: bool) -> Tensor:
        return sentence(embedded, self.position) if by_word else embedded
