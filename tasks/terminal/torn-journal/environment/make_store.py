"""Makes a Kestrel store and its journal, both damaged, from a seed."""
import random
import struct
import sys
import zlib

PS = 1024
WORDS = ("amber basin cedar delta ember fjord gravel harbor inlet juniper kelp lagoon meadow north orchard pebble quarry "
         "ridge summit tundra umber valley willow zephyr çedilla größe naïve Ørsted東 λάμδα").split()


def crc(b):
    return zlib.crc32(b) & 0xFFFFFFFF


def varint(n):
    out = bytearray()
    while True:
        b = n & 127
        n >>= 7
        if n:
            out.append(b | 128)
        else:
            out.append(b)
            return bytes(out)


def zigzag(n):
    return varint(2 * n if n >= 0 else -2 * n - 1)


class Cell:
    def __init__(self, key, version, txid, vtype, value, over=None):
        self.key, self.version, self.txid, self.vtype, self.value = key, version, txid, vtype, value
        k = key.encode()
        body = varint(len(k)) + k
        flags = 0
        if value is None:
            flags = 1
        elif over:
            flags = 2
            body += struct.pack("<III", over, len(value), crc(value))
        else:
            body += varint(len(value)) + value
        rest = struct.pack("<HBBII", 16 + len(body), flags, vtype, version, txid) + body
        self.raw = struct.pack("<I", crc(rest)) + rest


class Page:
    def __init__(self, no):
        self.no, self.cells, self.off, self.top = no, [], [], 16

    def fits(self, cell):
        return self.top + len(cell.raw) + 2 * (len(self.cells) + 1) <= PS

    def add(self, cell, gap=0):
        self.cells.append(cell)
        self.off.append(self.top)
        self.top += len(cell.raw)

    def drop(self, key):
        keep = [c for c in self.cells if c is None or c.key != key]
        self.cells, self.off, self.top = [], [], 16
        for c in keep:
            if c is not None:
                self.add(c)

    def blank(self, i):
        self.cells[i] = None

    def render(self):
        body = bytearray(PS)
        struct.pack_into("<IBBHI", body, 4, self.no, 1, 0, len(self.cells), 0)
        for i, (c, o) in enumerate(zip(self.cells, self.off)):
            if c is not None:
                body[o:o + len(c.raw)] = c.raw
                struct.pack_into("<H", body, PS - 2 * (i + 1), o)
        struct.pack_into("<I", body, 0, crc(bytes(body[4:])))
        return bytes(body)


def overflow_page(no, payload, nxt):
    body = bytearray(PS)
    struct.pack_into("<IBBHI", body, 4, no, 2, 0, len(payload), nxt)
    body[16:16 + len(payload)] = payload
    struct.pack_into("<I", body, 0, crc(bytes(body[4:])))
    return bytes(body)


def free_page(no, rnd):
    body = bytearray(rnd.randbytes(PS))
    struct.pack_into("<IBBHI", body, 4, no, 0, 0, 0, 0)
    struct.pack_into("<I", body, 0, crc(bytes(body[4:])))
    return bytes(body)


def frame(salt, seq, txid, kind, payload):
    h = b"KFRM" + struct.pack("<IIIBBBBII", salt, seq, txid, kind, 0, 0, 0, len(payload), crc(payload))
    out = h + struct.pack("<I", crc(h)) + payload
    return out + bytes(-len(out) % 16)


def some_value(rnd, size=None):
    t = rnd.choice((1, 1, 2, 2, 2, 3, 4, 4))
    if t == 1:
        n = rnd.choice((0, -1, rnd.randrange(-500, 500), rnd.randrange(-2**62, 2**62), 2**63 - 1, -2**63))
        return 1, zigzag(n)
    if t == 2:
        return 2, " ".join(rnd.choice(WORDS) for _ in range(rnd.randrange(0, 14))).encode()
    if t == 3:
        return 3, rnd.randbytes(rnd.randrange(0, 60))
    return 4, bytes([rnd.choice((0, 1, 2, 2, 2, 3, 6))]) + zigzag(rnd.choice((0, -5, rnd.randrange(-10**6, 10**6),
                                                                              rnd.randrange(-10**12, 10**12))))


