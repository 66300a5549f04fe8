"""Very many quiet connections: as many servers and clients as the descriptors of a process ask
for, all of them at rest at the same time."""
import contextlib
import pathlib
import re
import subprocess
import tempfile
import time

from contestants import Missing, server

SPARE = 4 * 2**30  # bytes that have to be left of the machine's memory
NEEDED = 16 * 2**10  # bytes of a connection: both ends and the kernel's part, with room to spare


def available():
    return 1024 * int(re.search(r"MemAvailable:\s+(\d+)",
                                pathlib.Path("/proc/meminfo").read_text())[1])


def kernel_bytes():
    text = pathlib.Path("/proc/meminfo").read_text()
    return 1024 * int(re.search(r"^Slab:\s+(\d+)", text, re.M)[1])


def private_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return 1024 * int(re.search(r"Private_Dirty:\s+(\d+)", text)[1])


def cpu_seconds(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def clients(programs, protocol, port, sockets, end):
    """A process that connects them all and then answers pings until the file `end` is there."""
    words = {"protocol": protocol, "port": port, "sockets": sockets, "end": end}
    return subprocess.Popen([programs["bench"], "hold", *(f"{k}={v}" for k, v in words.items())],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def connected(client):
    if client.stdout.readline() != "ready\n":
        raise RuntimeError("not all of the clients could connect")


def measure(contestant, programs, parameters, data):
    processes, sockets = parameters["processes"], parameters["sockets"]
    each = sockets // processes
    if available() < SPARE + sockets * NEEDED:
        raise Missing(f"less than {(SPARE + sockets * NEEDED) / 2**30:.0f} GiB of memory are free")
    with contextlib.ExitStack() as stack:
        end = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir=data)), "end")
        servers = [stack.enter_context(server(contestant, programs, core=None))
                   for _ in range(processes)]
        pids = [pid for _, pid in servers]
        before = sum(map(private_bytes, pids))
        kernel, cpu, start = kernel_bytes(), sum(map(cpu_seconds, pids)), time.monotonic()
        for port, _ in servers:  # one after the other: a server and its clients have the two cores
            client = clients(programs, contestant.protocol, port, each, end)
            stack.callback(client.wait)
            stack.callback(client.kill)
            connected(client)
        figures = {"connect_s": time.monotonic() - start,
                   "cpu_us": 1e6 * (sum(map(cpu_seconds, pids)) - cpu) / (each * processes),
                   "bytes": (sum(map(private_bytes, pids)) - before) / (each * processes),
                   "kernel_bytes": (kernel_bytes() - kernel) / (each * processes)}
        time.sleep(parameters["idle"])
        figures["bytes_idle"] = (sum(map(private_bytes, pids)) - before) / (each * processes)
        cpu, start = sum(map(cpu_seconds, pids)), time.monotonic()
        time.sleep(parameters["quiet"])
        figures["idle_share"] = ((sum(map(cpu_seconds, pids)) - cpu)
                                 / (time.monotonic() - start) / processes)
        end.touch()
        return figures
