"""The version of attnviz."""

VERSION = "0.1.0"
