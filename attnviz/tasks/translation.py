"""Translation from Chinese to English and back: a decoder that asks the sentence anew for every word it writes."""

import csv
import gzip
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnviz import recording
from attnviz.attention.registry import Mechanism
from attnviz.attention.rnn_query import State
from attnviz.errors import EmptyTextError, OptionError
from attnviz.features import translation as text
from attnviz.features.given import Input
from attnviz.features.translation import BEGIN, END, LANGUAGES, LONGEST, Encoder, WordVectors, vocabulary
from attnviz.recording import note
from attnviz.tasks.classifier import Output
from attnviz.tasks.job import Part, Values
from attnviz.tasks.registry import DataSource, Examples, Task, data_file, register
from attnviz.trace import Axis

D_MODEL, D_STATE = 96, 160
DROPOUT = 0.3
DECODING = {"greedy": 1, "beam": 4}  # how many unfinished translations are kept
CANDIDATES = 5  # words that are shown for each word that was chosen
NEVER = -1e9  # log probability of what is not written
STEPS = {
    "features": r"f_s = \text{vector of piece } s",
    "encoder states": r"v_s = [\overrightarrow{h}_s; \overleftarrow{h}_s], \quad "
    r"\overrightarrow{h}_s = \mathrm{GRU}(f_s, \overrightarrow{h}_{s-1}),\ "
    r"\overleftarrow{h}_s = \mathrm{GRU}(f_s, \overleftarrow{h}_{s+1})",
    "log sum": r"Z_t = \log \sum_w \exp(z_{tw}) \quad (\text{over all words of the language})",
    "logits": r"z_{tw} = u_w^\top (W_o \tilde h_t + b_o) + b_w \quad (\text{for the best words})",
    "word probabilities": r"\hat y_{tw} = \exp(z_{tw} - Z_t)",
}


