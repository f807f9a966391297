"""Pictures and tables of a trace; each view is a function of the trace alone."""
