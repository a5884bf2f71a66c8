"""A crew on a Dask cluster: the same bytes, whoever dies there, and a refusal of what differs."""

from __future__ import annotations

import itertools
import time
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest
from distributed import Client

from core.errors import ClusterDiffers, ClusterUnavailable, JobLost, RateLimited
from tasks.crew import fan_out
from tasks.crew.cluster import check_workers, on_cluster
from tasks.crew.remote import differences, do, facts
from tests.tasks.crew import work
from tests.tasks.crew.cluster import Cluster, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NUMBERS = np.random.default_rng(7).standard_normal(200_000).tobytes()
DEAD = "tcp://127.0.0.1:1"


@pytest.fixture(scope="module")
def somewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(somewhere: Cluster) -> Cluster:
    """Return a cluster with two workers, each one process with one thread."""
    return somewhere.staffed(2)


def test_a_cluster_gives_the_bytes_that_this_process_gives(cluster: Cluster) -> None:
    here = list(fan_out(work.correlated, NUMBERS, range(8), workers=1))
    there = list(fan_out(work.correlated, NUMBERS, range(8), workers=1, dask=cluster.address))
    assert there == here


def test_results_come_in_order_out_of_all_workers(cluster: Cluster) -> None:
    found = list(fan_out(work.process, b"", range(12), workers=1, dask=cluster.address))
    assert [job for job, _ in found] == list(range(12))
    assert {pid for _, pid in found} == {worker.pid for worker in cluster.workers}


def test_what_is_shared_goes_to_each_worker_once(cluster: Cluster) -> None:
    seen = set(fan_out(work.decodings, NUMBERS, range(12), workers=1, dask=cluster.address))
    assert len(seen) == len({pid for pid, _ in seen})


def test_jobs_are_read_as_they_are_needed_and_given_up_at_the_end(cluster: Cluster) -> None:
    read: list[int] = []

    def jobs() -> Iterator[int]:
        for number in itertools.count():
            read.append(number)
            yield number

    with closing(fan_out(work.digest, b"", jobs(), workers=1, dask=cluster.address)) as results:
        next(results)
        assert len(read) == 4
    with Client(cluster.address, set_as_default=False) as client:
        left = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
    assert left == 0


def test_an_error_of_the_work_comes_as_itself_and_is_not_repeated(cluster: Cluster) -> None:
    results = fan_out(work.failing, b"", range(6), workers=1, dask=cluster.address)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(RateLimited) as limited:
        next(results)
    assert (limited.value.status, limited.value.retry_after) == (429, 2.0)


def test_a_worker_killed_in_the_middle_costs_only_time(cluster: Cluster, tmp_path: Path) -> None:
    jobs = [(number, str(tmp_path)) for number in range(10)]
    with closing(fan_out(work.marking, b"", jobs, workers=1, dask=cluster.address)) as results:
        first = next(results)
        cluster.kill()
        assert [first, *results] == list(range(10))


def test_when_all_workers_are_replaced_the_data_is_handed_out_again(
    cluster: Cluster, tmp_path: Path
) -> None:
    jobs = ((number, str(tmp_path)) for number in range(6))
    with closing(fan_out(work.marking, b"", jobs, workers=1, dask=cluster.address)) as results:
        first = next(results)
        for _ in range(2):
            cluster.kill()
        cluster.hire(2)
        assert [first, *results] == list(range(6))


def test_a_job_that_kills_its_workers_is_named(cluster: Cluster) -> None:
    cluster.hire()  # one that survives, as the scheduler gives up at the second death
    cluster.settle()
    with (
        cluster.forgiving(1),
        pytest.raises(JobLost, match="job 2 was lost: 2 workers died of it") as lost,
    ):
        list(fan_out(work.suicidal, b"", [2], workers=1, dask=cluster.address))
    assert lost.value.job == "job 2"


def test_when_nobody_is_left_the_wait_is_bounded(cluster: Cluster, tmp_path: Path) -> None:
    jobs = [(number, str(tmp_path)) for number in range(6)]
    results = on_cluster(work.marking, b"", jobs, address=cluster.address, patience=1.0)
    next(results)
    for _ in range(2):
        cluster.kill()
    with pytest.raises(ClusterUnavailable, match=r"no worker within 1 s"):
        list(results)


def test_when_the_scheduler_dies_the_wait_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    jobs = [(number, str(tmp_path / "marks")) for number in range(6)]
    with running(tmp_path) as doomed:
        results = on_cluster(
            work.marking, b"", jobs, address=doomed.staffed(1).address, patience=10.0
        )
        next(results)
        doomed.scheduler.kill()
        with pytest.raises(ClusterUnavailable, match="the scheduler went away"):
            list(results)


def test_a_cluster_without_workers_is_unavailable(somewhere: Cluster) -> None:
    empty = somewhere.staffed(0)
    with pytest.raises(ClusterUnavailable, match=r"no worker within 0.5 s") as unavailable:
        next(on_cluster(work.digest, b"", [1], address=empty.address, patience=0.5))
    assert unavailable.value.address == empty.address


@pytest.mark.parametrize("address", [DEAD, "tcp://nowhere.invalid:8786", "nonsense://here"])
def test_an_address_where_nobody_answers_is_unavailable(address: str) -> None:
    began = time.monotonic()
    with pytest.raises(ClusterUnavailable, match=address.replace("//", "//?")):
        next(on_cluster(work.digest, b"", [1], address=address, patience=0.5))
    assert time.monotonic() - began < 10


def test_workers_of_another_version_are_refused(cluster: Cluster) -> None:
    wanted = facts() | {"nightjar's code": "0" * 16, "numpy": "1.26.4"}
    with (
        Client(cluster.address, set_as_default=False) as client,
        pytest.raises(ClusterDiffers, match=r"code expected 0{16}, was .*, numpy expected 1.26.4"),
    ):
        check_workers(client, cluster.address, wanted)


def test_a_worker_that_adds_otherwise_is_refused(somewhere: Cluster) -> None:
    here = facts()["arithmetic"]
    somewhere.staffed(0).hire(OPENBLAS_CORETYPE="Nehalem")  # as on a processor of 2008
    with pytest.raises(ClusterDiffers, match=f"arithmetic expected {here}, was ") as refused:
        next(fan_out(work.digest, b"", [1], workers=1, dask=somewhere.address))
    assert refused.value.address == somewhere.address
    somewhere.kill()


def test_a_worker_without_nightjar_is_refused(somewhere: Cluster, tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").touch()  # another project's
    somewhere.staffed(0).hire(PYTHONPATH=str(tmp_path))
    with pytest.raises(
        ClusterDiffers, match=r"cannot import nightjar .*No module named 'tasks\.cr"
    ):
        next(fan_out(work.digest, b"", [1], workers=1, dask=somewhere.address))
    somewhere.kill()


def test_a_worker_that_joins_later_and_differs_is_refused() -> None:
    wanted = facts() | {"numba": "0.1"}
    with pytest.raises(ClusterDiffers, match=r"a worker joined whose numba expected 0.1, was 0.68"):
        do(work.digest, b"", 1, wanted, DEAD)
    assert do(work.digest, b"", 1, facts(), DEAD) == work.digest(b"", 1)


def test_equal_facts_have_no_differences() -> None:
    assert differences(facts(), dict(facts())) == ""
    assert differences({"a": "1", "b": "2"}, {"a": "1"}) == "b expected 2, was unknown"