class Way(nn.Module):
    """Into one language: encoder, decoder, and the table of the words that it writes and reads again."""

    def __init__(self, mechanism: Mechanism, options: object, d_model: int, n_words: int):
        super().__init__()
        self.encoder = Encoder(d_model, D_STATE)
        self.attention = mechanism.build(D_STATE, options, d_input=d_model)
        self.table = nn.Embedding(n_words, d_model)
        nn.init.normal_(self.table.weight, std=d_model**-0.5)
        self.readout = nn.Linear(D_STATE, d_model)
        self.bias = nn.Parameter(torch.zeros(n_words))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(
        self,
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None,
        said: Int[Tensor, "batch word"],
    ) -> Float[Tensor, "batch word d_state"]:
        """What the word that follows each of `said` is read from; the first of them is the mark of the beginning."""
        return self.attention(self.encode(items, mask), mask, inputs=self.vectors(said))

    def encode(self, items: Tensor, mask: Tensor | None) -> Float[Tensor, "batch key d_state"]:
        """The encoder's states: what the decoder attends over."""
        items = note("features", items, "key feature")
        return self.dropout(note("encoder states", self.encoder(self.dropout(items), mask), "key feature"))

    def vectors(self, ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch d"]:
        """The vectors of written words, scaled to a variance of about one."""
        return self.dropout(self.table(ids) * self.table.embedding_dim**0.5)

    def logits(self, attended: Float[Tensor, "*batch d_state"]) -> Float[Tensor, "*batch vocabulary"]:
        """A logit for each word of the language."""
        return F.linear(self.readout(self.dropout(attended)), self.table.weight, self.bias)


class Translator(nn.Module):
    """Both ways, each with the same mechanism: words are searched first, then shown with what they were read from.

    While words are searched, whatever a reader changed acts in every step, so that a weight set by hand changes the
    words that follow. What is recorded is one pass over the words that were found.
    """

    formulas = STEPS

    def __init__(self, mechanism: Mechanism, options: object, d_model: int):
        super().__init__()
        self.ways = nn.ModuleDict(
            {language: Way(mechanism, options, d_model, len(vocabulary(language))) for language in LANGUAGES}
        )

    @property
    def attention(self) -> nn.Module:
        """The mechanism, of the first of the ways."""
        return self.ways[LANGUAGES[0]].attention

    def forward(
        self,
        items: Float[Tensor, "1 key d"],
        mask: Bool[Tensor, "1 key"] | None = None,
        *,
        language: Int[Tensor, " 1"],
        width: Int[Tensor, " 1"],
    ) -> Output:
        """Translate a sentence into `language` (its number in LANGUAGES) by a beam search of that width."""
        into = LANGUAGES[int(language)]
        way = self.ways[into]
        states = way.encode(items, mask)
        ids = search(way, states, mask, int(width))
        said = torch.tensor([[BEGIN, *ids][: len(ids)]], device=items.device)
        attended = way.attention(states, mask, inputs=way.vectors(said))
        logits = way.logits(attended)
        chosen = _candidates(logits, ids)
        words = text.labels(ids, into)
        if (heard := recording.current()) is not None:
            heard.label("word", Axis("token", words))
            heard.label("candidate", Axis("candidate", text.labels(chosen, into)))
        total = note("log sum", logits.logsumexp(-1), "word")
        best = note("logits", logits[..., chosen], "word candidate")
        probabilities = note("word probabilities", torch.exp(best - total[..., None]), "word candidate")
        at = torch.tensor([chosen.index(i) for i in ids], device=items.device)
        return Output(probabilities[:, torch.arange(len(ids)), at], best, attended, words)


def search(way: Way, states: Float[Tensor, "1 key d"], mask: Tensor | None, width: int) -> list[int]:
    """The most probable words by beam search, with the mark of the end, which only a translation of 60 words lacks.

    Finished translations are compared by their mean log probability a word; a width of 1 is greedy.
    """
    heard = recording.current()
    with recording.record(heard.intervention) if heard is not None else nullcontext():
        return _search(way, states.expand(width, -1, -1), None if mask is None else mask.expand(width, -1), width)


def _search(way: Way, states: Tensor, mask: Tensor | None, width: int) -> list[int]:
    source, state = way.attention.start(states, mask)
    said = torch.full((width, 1), BEGIN, device=states.device)
    scores = torch.full((width,), NEVER, device=states.device)
    scores[0] = 0.0  # all begin alike: the first of them goes on
    done: list[tuple[float, list[int]]] = []
    for length in range(1, LONGEST + 1):
        state = way.attention.step(way.vectors(said[:, -1]), state, source)
        logits = way.logits(state.attended).float()
        logits[:, :END] = NEVER
        ranked, order = (scores[:, None] + logits.log_softmax(-1)).flatten().topk(2 * width)
        rows, words = order // logits.shape[-1], order % logits.shape[-1]
        ends = words == END
        for i in ends[:width].nonzero().flatten().tolist():
            done.append((float(ranked[i]) / length, [*said[rows[i], 1:].tolist(), END]))
        if len(done) >= width:
            break
        alive = (~ends).nonzero().flatten()[:width]
        scores, rows = ranked[alive], rows[alive]
        said = torch.cat([said[rows], words[alive, None]], 1)
        state = State(*(part[rows] for part in state))
    return max(done)[1] if done else said[0, 1:].tolist()


def _candidates(logits: Float[Tensor, "1 word vocabulary"], ids: list[int]) -> list[int]:
    """The words that were chosen, and the best few at each place, each once."""
    best = logits[0].topk(CANDIDATES, -1).indices.flatten().tolist()
    return list(dict.fromkeys([*ids, *best]))


class TranslationJob:
    """A sentence in either language; the other one is what it is translated into."""

    def features(self, card: Mapping[str, Any]) -> WordVectors:
        """The tables of both languages."""
        return WordVectors({language: len(vocabulary(language)) for language in LANGUAGES}, card["d_model"])

    def encode(self, features: WordVectors, values: Values, swapped: Mapping[int, str]) -> Input:
        """The pieces of `text`. EmptyTextError if it has none, OptionError for an unknown decoding or swapped word."""
        decoding = values.get("decoding", "greedy")
        if decoding not in DECODING:
            raise OptionError(f"Decoding cannot be {decoding[:40]!r}; choose one of {', '.join(DECODING)}.")
        language = text.language_of(values["text"])
        found = text.pieces(values["text"], language)
        if not found:
            raise EmptyTextError
        kept = found[:LONGEST]
        items = features(torch.tensor([[number for _, number in kept]]), language)
        labels = [label for label, _ in kept]
        for i, word in swapped.items():
            if i < len(labels):  # else the text has become shorter since
                labels[i], items[0, i] = word, features(_one_word(word, language), language)[0].mean(0)
        into = 1 - LANGUAGES.index(language)
        return Input(
            items,
            Axis("token", tuple(labels)),
            {"text": values["text"], "decoding": decoding},
            _notes(found),
            sides={"language": torch.tensor([into]), "width": torch.tensor([DECODING[decoding]])},
        )

    def output(self, mechanism: Mechanism, options: Any, d_model: int) -> Translator:
        """A decoder for each way."""
        return Translator(mechanism, options, d_model)


def _one_word(word: str, language: str) -> Int[Tensor, "1 piece"]:
    if len(text.words(word, language)) != 1:
        what = "a single character" if language == "zh" else "a single word"
        raise OptionError(f"“{word[:40]}” is not one word. Give {what}, without spaces.")
    return torch.tensor([[number for _, number in text.pieces(word, language)]])


def _notes(found: list[tuple[str, int]]) -> tuple[str, ...]:
    notes = []
    if len(found) > LONGEST:
        after = found[LONGEST - 1][0]
        notes.append(
            f"The sentence has more than {LONGEST} pieces; only the first {LONGEST} are used, up to “{after}”."
        )
    unknown = dict.fromkeys(label for label, number in found[:LONGEST] if number == text.UNKNOWN)
    if unknown:
        listed = ", ".join(f"“{label[:20]}”" for label in list(unknown)[:5])
        notes.append(f"The translator has not learnt {listed}; it sees an unknown word there.")
    return tuple(notes)


def read(folder: Path, split: str) -> Examples:
    """Sentence pairs {"en", "zh"} of a split; there are no classes."""
    with gzip.open(data_file(folder, f"{split}.tsv.gz"), "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return Examples([{"en": row["en"], "zh": row["zh"]} for row in rows], torch.zeros(len(rows), dtype=torch.long))


register(
    Task(
        name="translation",
        title="Translation",
        kind="translation",
        predicts="the sentence in the other language, English or Chinese",
        classes=(),
        examples=(
            {"text": "The children are playing in the garden.", "decoding": "greedy"},
            {"text": "我妹妹每天早上都喝一杯牛奶。", "decoding": "greedy"},
            {"text": "My father wants to sell his old car.", "decoding": "beam"},
            {"text": "外面下雨了，我们在家里看书吧。", "decoding": "beam"},
            {"text": "Where did you buy that blue umbrella?", "decoding": "greedy"},
            {"text": "这本书太难了，我看不懂。", "decoding": "greedy"},
        ),
        data=DataSource(
            "tatoeba_zh_en", "Tatoeba, Mandarin and English, 19,818 training pairs", "A: CC BY 2.0 FR, with attribution"
        ),
        read=read,
        d_model=D_MODEL,
        parts=(
            Part("text", "text", "Sentence", help="In English or in Chinese; it is translated into the other."),
            Part("decoding", "choice", "Decoding", choices=tuple(DECODING)),
        ),
        gives=("inputs",),
        only=("rnn_query",),
        job=TranslationJob(),
    )
)
