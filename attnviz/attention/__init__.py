"""The mechanisms: one file each, each an ordinary `nn.Module` that reads like its equation."""
