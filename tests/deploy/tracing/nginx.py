"""An NGINX that begins traces by deploy/nginx, and passes everything on."""

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from interview_platform.demo.embedded import free_port
from tests.conftest import ROOT
from tests.faults.waiting import wait_for

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin")
BEGINNING = ROOT / "deploy" / "nginx" / "templates" / "traces.conf.template"


@contextlib.contextmanager
def passing_to(upstream: str, directory: Path, *, sampled: str) -> Iterator[str]:
    """Run it; yield its address. upstream: host and port. sampled: this part of the traces is kept.

    The log `access.log` in the directory has the id of each request, its trace and its path.
    """
    port = free_port()
    (directory / "traces.conf").write_text(BEGINNING.read_text().replace("${EDGE_TRACED}", sampled))
    (directory / "nginx.conf").write_text(f"""
        daemon off; pid {directory}/pid; error_log stderr; events {{}}
        http {{
          log_format ids '$request_id $traceparent $uri';
          access_log {directory}/access.log ids;
          client_body_temp_path {directory}; proxy_temp_path {directory};
          fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};
          include {directory}/traces.conf;
          server {{
            listen 127.0.0.1:{port};
            location / {{
              proxy_http_version 1.1;
              proxy_set_header Host $http_host;
              proxy_set_header Upgrade $http_upgrade;
              proxy_set_header Connection $http_connection;
              proxy_set_header X-Request-ID $request_id;
              proxy_set_header traceparent $traceparent;
              proxy_pass http://{upstream};
            }}
          }}
        }}
    """)
    process = subprocess.Popen([str(PROGRAM), "-c", directory / "nginx.conf", "-p", directory])
    try:
        wait_for(lambda: _is_open(port), "NGINX")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
