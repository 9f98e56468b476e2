"""Index Python's standard library with worker processes that could run on other machines, over a NATS server.

    main process                                     worker processes

    a thread reads the files   -- (path, text) -->   tokenize, count the identifiers
    the main thread merges     <-- (path, lines, ((name, count), ...)), or (path, reason)

Each arrow is one channel on the server. stdlib_index.py does the same with interpreters; the work on one file is the
same module, identifiers.py. A worker holds a lease for the text that it works on. If the worker is killed, the lease
expires, and another worker receives the text. So a result may arrive twice, and the main process counts it once.

`--kill` kills the first worker after a third of the results. Afterwards the main process repeats the work alone and
compares the results. Start a server with `nats-server -js`, or pass the URL of one.

Exit code: 0; 1 if the results differ or no worker is left; 130 after Ctrl-C.
"""

import argparse
import contextlib
import signal
import subprocess
import sys
import sysconfig
import threading
import uuid
from pathlib import Path

import identifiers
from stdlib_index import Index, Progress, find_files, index_alone, positive

import xichan
import xichan.nats

SERVER = "nats://127.0.0.1:4222"
CAPACITY = 16  # texts on the server: limits how far the reader runs ahead of the workers
LEASE = 5.0  # seconds after which the text of a worker that does not reply is delivered to another one
PATIENCE = 2 * LEASE  # seconds without a result after which the main process looks for workers that have ended


def work(server, run):
    """Examine texts until their channel is shut down. Runs in a worker process."""
    with (
        xichan.nats.connect(server) as hub,
        hub.receiver(f"{run}-texts") as texts,
        hub.sender(f"{run}-results") as results,
    ):
        with contextlib.suppress(xichan.ChannelClosed):
            while True:
                with texts.lease() as (path, text):
                    results.send(identifiers.examine(path, text))


def send_texts(texts, results, root, paths):
    """Read and send all files, in a thread of the main process. No more texts are sent after that."""
    with texts, results, contextlib.suppress(xichan.ChannelClosed):
        for path in paths:
            try:
                text = identifiers.read(root, path)
            except identifiers.UNREADABLE as error:
                results.send((path, identifiers.describe(error)))
            else:
                texts.send((path, text))


def index_with_workers(server, root, paths, workers, kill, progress):
    """Index in processes. Return the index, and the numbers of results that arrived again and of workers killed."""
    run = f"index-{uuid.uuid4().hex[:12]}"
    index, seen, again, killed = Index(), set(), 0, 0
    with xichan.nats.connect(server) as hub:
        texts_tx, texts_rx = hub.channel(f"{run}-texts", CAPACITY, storage="file", ack="lease", ack_wait=LEASE)
        # Kept: the reader may have finished before the first worker has opened its Sender.
        results_tx, results_rx = hub.channel(f"{run}-results", CAPACITY, storage="file", keep=True)
        command = [sys.executable, __file__, "--work", run, "--server", server]
        processes = [subprocess.Popen(command) for _ in range(workers)]
        reader = threading.Thread(target=send_texts, args=(texts_tx, results_tx, root, paths))
        reader.start()
        try:
            for _ in progress.over(paths, len(paths)):
                while (result := receive(results_rx, processes))[0] in seen:
                    again += 1
                seen.add(result[0])
                index.add(result)
                if kill and not killed and len(seen) > len(paths) // 3:
                    processes[0].send_signal(signal.SIGKILL)
                    killed += 1
        finally:
            texts_rx.shutdown(immediate=True)  # the workers and the reader end
            results_rx.shutdown(immediate=True)
            for process in processes:
                process.wait()
            reader.join()
            texts_rx.close()
            results_rx.close()
            hub.delete(f"{run}-texts")
            hub.delete(f"{run}-results")
    return index, again, killed


def receive(results, processes):
    """Return the next result. Exit if no worker is left to send one."""
    while True:
        try:
            return results.recv(timeout=PATIENCE)
        except TimeoutError:
            if all(process.poll() is not None for process in processes):
                sys.exit("all workers have ended")


def parse_arguments():
    parser = argparse.ArgumentParser(description="Index Python source files in processes, over a NATS server.")
    stdlib = Path(sysconfig.get_path("stdlib"))
    parser.add_argument("--server", default=SERVER, metavar="URL", help=f"default: {SERVER}")
    parser.add_argument("--workers", type=positive, default=2, metavar="N", help="processes (default: 2)")
    parser.add_argument("--root", type=Path, default=stdlib, metavar="FOLDER", help="default: the standard library")
    parser.add_argument("--limit", type=positive, metavar="N", help="index the first N files only")
    parser.add_argument("--top", type=positive, default=20, metavar="N", help="identifiers to show (default: 20)")
    parser.add_argument("--kill", action="store_true", help="kill a worker after a third of the results")
    parser.add_argument("--work", metavar="RUN", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.work:
        work(arguments.server, arguments.work)
        return 0
    root = arguments.root
    paths, _ = find_files(root, arguments.limit)
    if not paths:
        sys.exit(f"no Python files in {root}")
    title = f"{arguments.workers} workers"
    index, again, killed = index_with_workers(
        arguments.server, root, paths, arguments.workers, arguments.kill, Progress(title)
    )
    expected = index_alone(root, paths, Progress("alone"))
    sys.stdout.reconfigure(errors="backslashreplace")  # names and paths may have characters that the terminal lacks
    for name, count in sorted(index.names.items(), key=lambda item: (-item[1], item[0]))[: arguments.top]:
        print(f"{count:9,}  {name}")
    print(f"\n{len(paths)} files, {sum(index.lines.values()):,} lines, {len(index.skipped)} files skipped")
    print(f"{killed} workers killed, {again} results received again")
    same = index == expected
    print(f"the results {'are equal' if same else 'DIFFER'}")
    return 0 if same else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
    except xichan.nats.NatsError as error:
        sys.exit(f"{error}\nstart a server with `nats-server -js`, or pass --server URL")