def build(seed, damage=True, nkeys=230, ntx=34):
    """The data file and the journal as bytes, and what a store without damage would hold."""
    rnd = random.Random("kestrel-%s" % seed)
    salt, old_salt = rnd.getrandbits(32), rnd.getrandbits(32)
    ckpt = rnd.randrange(900, 1900)
    pages, raw = {}, {}                 # record pages; bytes of the others
    nxt = 1
    live, version, home = {}, {}, {}

    keys = []
    while len(keys) < nkeys:
        k = "%s/%s/%04d" % (rnd.choice(("acct", "item", "user", "größe", "zone")), rnd.choice(WORDS), rnd.randrange(10000))
        if k not in keys:
            keys.append(k)
    cells = []
    chains = []
    for k in keys:
        v = rnd.randrange(1, 40)
        for n in range(rnd.choice((1, 1, 1, 1, 2, 3))):
            v += rnd.choice((1, 1, 1, 2, 5))
            t, val = some_value(rnd)
            cells.append((k, v, rnd.randrange(1, ckpt + 1), t, val))
        if rnd.random() < .06:
            v += 1
            cells.append((k, v, rnd.randrange(1, ckpt + 1), 0, None))
            live[k] = None
        else:
            live[k] = cells[-1][1:]
        version[k] = v
    rnd.shuffle(cells)
    big = rnd.sample([k for k in keys if live[k] is not None], 12)
    current = None
    for k, v, tx, t, val in cells:
        if k in big and v == version[k]:
            text = " ".join(rnd.choice(WORDS) for _ in range(rnd.randrange(160, 520))).encode()
            nos, parts = [], []
            pos = 0
            while pos < len(text):
                n = rnd.choice((1008, 1008, 700))
                parts.append(text[pos:pos + n])
                nos.append(nxt)
                nxt += 1
                pos += n
            order = nos[:]
            rnd.shuffle(order)
            for i, no in enumerate(order):
                raw[no] = overflow_page(no, parts[i], order[i + 1] if i + 1 < len(order) else 0)
            cell = Cell(k, v, tx, 2, text, over=order[0])
            live[k] = (v, tx, 2, text)
            chains.append(order)
        else:
            cell = Cell(k, v, tx, t, val)
        if current is None or not current.fits(cell):
            if rnd.random() < .06:
                raw[nxt] = free_page(nxt, rnd)
                nxt += 1
            current = Page(nxt)
            pages[nxt] = current
            nxt += 1
        current.add(cell)
        home.setdefault(k, set()).add(current.no)
    # some superseded cells were vacuumed: their slots are empty
    for p in pages.values():
        for i, c in enumerate(p.cells):
            if c.version < version[c.key] and rnd.random() < .3:
                p.blank(i)
    disk = {n: p.render() for n, p in pages.items()}
    disk.update(raw)

    # --- work after the checkpoint
    frames = []                          # (txid, kind, payload)
    imaged, locked, active, state = set(), {}, {}, {}
    txid = ckpt
    started = 0

    def touch(no, tx):
        if no not in imaged:
            imaged.add(no)
            frames.append((tx, 3, struct.pack("<I", no) + (pages[no].render() if no in pages else raw[no])))
            active[tx]["n"] += 1

    while started < ntx or active:
        if started < ntx and (len(active) < 3 or (rnd.random() < .25 and len(active) < 5)):
            txid += rnd.choice((1, 1, 1, 2))
            started += 1
            active[txid] = {"n": 0, "left": rnd.randrange(2, 9), "undo": {}}
            continue
        tx = rnd.choice(sorted(active))
        a = active[tx]
        if a["left"] == 0:
            if started >= ntx and len(active) <= 2:
                for t in active:
                    state[t] = "open"
                break
            if rnd.random() < .16:
                frames.append((tx, 5, b""))
                for k, (v, old) in a["undo"].items():
                    version[k] = v
                    live[k] = old
                state[tx] = "rolled-back"
            else:
                frames.append((tx, 4, struct.pack("<I", a["n"])))
                state[tx] = "committed"
            for k in [k for k, t in locked.items() if t == tx]:
                del locked[k]
            del active[tx]
            continue
        a["left"] -= 1
        if rnd.random() < .15:
            k = "new/%s/%05d" % (rnd.choice(WORDS), rnd.randrange(100000))
            version.setdefault(k, 0)
            live.setdefault(k, None)
        else:
            k = rnd.choice(sorted(version))
        if locked.get(k, tx) != tx:
            continue
        locked[k] = tx
        a["undo"].setdefault(k, (version[k], live[k]))
        version[k] += rnd.choice((1, 1, 3))
        if rnd.random() < .14:
            cell = Cell(k, version[k], tx, 0, None)
            live[k] = None
        elif rnd.random() < .06:
            # a value that looks like a commit of a transaction that is still open
            others = [t for t in active if t != tx] or [tx]
            victim = rnd.choice(others)
            fake = frame(salt, len(frames) + 1, victim, 4, struct.pack("<I", active[victim]["n"]))
            head = 32 + 16 + len(varint(len(k.encode()))) + len(k.encode()) + 1
            val = rnd.randbytes(-head % 16) + fake
            assert len(val) < 128
            cell = Cell(k, version[k], tx, 3, val)
            live[k] = (version[k], tx, 3, val)
        elif rnd.random() < .05:
            val = " ".join(rnd.choice(WORDS) for _ in range(rnd.randrange(200, 400))).encode()
            cell = Cell(k, version[k], tx, 2, val)
            live[k] = (version[k], tx, 2, val)
        else:
            t, val = some_value(rnd)
            cell = Cell(k, version[k], tx, t, val)
            live[k] = (version[k], tx, t, val)
        # the pages: the older version goes, the new one is put where there is room
        spots = sorted(home.get(k, ()))
        for no in spots:
            if rnd.random() < .8:
                touch(no, tx)
                pages[no].drop(k)
                home[k].discard(no)
        frames.append((tx, 2 if cell.value is None else 1, cell.raw))
        a["n"] += 1
        if len(cell.raw) < 900:
            room = [p for p in pages.values() if p.fits(cell)]
            if room:
                p = rnd.choice(room)
                touch(p.no, tx)
            else:
                p = Page(nxt)
                pages[nxt] = p
                disk[nxt] = Page(nxt).render()
                imaged.add(nxt)
                nxt += 1
            p.add(cell)
            home.setdefault(k, set()).add(p.no)
        if chains and rnd.random() < .04:
            no = rnd.choice(rnd.choice(chains))
            touch(no, tx)
        if imaged and rnd.random() < .3:
            no = rnd.choice(sorted(imaged))
            if no in pages:
                disk[no] = pages[no].render()
    for t in active:                      # transactions cut off by the crash
        for k, (v, old) in active[t]["undo"].items():
            live[k] = old
    committed = sorted(t for t, s in state.items() if s == "committed")

    chunks = [frame(salt, i + 1, *f) for i, f in enumerate(frames)]
    txs = [f[0] for f in frames]

    if damage:
        done = set(committed)

        def pick(kind):
            return rnd.choice([i for i, f in enumerate(frames)
                               if f[1] in kind and f[0] in done and b"KFRM" not in f[2]])
        # payloads and headers that rotted; a transaction is hit once
        for what, kind in (("payload", (1,)), ("header", (1, 2)), ("payload", (3,)), ("commit", (4,)), ("header", (3,)),
                           ("hole", (1,))):
            i = pick(kind)
            done.discard(txs[i])
            b = bytearray(chunks[i])
            if what == "payload":
                b[32 + rnd.randrange(len(frames[i][2]))] ^= 1 << rnd.randrange(8)
            elif what == "hole":
                b[:16] = bytes(16)
            else:
                b[rnd.choice((5, 9, 13, 21, 30))] ^= 1 << rnd.randrange(8)
            chunks[i] = bytes(b)
        # torn pages: one sector of the new page, one of the old
        dirty = [n for n in pages if pages[n].render() != disk[n]]
        rnd.shuffle(dirty)
        for n in dirty[:9]:
            new, old = pages[n].render(), disk[n]
            disk[n] = new[:512] + old[512:] if rnd.random() < .5 else old[:512] + new[512:]
        # rot within cells of pages that were at rest
        still = [n for n in pages if n not in imaged] or sorted(pages)
        for n in rnd.sample(still, min(4, len(still))):
            p, b = pages[n], bytearray(disk[n])
            used = [i for i, c in enumerate(p.cells) if c is not None]
            for i in rnd.sample(used, min(2, len(used))):
                b[p.off[i] + rnd.randrange(6, len(p.cells[i].raw))] ^= 1 << rnd.randrange(8)
            disk[n] = bytes(b)
        # a cell that was bad when the page was written: the page's own checksum is right
        n = rnd.choice(still)
        b = bytearray(disk[n])
        used = [i for i, c in enumerate(pages[n].cells) if c is not None]
        i = rnd.choice(used)
        b[pages[n].off[i] + 9] ^= 64
        struct.pack_into("<I", b, 0, crc(bytes(b[4:])))
        disk[n] = bytes(b)
        # slots that point to nowhere
        for n in rnd.sample(still, min(2, len(still))):
            b = bytearray(disk[n])
            struct.pack_into("<H", b, PS - 2, rnd.choice((3, 15, 1019, 40000, 1010)))
            disk[n] = bytes(b)
        # rot that hits nothing but unused space
        n = rnd.choice(still)
        b = bytearray(disk[n])
        lo, hi = pages[n].top, PS - 2 * len(pages[n].cells)
        if hi - lo > 2:
            b[rnd.randrange(lo, hi)] ^= 255
        disk[n] = bytes(b)
        # pages written to the wrong place
        a, b = rnd.sample(sorted(pages), 2)
        disk[b] = disk[a]
        # overflow pages: one that was imaged, others that were not
        over = sorted(raw_no for c in chains for raw_no in c)
        hit = [n for n in over if n in imaged][:2] + rnd.sample(over, 2)
        for n in hit:
            if disk[n] == raw[n]:
                b = bytearray(disk[n])
                b[512:] = rnd.randbytes(512)
                disk[n] = bytes(b)

    journal = struct.pack("<8sII", b"KJOURNL2", salt, 7)
    journal += struct.pack("<I", crc(journal)) + bytes(12)
    if damage:
        # the last frame is half written, behind it lies an older generation
        last = frame(salt, len(frames) + 1, sorted(active)[-1] if active else txid,
                     1, Cell("half/written", 3, sorted(active)[-1] if active else txid, 2, b"x" * 300).raw)
        chunks.append(last[:64] + rnd.randbytes(rnd.choice((0, 16, 32))))
    journal += b"".join(chunks)
    stale = b""
    for i in range(40):
        t = rnd.choice(txs)
        if rnd.random() < .3:
            stale += frame(old_salt, 900 + i, t, 4, struct.pack("<I", txs.count(t)))
        else:
            k = rnd.choice(keys)
            stale += frame(old_salt, 900 + i, t, 1, Cell(k, 99999, rnd.choice((t, ckpt - 3)), *some_value(rnd)).raw)
    cut = rnd.randrange(0, 200)
    journal += stale[cut - cut % 16:]
    if damage:
        # and the file ends in the middle of a frame of this generation
        t = txid + 1
        journal += frame(salt, len(frames) + 2, t, 1, Cell("cut/off", 1, t, 2, b"y" * 200).raw)[:100]

    head = struct.pack("<8sHHIII", b"KESTREL2", PS, 0, nxt, ckpt, salt)
    head += struct.pack("<I", crc(head))
    data = head + bytes(PS - len(head)) + b"".join(disk[n] for n in range(1, nxt))
    return data, journal, {k: v for k, v in live.items() if v is not None}, committed


if __name__ == "__main__":
    data, journal, _, _ = build(sys.argv[1])
    with open(sys.argv[2], "wb") as f:
        f.write(data)
    with open(sys.argv[3], "wb") as f:
        f.write(journal)
