"""Every mechanism as one that takes items and a mask, whatever else it asks for."""

from torch import Tensor, nn

from attnviz.attention.registry import Mechanism, example_sides


class Asked(nn.Module):
    """A mechanism that is always asked by the same sides."""

    def __init__(self, spec: Mechanism, module: nn.Module):
        super().__init__()
        self.spec, self.module = spec, module

    def forward(self, items: Tensor, mask: Tensor | None = None):
        sides = example_sides(self.spec, items.shape[1], items.shape[-1], len(items))
        sides = {name: t.to(items.dtype) if t.is_floating_point() else t for name, t in sides.items()}
        return self.module(items, mask, **sides)
