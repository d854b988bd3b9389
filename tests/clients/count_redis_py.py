"""Counts with redis-py while leaders die; counting.py says what and how."""

import sys
import threading
import time

import redis

PAUSE_S = 0.02


def told(reply):
    if isinstance(reply, redis.ResponseError):
        return "-" + "_".join(str(reply).split()[:2])
    if reply is None:
        return "_"
    if isinstance(reply, bytes):
        return "$" + reply.decode()
    if reply is True:  # what the library makes of OK
        return "$OK"
    return f":{reply}" if isinstance(reply, int) else "?"


def ask(client, name, number):
    """A round; the library gives all replies or none."""
    pipe = client.pipeline(transaction=False)
    for _ in range(8):
        pipe.incr(f"{name}:n")
    pipe.echo(f"{name}.{number}").get(f"{name}:v")
    for _ in range(8):
        pipe.incr(f"{name}:n")
    for i in range(4):
        pipe.append(f"{name}:w:{number // 16}", f"{name}.{4 * number + i};")
    pipe.set(f"{name}:v", f"{name}.{number}").get(f"{name}:v")
    try:
        return [told(reply) for reply in pipe.execute(raise_on_error=False)]
    except redis.ConnectionError:
        return ["!"]


def await_server(client):
    while True:
        try:
            client.ping()
            return
        except redis.ConnectionError:
            time.sleep(PAUSE_S)


def count(name, port, over):
    client, number = redis.Redis(port=port), 0
    while not over.is_set():
        replies = ask(client, name, number)
        sys.stdout.write(" ".join([name, str(number), *replies]) + "\n")
        number += 1
        if "!" in replies:
            await_server(client)
        time.sleep(PAUSE_S)


def main():
    library, connections, *ports = sys.argv[1:]
    over = threading.Event()
    threads = [threading.Thread(target=count, args=(f"{library}.{member}.{i}", int(port), over))
               for member, port in enumerate(ports) for i in range(int(connections))]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
