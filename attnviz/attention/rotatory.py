"""Rotatory attention (LCR-Rot, -hop, -hop++): target and contexts ask one another in turns, left and right apart."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.pooling import mean_item
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.attention.scores import ActivatedGeneral, General
from attnviz.errors import OptionError
from attnviz.recording import note

METHODS = (0, 1, 2, 3, 4)  # of hierarchical attention, counted as in the paper; 0 is none
SCORES = {"tanh": ActivatedGeneral, "none": General}
WEIGHTS = ("separate", "shared")
TURNS = {  # who is read, and by whom
    "target_first": (("contexts", "targets"), ("targets", "contexts")),
    "context_first": (("targets", "contexts"), ("contexts", "targets")),
}
SCALES = ("after", "before")
PREFIX = {"contexts": "", "targets": "target "}  # of the names of steps and maps

Vectors = Float[Tensor, "batch side query d"]  # two of a kind, left and right, each a single query's
STEPS = {
    "items": r"f_l",
    "target mean": r"r_t = \text{mean of the target's } f_l",
    "mask": r"m_{sl} = 1 \text{ where item } l \text{ stands on side } s \text{ of the target}",
    "query": r"q_s = r_t \text{ in hop 1, then what the last hop made of the target for side } s",
    "scores": r"e_{sl} = \tanh(f_l^\top W_s q_s + b_s)",
    "weights": r"a_{sl} = \mathrm{softmax}_l(e_s)",
    "context": r"r_s = \sum_l a_{sl} f_l",
    "target query": r"r_s",
    "target weights mask": r"m_{sl} = 1 \text{ where item } l \text{ belongs to the target}",
    "target weights scores": r"e_{sl}^t = \tanh(f_l^\top W_{ts} r_s + b_{ts})",
    "target weights": r"a_{sl}^t = \mathrm{softmax}_l(e_s^t)",
    "target context": r"r_{ts} = \sum_l a_{sl}^t f_l",
    "hierarchical weights scores": r"h_s = \tanh(w^\top r_s + b)",
    "hierarchical weights": r"\alpha_s = \mathrm{softmax}_s(h)",
    "scaled context": r"\alpha_s r_s",
    "hierarchical target weights scores": r"h_{ts} = \tanh(w_t^\top r_{ts} + b_t)",
    "hierarchical target weights": r"\alpha_{ts} = \mathrm{softmax}_s(h_t)",
    "scaled target context": r"\alpha_{ts} r_{ts}",
    "output": r"[r_{\mathrm{left}}; r_{\mathrm{right}}; r_{t\,\mathrm{left}}; r_{t\,\mathrm{right}}]",
}
CONTEXT_FIRST = {
    "context means": r"r_s = \text{mean of the } f_l \text{ on side } s",
    "query": r"q_s = r_{ts}",
    "target query": r"r_s \text{ (the mean in hop 1, then what the last hop made of the side)}",
}
SCALED_FIRST = {"query": r"q_s = \alpha_{ts} r_{ts}", "target query": r"\alpha_s r_s"}  # of what asks second
ALL_FOUR = {
    "hierarchical weights scores": r"h_p = \tanh(w^\top r_p + b) \quad (p: \text{any of the four})",
    "hierarchical weights": r"\alpha_p = \mathrm{softmax}_p(h)",
}
WITHOUT_TANH = {
    "scores": r"e_{sl} = f_l^\top W_s q_s",
    "target weights scores": r"e_{sl}^t = f_l^\top W_{ts} r_s",
    "hierarchical weights scores": r"h_s = w^\top r_s",
    "hierarchical target weights scores": r"h_{ts} = w_t^\top r_{ts}",
}
ALL_FOUR_WITHOUT_TANH = {"hierarchical weights scores": r"h_p = w^\top r_p \quad (p: \text{any of the four})"}


@dataclass(frozen=True)
class Options:
    """Options of rotatory attention."""

    n_hops: int = option(3, choices=(1, 2, 3), label="hops", help="how many times target and contexts take turns")
    hierarchical: int = option(
        4,
        choices=METHODS,
        label="hierarchical method",
        help="the resulting vectors are weighed against one another: 1 all four, after the last hop; 2 all four, in "
        "every hop; 3 contexts and target vectors apart, after the last hop; 4 apart, in every hop; 0 not at all",
    )
    activation: str = option(
        "tanh",
        choices=tuple(SCORES),
        label="score squashed by",
        help="tanh as in the papers; the released code has none",
    )
    weights: str = option(
        "separate", choices=WEIGHTS, label="weights of the hops", help="each hop its own, or the same for all"
    )
    order: str = option(
        "target_first",
        choices=tuple(TURNS),
        label="who asks first",
        help="the target asks its contexts first (the papers), or the contexts ask the target (some released code)",
    )
    scale: str = option(
        "after",
        choices=SCALES,
        label="scaled",
        help="after all four vectors are made, or each pair before it asks; makes a difference for method 4 alone",
        only=("hierarchical", 4),
    )


def cost(n: int, d: int, options: Options) -> Cost:
    """For each hop and side: a transformed query, scores and a sum, over contexts and over the target; then scaling."""
    n_hops = options.n_hops
    pairs = 2 * n_hops if options.scale == "before" else n_hops + 1  # of vectors that are scored and multiplied
    scaling = {0: 0, 1: 8 * d, 2: (6 * n_hops + 2) * d, 3: 8 * d, 4: pairs * 4 * d}[options.hierarchical]
    return Cost(n_hops * 4 * (d * d + 2 * n * d) + scaling, n * d + n_hops * 4 * (n + d))


@mechanism(
    name="rotatory",
    title="Rotatory attention",
    short="Rotatory",
    family="specialised query",
    paper="Zheng & Xia 2018; Wallaart & Frasincar 2019; Truşcă et al. 2020; survey, equations 17 to 20",
    formula=r"r_s = \sum_l \mathrm{softmax}_l\!\left(\tanh(f_l^\top W_s q_s + b_s)\right) f_l, \quad "
    r"r_{ts} = \sum_l \mathrm{softmax}_l\!\left(\tanh(f_l^\top W_{ts} r_s + b_{ts})\right) f_l",
    query="First the mean of the target asks each side; what it finds there asks the target; its answer asks again.",
    look_for="Which side holds the opinion on the target, and does the weight gather there from hop to hop?",
    yields="vector",
    asks=("target",),
    steps=STEPS,
    cost=cost,
    options=Options,
    symbols={
        "s": "the side of the target, left or right",
        "r": "what was read: from a side, or from the target on behalf of a side",
        "t": "belongs to the target",
        "h": "a score of a vector among its peers",
        "p": "one of the four vectors",
        "m": "the mask",
        "alpha": "α: the share of a vector, by which it is scaled",
    },
    queries=("query", "target query: target weights"),
    disputes=(
        Dispute(
            "A blog on the survey",
            "Rotatory attention uses context vectors as queries.",
            "The first question of the first hop is the mean of the target; contexts ask from then on.",
        ),
        Dispute(
            "Papers and released code",
            "The papers squash every score by tanh, with a bias; the released code does neither.",
            "tanh and bias, as in the papers.",
            "activation",
        ),
        Dispute(
            "Papers and released code",
            "The target asks its contexts first, say the papers; in one of the released programs the contexts begin.",
            "The target begins.",
            "order",
        ),
        Dispute(
            "Released code and another's version",
            "Method 4 of LCR-Rot-hop++ weighs the four vectors when all are made; another version weighs the contexts "
            "before they ask.",
            "After all four are made.",
            "scale",
        ),
    ),
)
class Rotatory(nn.Module):
    """H hops in which the target's vectors ask the contexts and the contexts' vectors ask the target.

    Left context, target and right context are parts of one sentence, told apart by masks. What stands between the first
    and the last target word belongs to the target, marked or not. An empty side is read as zeros; it still takes part
    in the hierarchical attention, as in the released code. Without any target word there are no sides either, and all
    is zero.

    `hierarchical` is the method of LCR-Rot-hop++, 0 none: f(v) = tanh(w'v + b), a softmax over all four vectors (1, 2)
    or over each pair (3, 4), after the last hop (1, 3) or in every hop (2, 4); each vector is multiplied by its share.
    In every hop but the last only those vectors are scaled that ask in the next one: the released code scales the
    others too, and never reads them. `scale` "before" scales each pair of method 4 as soon as it is made, before it
    asks for the other one. `activation` "none" drops tanh and bias of all scores. `order` "context_first" begins with
    the means of the contexts, which ask the target. OptionError for anything else.
    """

    labels = {"side": ("left", "right"), "part": ("left", "right", "target left", "target right")}

    def __init__(
        self,
        d_model: int,
        n_hops: int = 3,
        hierarchical: int = 4,
        activation: str = "tanh",
        weights: str = "separate",
        order: str = "target_first",
        scale: str = "after",
    ):
        super().__init__()
        for what, value, choices in (
            ("hierarchical method", hierarchical, METHODS),
            ("activation", activation, SCORES),
            ("kind of weights", weights, WEIGHTS),
            ("order", order, TURNS),
            ("time to scale", scale, SCALES),
        ):
            if value not in choices:
                raise OptionError(f"There is no {what} {value!r}; choose one of {', '.join(map(str, choices))}.")
        self.n_hops, self.hierarchical, self.turns = n_hops, hierarchical, TURNS[order]
        self.scale_first = hierarchical == 4 and scale == "before"
        self.d_out = 4 * d_model
        n_sets = 1 if weights == "shared" else n_hops
        self.hops = nn.ModuleList(_hop(d_model, SCORES[activation]) for _ in range(n_sets))
        n_levels = {0: 0, 1: 1, 2: n_sets, 3: 1, 4: n_sets}[hierarchical]
        kinds = [("all",) if hierarchical in (1, 2) else tuple(PREFIX)] * n_levels
        if hierarchical == 4 and not self.scale_first:
            kinds[:-1] = [(self.turns[0][1],)] * (n_levels - 1)
        self.levels = nn.ModuleList(Hierarchy(d_model, which, activation) for which in kinds)
        self.formulas = _formulas(order, hierarchical, activation, self.scale_first)
        self.align = Alignment()

    def forward(
        self,
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None = None,
        *,
        target: Bool[Tensor, "batch key"],
    ) -> Float[Tensor, "batch d_out"]:
        """[r_l; r_r; r_tl; r_tr] (batch, 4 d). `target` is True on the words that are asked about."""
        f = note("items", items, "key feature")
        masks = _regions(target, mask)
        vectors = self._means(f, masks)
        for s in range(self.n_hops):
            hop = self.hops[s % len(self.hops)]
            for read, asking in self.turns:
                vectors[read] = self._read(read, hop[read], vectors[asking], f, masks[read])
                if self.scale_first:
                    vectors[read] = self.levels[s % len(self.levels)].pair(read, vectors[read], "hop* ")
            if scaled := self._to_scale(last=s == self.n_hops - 1):
                vectors |= self.levels[s % len(self.levels)](vectors, scaled)
        found = torch.cat([vectors["contexts"], vectors["targets"]], dim=1)
        return note("output", found.flatten(1), "feature")

    def _means(self, f: Tensor, masks: dict[str, Tensor]) -> dict[str, Vectors]:
        """What asks first: the mean of the target for either side, or the mean of each side."""
        asking = self.turns[0][1]
        if asking == "targets":
            mean = note("target mean", mean_item(f, masks[asking].flatten(1))[:, None], "query feature")
            return {asking: mean[:, None].expand(-1, 2, -1, -1)}
        sides = masks[asking].squeeze(2).unbind(1)
        means = torch.stack([mean_item(f, side) for side in sides], dim=1)[:, :, None]
        return {asking: note("context means", means, "side query feature")}

    def _read(self, read: str, scores: nn.ModuleList, asking: Vectors, f: Tensor, mask: Tensor) -> Vectors:
        """The items under `mask`, averaged by how well they answer what each side asks."""
        q = note(f"{PREFIX[read]}query", asking, "hop* side query feature")
        e = torch.stack([score(q[:, s], f) for s, score in enumerate(scores)], dim=1)
        a = self.align(e, "hop* side query key", mask=mask, name=f"{PREFIX[read]}weights")
        return note(f"{PREFIX[read]}context", a @ f[:, None], "hop* side query feature")

    def _to_scale(self, last: bool) -> dict[str, str]:
        """Which vectors are scaled at the end of a hop, and how their axes' names begin: those once a hop, or once."""
        if self.hierarchical == 0 or self.scale_first:
            return {}
        asking_next = {self.turns[0][1]: "hop* "} if self.hierarchical in (2, 4) else {}
        return {"contexts": "", "targets": ""} | asking_next if last else asking_next


class Hierarchy(nn.Module):
    """Hierarchical attention: vectors are weighed against one another and multiplied by their weights.

    `kinds` are "contexts", "targets" or both, each weighed among themselves by a (w, b) of their own; or "all", where
    all four compete.
    """

    def __init__(self, d_model: int, kinds: tuple[str, ...], activation: str):
        super().__init__()
        self.squash = nn.Tanh() if activation == "tanh" else nn.Identity()
        self.scores = nn.ModuleDict({kind: nn.Linear(d_model, 1, bias=activation == "tanh") for kind in kinds})
        self.align = Alignment()

    def forward(self, vectors: dict[str, Vectors], scaled: dict[str, str]) -> dict[str, Vectors]:
        """Those vectors that `scaled` names, scaled; it says how the names of their axes begin."""
        if "all" not in self.scores:
            return {read: self.pair(read, vectors[read], loop) for read, loop in scaled.items()}
        four = torch.cat([vectors[read] for read in PREFIX], dim=1)
        loop = "hop* " if "hop* " in scaled.values() else ""
        a = self._weights("all", four, f"{loop}query part", "hierarchical weights")
        parts = dict(zip(PREFIX, (a * four).split(2, dim=1), strict=True))
        return {
            read: note(f"scaled {PREFIX[read]}context", parts[read], f"{begin}side query feature")
            for read, begin in scaled.items()
        }

    def pair(self, read: str, two: Vectors, loop: str) -> Vectors:
        """The left and the right one of a pair, scaled."""
        a = self._weights(read, two, f"{loop}query side", f"hierarchical {PREFIX[read]}weights")
        return note(f"scaled {PREFIX[read]}context", a * two, f"{loop}side query feature")

    def _weights(self, kind: str, vectors: Tensor, axes: str, name: str) -> Float[Tensor, "batch part query 1"]:
        h = self.squash(self.scores[kind](vectors)).squeeze(-1)  # (batch, part, query)
        return self.align(h.transpose(1, 2), axes, name=name).transpose(1, 2)[..., None]


def _hop(d_model: int, score: type[nn.Module]) -> nn.ModuleDict:
    """What one hop learns: a score for each side, of its context and of the target."""
    return nn.ModuleDict({read: nn.ModuleList(score(d_model, d_model) for _ in range(2)) for read in PREFIX})


def _regions(target: Tensor, mask: Tensor | None) -> dict[str, Bool[Tensor, "batch side_or_1 1 key"]]:
    """Where the contexts stand, left and right of the target, and the target from its first to its last word."""
    real = target if mask is None else target & mask
    begun = real.cumsum(-1) > 0
    unfinished = real.flip(-1).cumsum(-1).flip(-1) > 0
    contexts = torch.stack([unfinished & ~begun, begun & ~unfinished], dim=1)
    within = (begun & unfinished)[:, None]
    if mask is not None:
        contexts, within = contexts & mask[:, None], within & mask[:, None]
    return {"contexts": contexts[:, :, None], "targets": within[:, :, None]}


def _formulas(order: str, hierarchical: int, activation: str, scale_first: bool) -> dict[str, str]:
    """Formulas of the steps that these options change."""
    changed = dict(CONTEXT_FIRST) if order == "context_first" else {}
    if scale_first:
        second = "target query" if order == "target_first" else "query"
        changed[second] = SCALED_FIRST[second]
    changed |= WITHOUT_TANH if activation == "none" else {}
    if hierarchical in (1, 2):
        changed |= ALL_FOUR | (ALL_FOUR_WITHOUT_TANH if activation == "none" else {})
    return changed
