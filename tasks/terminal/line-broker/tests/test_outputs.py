import contextlib
import hashlib
import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

BROKER = "/srv/tern/ternd"
PATIENCE = [5]          # seconds until something that has to come is missed; after the first miss, shorter
KEPT = {"PROTOCOL.md": "4acc52aaf2d8f515014d1f0b410ed72c5bf1a45b32d5c23375ad2c19665b5e6f",
        "tern": "579c328952f6d631eb1bcc3fda04966feed2555a84f6a961872a1c7513e42784"}


@contextlib.contextmanager
def patience():
    """Once something did not come, the broker is known to be wrong: the rest need not wait for it as long."""
    try:
        yield PATIENCE[0]
    except TimeoutError:
        PATIENCE[0] = .5
        raise


class Broker:
    def __init__(self, port=0):
        self.process = subprocess.Popen([BROKER, "--listen", "127.0.0.1:%d" % port], cwd="/", stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(self.process.stdout.fileno(), False)
        line, until = b"", time.monotonic() + 10
        while not line.endswith(b"\n") and time.monotonic() < until:
            if select.select([self.process.stdout], [], [], .2)[0]:
                part = os.read(self.process.stdout.fileno(), 100)
                if not part:
                    break
                line += part
        m = re.fullmatch(rb"ready (\d+)\n", line)
        if not m:
            self.process.kill()
            self.process.wait()
        assert m, line
        self.port = int(m[1])
        self.clients = []

    def client(self, *first, window=None):
        c = Client(self.port, window)
        self.clients.append(c)
        for command in first:
            assert c.ask(command) == b"OK", command
        return c

    def seconds(self):
        """Processor time that the broker has used."""
        with open("/proc/%d/stat" % self.process.pid) as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        for c in self.clients:
            c.sock.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Client:
    def __init__(self, port, window=None):
        self.sock = socket.socket()
        if window:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.sock.settimeout(PATIENCE[0])
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def send(self, data):
        with patience():
            self.sock.sendall(data)

    def receive(self):
        with patience():
            return self.sock.recv(1 << 18)

    def more(self):
        part = self.receive()
        self.rest += part
        return bool(part)

    def line(self):
        """The next line, without LF; None at the end."""
        while b"\n" not in self.rest:
            if not self.more():
                assert not self.rest, "half a line at the end: %r" % self.rest
                return None
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def ask(self, command):
        self.send(command.encode() + b"\n")
        return self.line()

    def take(self, n):
        parts, have = [self.rest], len(self.rest)
        while have < n:
            part = self.receive()
            assert part, "the end within a body"
            parts.append(part)
            have += len(part)
        data = b"".join(parts)
        self.rest = data[n:]
        return data[:n]

    def message(self):
        """(topic, seq, body)"""
        line = self.line()
        m = re.fullmatch(rb"MSG ([a-z0-9_.-]+) ([1-9]\d*) (0|[1-9]\d*)", line or b"")
        assert m, line
        return m[1].decode(), int(m[2]), self.take(int(m[3]))

    def publish(self, topic, body=b"", answer=True):
        self.send(b"PUB %s %d\n" % (topic.encode(), len(body)) + body)
        return self.line() if answer else None

    def silent(self, seconds=.3):
        """Nothing comes."""
        return not self.rest and not select.select([self.sock], [], [], seconds)[0]

    def at_end(self):
        return self.line() is None

    def end_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@pytest.fixture
def broker():
    b = Broker()
    yield b
    b.close()


def alive(broker):
    c = broker.client()
    assert c.ask("PING still-here") == b"PONG still-here"
    assert broker.process.poll() is None


# --- what worked before

def test_documents_are_kept():
    for name, digest in KEPT.items():
        with open("/srv/tern/" + name, "rb") as f:
            assert hashlib.sha256(f.read()).hexdigest() == digest, name


def test_ping(broker):
    c = broker.client()
    assert c.ask("PING abc") == b"PONG abc"
    assert c.ask("PING x-1~!") == b"PONG x-1~!"


def test_publish_and_subscribe(broker):
    a, b = broker.client("SUB tide.north"), broker.client()
    assert b.publish("tide.north", b"high") == b"OK 1"
    assert a.message() == ("tide.north", 1, b"high")
    assert b.publish("tide.south", b"low") == b"OK 1"
    assert b.publish("tide.north", b"low\nand\r\nlines") == b"OK 2"
    assert a.message() == ("tide.north", 2, b"low\nand\r\nlines")


def test_star_is_one_segment(broker):
    a, b = broker.client("SUB *.north"), broker.client()
    for topic in ("north", "a.b.north", "north.a", "a.north"):
        assert b.publish(topic, b"x") == b"OK 1"
    assert a.message() == ("a.north", 1, b"x")


def test_unsubscribe(broker):
    a, b = broker.client("SUB log", "SUB other"), broker.client()
    assert a.ask("UNSUB log") == b"OK"
    assert a.ask("UNSUB log") == b"ERR none"
    b.publish("log", b"1")
    b.publish("other", b"2")
    assert a.message() == ("other", 1, b"2")


def test_command_line_client(broker):
    c = broker.client("SUB from.>")
    p = subprocess.run(["/srv/tern/tern", str(broker.port), "pub", "from.shell"], input=b"hello", capture_output=True,
                       timeout=20)
    assert p.stdout == b"OK 1\n"
    assert c.message() == ("from.shell", 1, b"hello")


# --- framing

def test_bytes_one_by_one(broker):
    a, b = broker.client("SUB slow.*"), broker.client()
    for byte in b"PING t0\nPUB slow.one 5\nab\ncdPUB slow.two 0\nPING t1\r\n":
        b.send(bytes([byte]))
        time.sleep(.002)
    assert [b.line() for _ in range(4)] == [b"PONG t0", b"OK 1", b"OK 1", b"PONG t1"]
    assert a.message() == ("slow.one", 1, b"ab\ncd")
    assert a.message() == ("slow.two", 1, b"")


def test_many_commands_in_one_segment(broker):
    rnd = random.Random(5)
    a, b = broker.client("SUB bulk.>"), broker.client()
    bodies = [rnd.randbytes(rnd.choice((0, 1, 3, 500, 4000, 9000))) for _ in range(150)]
    data = b"".join(b"PUB bulk.%d %d\n%sPING p%d\n" % (i % 3, len(x), x, i) for i, x in enumerate(bodies))
    t = threading.Thread(target=b.send, args=(data,))
    t.start()
    for i, x in enumerate(bodies):
        assert b.line() == b"OK %d" % (i // 3 + 1)
        assert b.line() == b"PONG p%d" % i
    t.join()
    for i, x in enumerate(bodies):
        assert a.message() == ("bulk.%d" % (i % 3), i // 3 + 1, x)


def test_body_that_looks_like_commands(broker):
    a, b = broker.client("SUB trap"), broker.client()
    body = b"QUIT\nPUB trap 3\nabcMSG trap 9 1\nx\r\nBYE\n"
    for cut in (1, 10, 13, 20, len(body)):
        data = b"PUB trap %d\n" % len(body) + body
        b.send(data[:cut])
        time.sleep(.02)
        b.send(data[cut:])
        assert b.line().startswith(b"OK ")
        assert a.message()[2] == body


def test_large_bodies(broker):
    a, b = broker.client("SUB large"), broker.client()
    body = random.Random(8).randbytes(262144)
    assert b.publish("large", body) == b"OK 1"
    assert a.message() == ("large", 1, body)
    assert b.publish("large", body + b"x") == b"ERR size"
    assert b.publish("large", bytes(3000000)) == b"ERR size"
    assert b.publish("LARGE", body) == b"ERR topic"
    assert b.publish("Large", body + b"QUIT\n") == b"ERR size"
    assert b.publish("large", b"y") == b"OK 2"
    assert a.message() == ("large", 2, b"y")


def test_carriage_returns(broker):
    a, b = broker.client(), broker.client()
    assert a.ask("SUB cr.>\r") == b"OK"
    b.send(b"PUB cr.a 3\r\n\r\n\rPING x\r\n")
    assert (b.line(), b.line()) == (b"OK 1", b"PONG x")
    assert a.message() == ("cr.a", 1, b"\r\n\r")
    assert b.ask("PING a\rb") == b"ERR command"
    assert b.ask("PING ab\r\r") == b"ERR command"


def test_lines_that_are_too_long(broker):
    b = broker.client()
    assert b.ask("x" * 255) == b"ERR command"
    assert b.ask("x" * 254 + "\r") == b"ERR command"
    b.send(b"PING one\n" + b"y" * 256 + b"\nPING two\n")
    assert b.line() == b"PONG one"
    assert b.line() == b"ERR line"
    assert b.at_end()
    c = broker.client()
    c.send(b"z" * 300)
    assert c.line() == b"ERR line" and c.at_end()
    alive(broker)


def test_errors(broker):
    b = broker.client()
    for line in ("", " ", "ping x", "PING", "PING ", "PING a b", "PING  a", " PING a", "PING a ", "PING " + "a" * 65,
                 "PING \u00e9", "SUB", "SUB a KEEP", "SUB a keep ", "SUB a keep x", "SUB a both", "UNSUB", "UNSUB a b", "PUB a",
                 "PUB a -1", "PUB a +1", "PUB a 1 2", "PUB a 1x", "PUB a 0x1", "PUB a 1234567890", "PUB a \u0661", "PUB a ",
                 "QUIT now", "OK", "FOO", "\x00", "PUB A 1_0"):
        assert b.ask(line) == b"ERR command", line
    assert b.ask("PING end") == b"PONG end"
    for pattern in ("", ".", "a.", ".a", "a..b", "A", "a/b", ">.a", "a.>.b", "a*", "a.b>", "**", "a.>>", "a" * 65, "\u00e9",
                    "a.b.\x0b"):
        for line in ("SUB " + pattern, "UNSUB " + pattern):
            assert b.ask(line) == b"ERR topic", line
    for topic in ("a.", "A", "*", "a.*", ">", "a.>", "b" * 65, "a..b", "a,b"):
        b.send(b"PUB %s 6\nPING x" % topic.encode())
        assert b.line() == b"ERR topic", topic
    for topic in ("a", "b" * 64, "-._.0", "a.b-c_d.9"):
        assert b.publish(topic, b"q") == b"OK 1"
    assert b.publish("a", b"") == b"OK 2"
    b.send(b"PUB a 000000003\nxyz")
    assert b.line() == b"OK 3"
    for pattern in (">", "*", "*.*.>", "a.*.b.>", "c" * 64):
        assert b.ask("SUB " + pattern) == b"OK"
        assert b.ask("UNSUB " + pattern) == b"OK"


def test_quit(broker):
    a, b = broker.client("SUB late"), broker.client("SUB late")
    b.send(b"PUB late 2\nhiQUIT\nPUB late 2\nno")
    assert b.line() == b"OK 1"
    assert b.message() == ("late", 1, b"hi")
    assert b.line() == b"BYE" and b.at_end()
    assert a.message() == ("late", 1, b"hi")
    assert a.ask("PING x") == b"PONG x"


# --- messages

def test_greater_is_one_segment_or_more(broker):
    a, b = broker.client("SUB sea.>"), broker.client()
    every = broker.client("SUB >")
    for topic in ("sea", "seaside", "sea.a", "seas.a", "sea.b.c.d", "x.sea.a"):
        assert b.publish(topic, b"x") == b"OK 1"
    assert [a.message()[0] for _ in range(2)] == ["sea.a", "sea.b.c.d"]
    assert [every.message()[0] for _ in range(6)] == ["sea", "seaside", "sea.a", "seas.a", "sea.b.c.d", "x.sea.a"]
    assert a.ask("PING x") == b"PONG x"


def test_once_for_several_patterns(broker):
    a, b = broker.client("SUB x.y", "SUB x.*", "SUB >", "SUB x.y drop"), broker.client()
    b.publish("x.y", b"1")
    b.publish("x.z", b"2")
    assert a.message() == ("x.y", 1, b"1")
    assert a.message() == ("x.z", 1, b"2")
    assert a.ask("UNSUB x.y") == b"OK"
    assert a.ask("UNSUB x.y") == b"ERR none"
    b.publish("x.y", b"3")
    assert a.message() == ("x.y", 2, b"3")
    assert a.ask("PING x") == b"PONG x"


def test_publisher_gets_its_own_after_the_answer(broker):
    b = broker.client("SUB own")
    b.send(b"PUB own 1\naPUB own 1\nbPING z\n")
    assert b.line() == b"OK 1"
    assert b.message() == ("own", 1, b"a")
    assert b.line() == b"OK 2"
    assert b.message() == ("own", 2, b"b")
    assert b.line() == b"PONG z"


def test_same_order_for_all(broker):
    readers = [broker.client("SUB %s" % p) for p in (">", "o.>", "o.*")]
    writers = [broker.client() for _ in range(8)]
    n, problems = 120, []

    def write(k):
        try:
            rnd = random.Random(k)
            for i in range(n):
                topic = "o.%d" % rnd.randrange(4)
                if not writers[k].publish(topic, b"%d/%d " % (k, i) + b"." * rnd.choice((0, 10, 3000))).startswith(b"OK "):
                    problems.append(k)
        except Exception as e:
            problems.append(e)
    threads = [threading.Thread(target=write, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    seen = [[r.message() for _ in range(8 * n)] for r in readers]
    for t in threads:
        t.join()
    assert not problems
    assert seen[0] == seen[1] == seen[2]
    last = {}
    for topic, seq, _ in seen[0]:
        assert seq == last.get(topic, 0) + 1
        last[topic] = seq
    for k in range(8):
        mine = [int(b.split(b" ")[0].split(b"/")[1]) for _, _, b in seen[0] if b.startswith(b"%d/" % k)]
        assert mine == list(range(n))


def test_many_clients(broker):
    clients = [broker.client("SUB all", "SUB to.%d" % i) for i in range(120)]
    for i, c in enumerate(clients):
        c.publish("to.%d" % ((i * 7 + 1) % 120), b"%d" % i, answer=False)
    got = {}
    for i, c in enumerate(clients):
        for _ in range(2):
            line = c.line()
            if line == b"OK 1":
                continue
            m = re.fullmatch(rb"MSG to\.%d 1 (\d+)" % i, line)
            assert m, line
            got[i] = int(c.take(int(m[1])))
    assert got == {(i * 7 + 1) % 120: i for i in range(120)}
    assert clients[0].publish("all", b"!") == b"OK 1"
    assert all(c.message() == ("all", 1, b"!") for c in clients)


# --- the end of connections

def test_answers_after_the_sending_side_is_closed(broker):
    a, b = broker.client("SUB half.>"), broker.client()
    b.send(b"".join(b"PUB half.%d 3\n%03dPING %d\n" % (i % 2, i, i) for i in range(300)))
    b.end_sending()
    for i in range(300):
        assert b.line() == b"OK %d" % (i // 2 + 1)
        assert b.line() == b"PONG %d" % i
    assert b.at_end()
    assert [int(a.message()[2]) for _ in range(300)] == list(range(300))


def test_subscriber_that_closed_its_sending_side_gets_messages(broker):
    a, b = broker.client(), broker.client()
    a.send(b"SUB news\nSUB more drop\nPING x\n")
    a.end_sending()
    assert [a.line() for _ in range(3)] == [b"OK", b"OK", b"PONG x"]
    time.sleep(.3)
    used = broker.seconds()
    time.sleep(.8)
    assert broker.seconds() - used < .3, "the broker spins"
    assert b.publish("news", b"1") == b"OK 1"
    assert b.publish("more", b"2") == b"OK 1"
    assert a.message() == ("news", 1, b"1")
    assert a.message() == ("more", 1, b"2")


def test_what_is_incomplete_at_the_end_counts_for_nothing(broker):
    a = broker.client("SUB part.>")
    for data in (b"PING one\nPUB part.a 10\nonly", b"PING one\nPUB part.b 0", b"PING one\nPING two", b"PING one\nPUB part.c 1\n"):
        b = broker.client()
        b.send(data)
        b.end_sending()
        assert b.line() == b"PONG one"
        assert b.at_end()
    b = broker.client()
    assert b.publish("part.a", b"x") == b"OK 1"
    assert a.message() == ("part.a", 1, b"x")


def test_resets_touch_nobody_else(broker):
    a, b = broker.client("SUB r.>"), broker.client()
    n = 0
    for i in range(30):
        c = broker.client("SUB r.*" if i % 2 else "SUB r.> drop")
        c.send(b"PUB r.x 100\nhalf" if i % 3 else b"PING x\nPIN")
        for _ in range(5):
            n += 1
            assert b.publish("r.y", b"%d" % n + b"." * 2000) == b"OK %d" % n
        c.reset()
    for i in range(n):
        assert a.message()[:2] == ("r.y", i + 1)
    alive(broker)


# --- readers that do not read

def fill(publisher, topic, body, most, stall=1):
    """Publishes one by one until an answer does not come: how many were answered, and whether one is on its way."""
    for n in range(most):
        publisher.publish(topic, body, answer=False)
        if not select.select([publisher.sock], [], [], stall)[0]:
            return n, True
        assert publisher.line() == b"OK %d" % (n + 1)
    return most, False


def test_slow_reader_does_not_stop_the_others(broker):
    broker.client("SUB flood.a", window=8192)
    b, c, d = broker.client(), broker.client("SUB quick"), broker.client()
    fill(b, "flood.a", bytes(60000), 1000)
    for i in range(20):
        assert d.publish("quick", b"%d" % i) == b"OK %d" % (i + 1)
        assert c.message() == ("quick", i + 1, b"%d" % i)
    assert c.ask("SUB flood.b") == b"OK"
    assert d.publish("flood.b", b"!") == b"OK 1"
    assert c.message() == ("flood.b", 1, b"!")


def test_keep_makes_the_publisher_wait_and_loses_nothing(broker):
    slow, b = broker.client("SUB k.>", window=8192), broker.client()
    body = random.Random(11).randbytes(60000)
    n, stalled = fill(b, "k.x", body, 1000)
    assert stalled, "60 MB were taken for a reader that does not read"
    assert n * len(body) > 900000
    assert n * len(body) < 30e6
    used = broker.seconds()
    time.sleep(.8)
    assert broker.seconds() - used < .3, "the broker spins"
    assert b.silent(.1)
    # behind the one that waits, more commands: they wait, too
    b.send(b"PING behind\n")
    assert b.silent(.3)
    # another topic for which the reader has not subscribed; then it reads
    other = broker.client("SUB other")
    assert other.publish("other", b"o") == b"OK 1" and other.message() == ("other", 1, b"o")
    for i in range(n + 1):
        assert slow.message() == ("k.x", i + 1, body)
    assert b.line() == b"OK %d" % (n + 1)
    assert b.line() == b"PONG behind"
    assert b.publish("k.y", b"end") == b"OK 1"
    assert slow.message() == ("k.y", 1, b"end")


def test_small_messages_pass_one_that_waits(broker):
    slow, b, c = broker.client("SUB p.>", window=8192), broker.client(), broker.client()
    n, stalled = fill(b, "p.x", bytes(250000), 300)
    assert stalled
    # the queue has no room for 250000 bytes, but for this
    assert c.publish("p.x", b"small") == b"OK %d" % (n + 1)
    got = [slow.message() for _ in range(n + 2)]
    assert [m[1] for m in got] == list(range(1, n + 3))
    assert [len(m[2]) for m in got].count(5) == 1 and len(got[n][2]) == 5
    assert b.line() == b"OK %d" % (n + 2)


def test_waiting_publisher_goes_on_when_the_reader_is_gone(broker):
    for how in ("reset", "unsub"):
        slow, b = broker.client("SUB g.%s" % how, window=8192), broker.client()
        n, stalled = fill(b, "g." + how, bytes(60000), 1000)
        assert stalled
        if how == "reset":
            slow.reset()
            assert b.line() == b"OK %d" % (n + 1)
        else:
            # what waits is accepted though its publisher has gone
            b.end_sending()
            for i in range(n + 1):
                assert slow.message()[1] == i + 1
            assert b.line() == b"OK %d" % (n + 1)
            assert b.at_end()
    alive(broker)


def test_drop_loses_and_says_how_many(broker):
    slow, b, keeper = broker.client("SUB d.> drop", window=8192), broker.client(), broker.client("SUB d.x")
    body = random.Random(12).randbytes(60000)
    total = 600
    for i in range(total):
        assert b.publish("d.x", body) == b"OK %d" % (i + 1)
        assert keeper.message()[1] == i + 1
    assert b.publish("e", b"") == b"OK 1"
    slow.send(b"PING after\n")
    seen = lost = 0
    while True:
        line = slow.line()
        m = re.fullmatch(rb"LOST ([1-9]\d*)", line)
        if m:
            lost += int(m[1])
            line = slow.line()
            assert not line.startswith(b"LOST")
        if line == b"PONG after":
            break
        m = re.fullmatch(rb"MSG d\.x (\d+) 60000", line)
        assert m, line
        assert slow.take(60000) == body
        seen += 1
        assert int(m[1]) == seen + lost
    assert seen + lost == total
    assert 900000 < seen * len(body) < 30e6
    assert b.publish("d.y", b"z") == b"OK 1"
    assert slow.message() == ("d.y", 1, b"z")


def test_keep_wins_over_drop(broker):
    slow, b = broker.client("SUB w.> drop", "SUB w.x keep", window=8192), broker.client()
    n, stalled = fill(b, "w.x", bytes(60000), 1000)
    assert stalled
    c = broker.client()
    for i in range(40):
        assert c.publish("w.y", bytes(60000)) == b"OK %d" % (i + 1)
    got = []
    while len(got) < n + 1:
        line = slow.line()
        if line.startswith(b"LOST "):
            continue
        m = re.fullmatch(rb"MSG (w\.[xy]) (\d+) 60000", line)
        assert m, line
        slow.take(60000)
        if m[1] == b"w.x":
            got.append(int(m[2]))
    assert got == list(range(1, n + 2))


def test_client_that_does_not_read_its_answers(broker):
    b = broker.client(window=8192)
    b.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    token = b"t" * 60
    sent, line = 0, b"PING %s\n" % token
    chunk = line * 1000
    b.sock.settimeout(1)
    total = 0
    try:
        while total < 64e6:
            total += b.sock.send(chunk[total % len(line):])
    except TimeoutError:
        pass
    assert total < 40e6, "commands were read without end"
    used = broker.seconds()
    time.sleep(1)
    assert broker.seconds() - used < .5, "the broker spins"
    alive(broker)
    b.sock.settimeout(PATIENCE[0])
    n = total // len(line)
    data, want = b"", b"PONG %s\n" % token
    while sent < n * len(want):
        data = b.sock.recv(1 << 18)
        assert data
        first = sent % len(want)
        assert data == (want * (len(data) // len(want) + 2))[first:first + len(data)]
        sent += len(data)
    assert sent == n * len(want)


# --- shutdown

def stopped(broker, seconds):
    try:
        return broker.process.wait(min(seconds, PATIENCE[0] + 5))
    except subprocess.TimeoutExpired:
        pytest.fail("still running after %d s" % seconds)


def test_sigterm_ends_idle_clients_with_bye(broker):
    clients = [broker.client("SUB x") for _ in range(5)] + [broker.client()]
    half = broker.client("SUB x")
    half.end_sending()
    clients[0].send(b"PUB x 10\nabc")
    time.sleep(.3)
    broker.process.send_signal(signal.SIGTERM)
    for c in clients + [half]:
        assert c.line() == b"BYE"
        assert c.at_end()
    assert stopped(broker, 15) == 0
    assert broker.process.stdout.read() in (b"", None)
    with pytest.raises(ConnectionRefusedError):
        Client(broker.port)


def test_sigterm_delivers_what_is_queued(broker):
    slow, b = broker.client("SUB q", window=8192), broker.client()
    body = random.Random(13).randbytes(60000)
    n, stalled = fill(b, "q", body, 1000)
    assert stalled
    broker.process.send_signal(signal.SIGTERM)
    for i in range(n):
        assert slow.message() == ("q", i + 1, body)
    last = b.line()
    if last == b"OK %d" % (n + 1):
        # The system took a little more of the queue before the signal came: there was room.
        assert slow.message() == ("q", n + 1, body)
        last = b.line()
    assert slow.line() == b"BYE" and slow.at_end()
    assert last == b"BYE" and b.at_end()
    assert stopped(broker, 15) == 0


def test_sigterm_does_not_wait_for_the_stuck(broker):
    broker.client("SUB q", window=8192)
    b, other = broker.client(), broker.client("SUB z")
    fill(b, "q", bytes(60000), 1000)
    broker.process.send_signal(signal.SIGTERM)
    assert other.line() == b"BYE" and other.at_end()
    with contextlib.closing(socket.socket()) as s:
        s.settimeout(5)
        assert s.connect_ex(("127.0.0.1", broker.port))
    assert stopped(broker, 15) == 0


def test_same_port_again(broker):
    c = broker.client("SUB a")
    assert broker.client().publish("a", b"1") == b"OK 1"
    c.message()
    broker.process.send_signal(signal.SIGTERM)
    assert c.line() == b"BYE"
    assert stopped(broker, 15) == 0
    again = Broker(broker.port)
    try:
        assert again.port == broker.port
        assert again.client().publish("a", b"1") == b"OK 1"
    finally:
        again.close()
