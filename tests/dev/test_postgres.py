"""The life of the embedded server, each time with real processes in a folder of its own."""

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from config.environment import Environment
from dev.cluster import APP_ROLE, Cluster
from dev.postgres import MAIN, PROJECT, connection_settings

HOLDER = """
import sys, time
from dev.cluster import Cluster
cluster = Cluster(sys.argv[1], is_durable=False)
cluster.ensure_running(sys.argv[2])
print(cluster.pid(), flush=True)
time.sleep(60 if sys.argv[3:] == ["stay"] else 0)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a cluster lives for the tests of this file; making one is what takes long."""
    folder = tmp_path_factory.mktemp("postgres")
    yield folder
    Cluster(folder).drop()


@pytest.fixture
def cluster(folder):
    cluster = Cluster(folder, is_durable=False)
    yield cluster
    cluster.release()
    cluster.stop()


def start_holder(cluster: Cluster, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(cluster.folder), *arguments],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )


def ask(cluster: Cluster, question: str, *, user: str = "postgres") -> object:
    with psycopg.connect(cluster.url("ballada", user=user)) as connection:
        return connection.execute(question).fetchone()[0]


def test_many_processes_share_one_server_and_the_last_one_stops_it(cluster):
    cluster.ensure_running("ballada")
    server = cluster.pid()

    others = [start_holder(cluster, "ballada"), start_holder(cluster, "another")]
    answers = [other.communicate()[0].strip() for other in others]

    assert answers == [str(server), str(server)]
    assert cluster.is_running()
    cluster.release()
    assert not cluster.is_running()


def test_killed_holder_leaves_nothing_that_keeps_the_server_up(cluster):
    holder = start_holder(cluster, "ballada", "stay")
    server = holder.stdout.readline().strip()
    holder.kill()
    holder.communicate()

    cluster.ensure_running("ballada")

    assert str(cluster.pid()) == server
    cluster.release()
    assert not cluster.is_running()


def test_killed_server_starts_again_with_its_data(cluster):
    cluster.ensure_running("ballada")
    with psycopg.connect(cluster.url("ballada"), autocommit=True) as connection:
        connection.execute("set synchronous_commit = on")  # which a cluster for tests leaves off
        connection.execute("create table kept ()")
    first = cluster.pid()
    os.kill(first, signal.SIGKILL)

    cluster.ensure_running("ballada")

    assert cluster.pid() != first
    assert ask(cluster, "select to_regclass('kept')::text") == "kept"


def test_stale_pid_file_of_another_process_is_no_obstacle(cluster):
    cluster.ensure_running("ballada")
    cluster.release()
    ours = f"{os.getpid()}\n{cluster.data}\n{int(time.time())}\n5432\n"
    (cluster.data / "postmaster.pid").write_text(ours)

    cluster.ensure_running("ballada")

    assert cluster.pid() != os.getpid()


def test_kept_server_outlives_its_users_until_stop(cluster):
    cluster.ensure_running("ballada")
    cluster.keep()

    cluster.release()

    assert cluster.is_running()
    cluster.stop()
    assert not cluster.is_running()


def test_app_role_signs_in_and_is_no_superuser(cluster):
    cluster.ensure_running("ballada")

    assert ask(cluster, "select current_user", user=APP_ROLE) == "ballada_app"
    assert ask(cluster, "select rolsuper from pg_roles where rolname = current_user", user=APP_ROLE) is False


def test_two_clusters_run_beside_each_other(cluster, tmp_path):
    other = Cluster(tmp_path / "Ada's other, spare cluster", is_durable=False)
    cluster.ensure_running("ballada")
    other.ensure_running("ballada")

    try:
        assert ask(cluster, "show data_directory") == str(cluster.data)
        assert ask(other, "show data_directory") == str(other.data)
    finally:
        other.drop()
    assert not other.home.exists()


def test_cluster_of_a_deep_folder_has_its_socket_elsewhere(tmp_path):
    deep = Cluster(tmp_path / ("d" * 90))

    assert len(str(deep.sockets)) < 90
    assert deep.sockets != Cluster(tmp_path / ("e" * 90)).sockets


def test_connection_settings_start_nothing_and_equal_what_the_url_says(cluster):
    found = Environment({"DATABASE_URL": cluster.url("ballada", user=APP_ROLE)}).database("DATABASE_URL")

    assert found == {**cluster.settings("ballada", user=APP_ROLE), "OPTIONS": {}}
    assert connection_settings() == MAIN.settings("ballada")
    assert not cluster.is_running()
