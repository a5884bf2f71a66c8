"""Collect what people say, tell the mood of each post, and forget old texts."""

from __future__ import annotations

from prefect import flow

from core.errors import NightjarError
from core.settings import load
from flows.collect import collect
from tasks import social as steps
from tasks.tally import Summary, Tally

DATASETS = ("social_posts", "social_metrics")


@flow(name="social", flow_run_name="social")
def social(source: str | None = None, model: str | None = None) -> Summary:
    """Collect posts and their number, score the posts, and forget the texts of old ones.

    What cannot be collected keeps nothing else from being done; it is raised at the end.

    Args:
        source: Whom to ask; everybody whose key is set where it is empty.
        model: What tells a mood, vader or finbert; the setting where it is empty.
    """
    wrong: NightjarError | None = None
    try:
        collect(datasets=list(DATASETS) if source is None else None, source=source)
    except NightjarError as error:
        wrong = error
    tally = Tally(steps.SOURCE)
    scored = -1
    while tally.summary().total("inserted") > scored:  # a batch that adds nothing is the last
        scored = tally.summary().total("inserted")
        if receipt := steps.score_posts(model or load().social.model):
            tally.merge(receipt)
    steps.forget()
    if wrong is not None:
        raise wrong
    return tally.summary().require()
