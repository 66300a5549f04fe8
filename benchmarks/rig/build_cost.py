"""What Parley costs those who build with it: CPU to include it, a clean build, a program's size."""
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

TREE = pathlib.Path(__file__).parent.parent.parent
EXAMPLE = "examples/chat_server/chat_server"


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compiled(folder, text):
    source = pathlib.Path(folder, "empty.cpp")
    source.write_text(text)
    before = children_cpu()
    subprocess.run(["c++", "-std=c++20", f"-I{TREE / 'include'}", "-c", str(source), "-o",
                    str(source) + ".o"], check=True)
    return children_cpu() - before


def library_seconds(folder):
    subprocess.run(["cmake", "-S", TREE, "-B", folder, "-G", "Ninja",
                    "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DPARLEY_TESTS=OFF",
                    "-DPARLEY_EXAMPLES=OFF", "-DPARLEY_BENCHMARKS=OFF",
                    "-DCMAKE_C_COMPILER_LAUNCHER=", "-DCMAKE_CXX_COMPILER_LAUNCHER="],
                   check=True, stdout=subprocess.DEVNULL)
    start = time.monotonic()
    subprocess.run(["cmake", "--build", folder, "-j", str(os.cpu_count())], check=True,
                   stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def measure(programs, parameters):
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        include = '#include "parley/parley.hpp"\n'
        figures["include_s"] = sorted(compiled(folder, include) for _ in range(5))[2]
        example = pathlib.Path(programs["build"], EXAMPLE)
        stripped = shutil.copy(example, folder)
        subprocess.run(["strip", stripped], check=True)
        figures["example_bytes"] = os.path.getsize(stripped)
        if parameters["library"]:
            figures["library_s"] = library_seconds(os.path.join(folder, "build"))
    return figures
