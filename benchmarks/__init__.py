"""Speed and cost, each figure beside its alternative, measured in the same run on the same machine."""
