"""Trained weights: a folder a task, a file a mechanism and set of options, a card beside each."""
