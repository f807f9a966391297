"""What the pages share: controls built from a mechanism's options, inputs, state in the link, messages."""
