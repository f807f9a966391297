"""What a trace costs: a recorded forward pass beside a plain one, and beside PyTorch's own multi-head attention.

One thread, inference mode, float32, and a C library that keeps freed memory: as the app runs.
"""

import torch
from torch import Tensor, nn

from attnviz.attention import registry
from attnviz.attention.multi_head import MultiHeadAttention
from attnviz.recording import record
from attnviz.ui.warm import keep_freed_memory
from benchmarks.report import Figure, Result, quartiles, side_by_side

SIZES = (32, 64, 256, 1024)
FEATURES, CLASSES = 128, 6
HEADS, WIDTHS = 8, (128, 512)
TARGET, TARGET_FROM = 1.1, 64  # recorded against PyTorch's with weights, from so many tokens up


@torch.inference_mode()
def measure(quick: bool = False) -> Result:
    """Multi-head attention against `nn.MultiheadAttention`, then all mechanisms with and without their trace."""
    keep_freed_memory()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    sizes, seconds = ((8, 16), 0.02) if quick else (SIZES, 2.0)
    result = Result()
    try:
        _against_torch(result, sizes, seconds * 2)
        for spec in registry.mechanisms().values():
            _with_and_without(result, spec, sizes, seconds)
    finally:
        torch.set_num_threads(threads)
    return result


def _against_torch(result: Result, sizes: tuple[int, ...], seconds: float) -> None:
    for width in WIDTHS:
        ours, theirs = same_weights(width)
        for n in sizes:
            items = torch.randn(1, n, width)
            _compare(result, ours, theirs, items, items, seconds, f"{n} tokens, d = {width}")
        items, query = torch.randn(1, sizes[-1], width), torch.randn(1, 1, width)
        _compare(result, ours, theirs, query, items, seconds, f"one query, {sizes[-1]} tokens, d = {width}")


def _compare(
    result: Result,
    ours: MultiHeadAttention,
    theirs: nn.MultiheadAttention,
    query: Tensor,
    items: Tensor,
    seconds: float,
    what: str,
) -> None:
    """Forward pass and weights as NumPy with labels, against forward pass and weights as a tensor."""

    def recorded() -> Tensor:
        with record() as heard:
            found = ours(query, items)
        heard.maps()
        return found

    def weighed() -> Tensor:
        return theirs(query, items, items, need_weights=True, average_attn_weights=False)[0]

    torch.testing.assert_close(recorded(), weighed(), rtol=1e-4, atol=1e-5)
    names = ("recorded", "nn.MultiheadAttention", "plain")
    found = side_by_side([recorded, weighed, lambda: ours(query, items)], seconds)
    middle = {name: quartiles(values) for name, values in zip(names, found, strict=True)}
    ratio = middle["recorded"][1] / middle["nn.MultiheadAttention"][1]
    shown = f"{ratio:.2f}x ({_spread(middle['recorded'])} / {_spread(middle['nn.MultiheadAttention'])} us)"
    target = TARGET if query is items and items.shape[1] >= TARGET_FROM else None
    result.figures.append(Figure(f"recorded / `nn.MultiheadAttention` with weights, {what}", shown, ratio, target))
    times = dict(zip(names, found, strict=True))
    result.raw.append({"compared": f"torch, {what}", "quartiles": middle, "seconds": times})


def same_weights(width: int) -> tuple[MultiHeadAttention, nn.MultiheadAttention]:
    """Ours and PyTorch's with the same numbers in them."""
    ours = MultiHeadAttention(width, HEADS).eval()
    theirs = nn.MultiheadAttention(width, HEADS, batch_first=True).eval()
    parts = (ours.queries, ours.keys, ours.values)
    theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
    theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
    theirs.out_proj.load_state_dict(ours.output.state_dict())
    return ours, theirs


def _with_and_without(result: Result, spec: registry.Mechanism, sizes: tuple[int, ...], seconds: float) -> None:
    module = spec.build(FEATURES, n_classes=CLASSES).eval()
    ratios = []
    for n in sizes:
        times = side_by_side(_plain_and_traced(spec, module, torch.randn(1, n, FEATURES)), seconds)
        plain, traced = (quartiles(values) for values in times)
        ratios.append(f"{n}: {traced[1] / plain[1]:.2f}x (+{(traced[1] - plain[1]) * 1e6:.0f} us)")
        middle = {"plain": plain, "traced": traced}
        raw = {"compared": "trace", "mechanism": spec.name, "items": n, "quartiles": middle}
        result.raw.append({**raw, "seconds": {"plain": times[0], "traced": times[1]}})
    result.figures.append(Figure(f"{spec.name} with its trace / without, by items", ", ".join(ratios)))


def _plain_and_traced(spec: registry.Mechanism, module: nn.Module, items: Tensor) -> tuple:
    sides = registry.example_sides(spec, items.shape[1], FEATURES)
    formulas = getattr(module, "formulas", spec.steps)

    def plain() -> None:
        module(items, **sides)

    def traced() -> None:
        with record() as heard:
            module(items, **sides)
        heard.maps()
        heard.steps(formulas)

    return plain, traced


def _spread(found: tuple[float, float, float]) -> str:
    low, middle, high = (value * 1e6 for value in found)
    return f"{middle:.0f} [{low:.0f} to {high:.0f}]"
