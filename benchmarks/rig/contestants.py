"""Who takes part: how each server is started, and the versions of all."""
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

PEERS = pathlib.Path(__file__).parent.parent / "peers"


class Missing(Exception):
    """A peer that this machine does not have; the text says what is not there."""


@dataclasses.dataclass(frozen=True)
class Contestant:
    label: str
    protocol: str = ""     # that its server speaks; "": it runs inside parley_bench
    command: tuple = ()    # {bench}, {centrifuge}, {port}, {config} are filled in
    version: tuple = ()    # a command that prints it
    needs: str = ""        # a file under peers/ that must be there
    config: str = ""       # the content of its configuration file
    folder: pathlib.Path | None = None


def npm_version(package):
    return ("node", "-p", f"require('./node_modules/{package}/package.json').version")


CONTESTANTS = {
    "parley": Contestant("Parley", "parley", ("{bench}", "serve", "parley")),
    "parley_send": Contestant("Parley without io_uring", "parley",
                              ("{bench}", "serve", "parley_send")),
    "parley_lmdb": Contestant("Parley on LMDB", "parley", ("{bench}", "serve", "parley_lmdb")),
    "parley_poll": Contestant("Parley, host-driven"),
    # Floors: the least that could be done.
    "floor": Contestant("floor: send() loop", "plain", ("{bench}", "serve", "floor")),
    "floor_uring": Contestant("floor: io_uring send loop", "plain",
                              ("{bench}", "serve", "floor_uring")),
    "floor_join": Contestant("floor: joined send loop", "plain",
                             ("{bench}", "serve", "floor_join")),
    "calls": Contestant("floor: bare calls"),
    "copies": Contestant("floor: memory copy"),
    "post": Contestant("floor: bare post round trip"),
    "raw": Contestant("floor: append + fdatasync"),
    "overwrite": Contestant("floor: overwrite + fdatasync"),
    "lmdb": Contestant("bare LMDB"),
    # Peers.
    "ws": Contestant("ws (Node)", "plain", ("node", "ws_server.mjs"),
                     npm_version("ws"),
                     needs="node_modules/ws", folder=PEERS),
    "socketio": Contestant("socket.io (Node)", "socketio", ("node", "socketio_server.mjs"),
                           npm_version("socket.io"),
                           needs="node_modules/socket.io", folder=PEERS),
    "centrifuge": Contestant("Centrifugo's library", "centrifuge", ("{centrifuge}",),
                             ("sed", "-n", "s/^require .*centrifuge //p", "centrifuge/go.mod"),
                             folder=PEERS),
    "nats": Contestant("NATS", "nats", ("nats-server", "-a", "127.0.0.1", "-p", "{port}"),
                       ("nats-server", "--version")),
    "redis": Contestant("Redis pub/sub", "redis",
                        ("redis-server", "--bind", "127.0.0.1", "--port", "{port}", "--save", "",
                         "--appendonly", "no", "--maxclients", "19900"),
                        ("redis-server", "--version")),
    "mosquitto": Contestant("Mosquitto, QoS 0", "mqtt", ("mosquitto", "-c", "{config}"),
                            ("mosquitto", "-h"),
                            config="listener {port} 127.0.0.1\nallow_anonymous true\n"
                                   "set_tcp_nodelay true\nmax_queued_messages 0\nuser root\n"),
    "rocksdb": Contestant("RocksDB, synced WAL",
                          version=("dpkg-query", "-W", "-f", "${Version}", "librocksdb-dev")),
    "sqlite": Contestant("SQLite, WAL, FULL",
                         version=("dpkg-query", "-W", "-f", "${Version}", "libsqlite3-dev")),
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(port, process):
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


def pinned(core, command):
    """The command, on one core where there are two."""
    return ["taskset", "-c", str(core), *command] if (os.cpu_count() or 1) > 1 else list(command)


@contextlib.contextmanager
def server(contestant, programs, core=0):
    """A server of the contestant's on a core (None: any): its port and process id. Gone
    afterwards."""
    if not shutil.which(contestant.command[0].format(**programs)):
        raise Missing(f"{contestant.command[0].strip('{}')} is not installed")
    if contestant.needs and not (PEERS / contestant.needs).exists():
        raise Missing(f"{contestant.needs} is not installed")
    port = free_port() if "{port}" in " ".join(contestant.command) + contestant.config else 0
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "config")
        config.write_text(contestant.config.format(port=port))
        command = [word.format(port=port, config=config, **programs) for word in contestant.command]
        process = subprocess.Popen(command if core is None else pinned(core, command), stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.DEVNULL, cwd=contestant.folder or folder)
        try:
            if port:
                await_port(port, process)
            else:
                port = int(process.stdout.readline() or 0)
            if not port:
                raise RuntimeError("the server did not start")
            yield port, process.pid
        finally:
            process.kill()
            process.communicate()


def version(contestant):
    """The version of a peer; "" for our own, None when it is not there."""
    if not contestant.version:
        return ""
    try:
        out = subprocess.run(contestant.version, capture_output=True, text=True, check=False,
                             cwd=contestant.folder).stdout
    except OSError:
        return None
    found = re.search(r"\d+\.\d+(?:\.\d+)?", out)
    return found[0] if found else None
