"""Second opinions on what a night wants to promote: they can hold it back, never put it forward.

docs/luck.md and docs/vetting.md say what each of them asks.
"""

from research.opinions.model import Ledger, Leg, Opinion, Winner, dissenting, legs_of
from research.opinions.panel import second_opinions

__all__ = ["Ledger", "Leg", "Opinion", "Winner", "dissenting", "legs_of", "second_opinions"]
