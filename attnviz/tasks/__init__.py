"""The tasks: what the trained models predict. One file each."""
