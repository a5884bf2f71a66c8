"""What the page says beside its figures."""

FALSE = """\
The share of nights that promote anything, in brackets its exact 95 % interval (Clopper and
Pearson). "Both" is what the night does: p in mirrored worlds at most so much, and then p in
permuted worlds at most 0.05; "mirrored" is the first alone. A share lies above its level where the
whole interval does; of many intervals one in forty does by chance."""

OTHERS = """\
Each gate is asked on the very same nights whether it would let the night's best through. With
nothing to find that is an error; with an edge (in brackets the net Sharpe ratio of the plain rule
that goes with it) it is power. A gate that lets everything through has all the power there is, and
is worth nothing. The factory runs the search again, in worlds without an edge. The others look at
what one search left: its final population, or a third of the days kept from a search of its own."""

UNIFORM = """\
Where there is nothing to find p must be uniform: at most 0.3 on 30 % of nights, and so on. As
worlds stop early p has steps; each is spread out by chance. Stopped after m worlds of which h were
as good: between h/(m+1) and h/m. Not stopped, k of M as good: between k/(M+1) and (k+1)/(M+1). D is
the largest distance between the distribution found and the uniform one (Kolmogorov, Smirnov)."""

POWER = """\
The edge is momentum: in each four hours the price is pushed on in the direction in which it went
over the last two days. How strong that is, is said by what a plain rule earns after costs, as an
annual Sharpe ratio over {days:,} fresh days:

```nightjar
{rule}
```

The search knows neither the rule nor the kind of edge."""

AFTER = """\
Of the nights that promoted something at alpha: the mean score of their best, what
`research.factory.shrunk` expects of it, and what it scored on {days:,} fresh days, of other markets
by the same law. A score is the annual Sharpe ratio beyond the market's drift, of a portfolio of k
rules over the root of k. "Net" is the plain annual Sharpe ratio after costs."""

ALARM = """\
The worlds have no edge. Where the mean of their best is {alarm:g} times what luck gives the best of
as many costless and unrelated strategies, the engine pays for something that is not there, and the
night promotes nothing. Here bugs are put into an indicator and into the engine on purpose."""

COSTLESS = """\
"Best over luck" is that mean over what luck gives. The alarm sees what pays: a leak that a search
does not come across, or that is worth less than a trade costs, leaves the worlds as they are. Where
trading costs nothing every leak pays. The proof before the score does not need to be paid
([docs/lookahead.md](../docs/lookahead.md)); the alarm is there for what no proof thought of."""
