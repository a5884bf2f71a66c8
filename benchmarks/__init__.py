"""What nightjar's engine costs, beside the engines a user would otherwise pick: `make bench`.

Every comparison runs on one core. Before anything is timed, all engines compared must give the
same trades. The other engines live in an environment of their own, `.venv-bench`, and answer
from a child process, so that no version of theirs meets one of ours.
"""
