"""Questions asked of a trace: how far weights spread, and what is to be seen in words."""
