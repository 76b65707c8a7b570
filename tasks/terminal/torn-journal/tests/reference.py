"""A second, independent reader of the format: the tests compare with it."""
import zlib


def u(b, at, n):
    return int.from_bytes(b[at:at + n], "little")


def take_varint(b):
    value, i = 0, 0
    while b[i] > 127:
        value += (b[i] - 128) * 128 ** i
        i += 1
    return value + b[i] * 128 ** i, b[i + 1:]


def take_signed(b):
    n, rest = take_varint(b)
    return (n // 2 if n % 2 == 0 else -(n // 2) - 1), rest


def good(block):
    return zlib.crc32(block[4:]) == u(block, 0, 4)


def frames(journal, salt):
    if len(journal) < 32 or journal[:8] != b"KJOURNL2":
        return
    if zlib.crc32(journal[:16]) != u(journal, 16, 4) or u(journal, 8, 4) != salt:
        return
    at = 32
    while True:
        h = journal[at:at + 32]
        if len(h) < 32:
            return
        if h[:4] == b"KFRM" and zlib.crc32(h[:28]) == u(h, 28, 4) and u(h, 4, 4) == salt:
            n = u(h, 20, 4)
            body = journal[at + 32:at + 32 + n]
            whole = len(body) == n and zlib.crc32(body) == u(h, 24, 4)
            yield u(h, 12, 4), h[16], body if whole else None
            at += 32 + n
            at += -at % 16
        else:
            at += 16


def slots(page):
    n = u(page, 10, 2)
    for s in range(n):
        at = u(page, 1024 - 2 * s - 2, 2)
        if at:
            limit = 1024 - 2 * n
            size = u(page, at + 4, 2) if 16 <= at <= limit - 16 else 0
            if size < 17 or at + size > limit:
                yield s, "bounds", None
            elif not good(page[at:at + size]):
                yield s, "checksum", None
            else:
                yield s, None, page[at:at + size]


def render(kind, b):
    if kind == 1:
        return "int", take_signed(b)[0]
    if kind == 2:
        return "text", b.decode()
    if kind == 3:
        return "bytes", b.hex()
    scale, n = b[0], take_signed(b[1:])[0]
    whole, part = divmod(abs(n), 10 ** scale)
    return "decimal", ("-" if n < 0 else "") + str(whole) + ("." + str(part).zfill(scale) if scale else "")


def recover(data, journal):
    count, ckpt, salt = u(data, 12, 4), u(data, 16, 4), u(data, 20, 4)
    log = list(frames(journal, salt))
    committed, discarded = [], []
    for t in sorted({f[0] for f in log}):
        mine = [(k, b) for x, k, b in log if x == t and b is not None]
        commits = [u(b, 0, 4) for k, b in mine if k == 4]
        if any(k == 5 for k, _ in mine):
            discarded.append({"txid": t, "reason": "rolled-back"})
        elif not commits:
            discarded.append({"txid": t, "reason": "no-commit"})
        elif commits[-1] != sum(k in (1, 2, 3) for k, _ in mine):
            discarded.append({"txid": t, "reason": "incomplete"})
        else:
            committed.append(t)
    images = {}
    for _, k, b in log:
        if k == 3 and b is not None:
            images.setdefault(u(b, 0, 4), []).append(b[4:])

    def overflow_page(n):
        for page in [data[1024 * n:1024 * n + 1024] if n < count else b""] + images.get(n, [])[-1:]:
            if len(page) == 1024 and good(page) and u(page, 4, 4) == n and page[8] == 2:
                return page

    def read(cell):
        """None if the overflow pages do not give the value"""
        n, rest = take_varint(cell[16:])
        key, rest = rest[:n], rest[n:]
        if cell[6] & 1:
            value = None
        elif cell[6] & 2:
            value, no, seen = b"", u(rest, 0, 4), set()
            while no:
                page = overflow_page(no)
                if page is None or no in seen:
                    return None
                seen.add(no)
                value += page[16:16 + u(page, 10, 2)]
                no = u(page, 12, 4)
            if len(value) != u(rest, 4, 4) or zlib.crc32(value) != u(rest, 8, 4):
                return None
        else:
            n, rest = take_varint(rest)
            value = rest[:n]
        return key, u(cell, 8, 4), u(cell, 12, 4), cell[7], value

    damaged, candidates = [], []
    for no in range(1, count):
        page = data[1024 * no:1024 * no + 1024]
        if u(page, 4, 4) != no:
            damaged.append({"page": no, "slot": None, "reason": "misplaced"})
        elif page[8] == 1:
            for s, why, cell in slots(page):
                got = read(cell) if cell else None
                if got:
                    candidates.append(got)
                else:
                    damaged.append({"page": no, "slot": s, "reason": why or "overflow"})
    for pages in images.values():
        for page in pages:
            if page[8] == 1:
                candidates += filter(None, (read(c) for _, _, c in slots(page) if c))
    for _, k, b in log:
        if k in (1, 2) and b is not None and good(b):
            candidates.append(read(b))
    best = {}
    for c in sorted((c for c in candidates if c[2] <= ckpt or c[2] in committed), key=lambda c: c[1]):
        best[c[0]] = c
    records = []
    for key in sorted(best):
        _, version, txid, kind, value = best[key]
        if value is not None:
            name, shown = render(kind, value)
            records.append({"key": key.decode(), "version": version, "txid": txid, "type": name, "value": shown})
    return {"records": records, "damaged": damaged,
            "transactions": {"committed": committed, "discarded": discarded}}
