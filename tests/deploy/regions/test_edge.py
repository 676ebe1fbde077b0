"""Which region the edge asks, and what a promotion refuses."""

import signal
import subprocess
import urllib.request

import pytest

from interview_platform.demo.embedded import free_port
from interview_platform.demo.processes import end_with_parent
from tests.deploy.regions.region import REGIONS, nginx_is_missing
from tests.faults.waiting import wait_for

TOKEN = "0123456789abcdefghijklmnopqrstuv"


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Return a function that tells the upstream of a path and a host."""
    if lacking := nginx_is_missing():
        pytest.skip(lacking)
    directory, port = tmp_path_factory.mktemp("edge"), free_port()
    directory.chmod(0o755)
    (directory / "regions.map").write_text((REGIONS / "regions.map.example").read_text())
    (directory / "shipped.conf").write_text((REGIONS / "nginx.conf").read_text())
    (directory / "nginx.conf").write_text(
        f"daemon off; pid {directory}/pid; events {{}} http {{ access_log off; include shipped.conf;"
        f" server {{ listen 127.0.0.1:{port}; location / {{ return 200 $region_upstream; }} }} }}"
    )
    command = ["nginx", "-p", str(directory), "-c", f"{directory}/nginx.conf", "-e", f"{directory}/log"]
    with subprocess.Popen(command, preexec_fn=end_with_parent(signal.SIGTERM)) as process:
        wait_for(lambda: (directory / "pid").exists(), lambda: (directory / "log").read_text())

        def asked(path: str, host: str = "interviews.example.com") -> str:
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host})
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read().decode()

        yield asked
        process.terminate()


@pytest.mark.parametrize(
    "path", ["/i/us~{}/", "/i/us~{}/room/", "/open/us~{}/", "/open/confirm/us~{}/", "/ws/interviews/us~{}/"]
)
def test_a_link_leads_to_the_region_it_names(asked, path):
    assert asked(path.format(TOKEN)) == "us"


def test_a_link_of_before_leads_to_the_region_that_stood_alone(asked):
    assert asked(f"/i/{TOKEN}/") == "eu"


def test_staff_come_under_the_regions_own_name(asked):
    assert asked("/admin/", "us.interviews.example.com") == "us"


def test_a_link_counts_for_more_than_the_host_name(asked):
    assert asked(f"/i/eu~{TOKEN}/", "us.interviews.example.com") == "eu"


def test_a_region_that_is_cut_off_by_no_one_is_not_taken_over():
    refused = subprocess.run([REGIONS / "promote.sh"], capture_output=True, text=True, check=False)

    assert refused.returncode == 1
    assert "FENCED=yes" in refused.stderr
