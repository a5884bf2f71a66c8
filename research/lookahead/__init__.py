"""The proof that strategies do not look ahead."""

from research.lookahead.finding import Finding
from research.lookahead.proof import Proof

__all__ = ["Finding", "Proof"]
