"""A Ray cluster of a head and two workers on this machine, which dies bit by bit on request.

Its argument is a folder for its files.
Its standard output begins with the address, for itself and for clients (ray://). Each line of
standard input takes something away: `process` a process that works on a part, `node` a whole
worker. The end of input ends it all.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

# Ray notes the address in a folder that it expects to be there.
os.environ["RAY_TMPDIR"] = sys.argv[1]
Path(sys.argv[1], "ray").mkdir()
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # the loopback interface only
# A busy machine takes longer to start what serves a client than Ray waits for it.
os.environ["RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S"] = "120"


def main() -> None:
    from ray.cluster_utils import Cluster

    size = 200 * 2**20
    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 0,
            "object_store_memory": size,
            "include_dashboard": False,
            "temp_dir": sys.argv[1],
        },
    )
    workers = [cluster.add_node(num_cpus=1, object_store_memory=size) for _ in range(2)]
    cluster.wait_for_nodes()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ["-m", "ray.util.client.server", "--address", cluster.address, "--host", "127.0.0.1"]
    subprocess.Popen([sys.executable, *server, "--port", str(port)], stdout=subprocess.DEVNULL)
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
    print(cluster.address, flush=True)
    print(f"ray://127.0.0.1:{port}", flush=True)
    for line in sys.stdin:
        if line.strip() == "process":
            os.kill(busy_process(), signal.SIGKILL)
        else:
            cluster.remove_node(workers.pop(), allow_graceful=False)
        print("done", flush=True)
    for pid in descendants(os.getpid()):
        os.kill(pid, signal.SIGKILL)
    os._exit(0)


def busy_process() -> int:
    """Return a process of this cluster that works on a part."""
    while True:
        for pid in descendants(os.getpid()):
            title = Path(f"/proc/{pid}/cmdline").read_bytes()
            if title.startswith(b"ray::Map"):
                return pid


def descendants(pid: int) -> list[int]:
    below = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return below + [lower for one in below for lower in descendants(one)]


if __name__ == "__main__":
    main()
