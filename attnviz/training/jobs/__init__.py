"""How the models of jobs are trained: one file for each kind of task that has a job of its own."""
