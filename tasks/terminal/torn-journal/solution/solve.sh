#!/bin/bash
set -eu
cat > /srv/kestrel/recover <<'PY'
#!/usr/bin/python3
"""recover STORE JOURNAL OUTPUT: what FORMAT.md calls a recovery, as a JSON report."""
import json
import struct
import sys
from zlib import crc32

PAGE = 1024
TOMB, OVER = 1, 2
TYPES = {1: "int", 2: "text", 3: "bytes", 4: "decimal"}


class Bad(Exception):
    pass


def varint(buf, at):
    n = shift = 0
    while True:
        if at >= len(buf):
            raise Bad("bounds")
        b = buf[at]
        at += 1
        n |= (b & 127) << shift
        shift += 7
        if not b & 128:
            return n, at


def signed(buf, at=0):
    n, _ = varint(buf, at)
    return -(n + 1) // 2 if n & 1 else n // 2


def show(kind, raw):
    if kind == 1:
        return signed(raw)
    if kind == 2:
        return raw.decode("utf-8")
    if kind == 3:
        return raw.hex()
    scale, n = raw[0], signed(raw, 1)
    digits = str(abs(n)).rjust(scale + 1, "0")
    text = digits[:-scale] + "." + digits[-scale:] if scale else digits
    return "-" + text if n < 0 else text


def page_ok(page, number, kind):
    crc, no, typ = struct.unpack_from("<IIB", page)
    return crc == crc32(page[4:]) and no == number and typ == kind


class Recovery:
    def __init__(self, store, journal):
        self.pages = [store[i:i + PAGE].ljust(PAGE, b"\0") for i in range(0, len(store), PAGE)]
        count, self.ckpt, self.salt = struct.unpack_from("<III", store, 12)
        self.pages = self.pages[:count]
        self.journal = journal
        self.images, self.cells, self.damaged = [], [], []
        self.tx = {}

    # --- journal
    def read_journal(self):
        j = self.journal
        if len(j) < 32 or j[:8] != b"KJOURNL2":
            return
        salt, _, crc = struct.unpack_from("<III", j, 8)
        if crc != crc32(j[:16]) or salt != self.salt:
            return
        at = 32
        while at + 32 <= len(j):
            head = j[at:at + 32]
            magic, fsalt, _, txid, kind, length, pcrc, hcrc = struct.unpack("<4sIIIB3xIII", head)
            if magic != b"KFRM" or hcrc != crc32(head[:28]) or fsalt != salt:
                at += 16
                continue
            payload = j[at + 32:at + 32 + length]
            t = self.tx.setdefault(txid, {"n": 0, "commit": None, "rollback": False})
            if len(payload) == length and crc32(payload) == pcrc:
                if kind in (1, 2):
                    t["n"] += 1
                    self.cells.append(payload)
                elif kind == 3:
                    t["n"] += 1
                    self.images.append((struct.unpack_from("<I", payload)[0], payload[4:]))
                elif kind == 4:
                    t["commit"] = struct.unpack("<I", payload)[0]
                elif kind == 5:
                    t["rollback"] = True
            at += 32 + (length + 15) // 16 * 16

    def verdict(self, t):
        if t["rollback"]:
            return "rolled-back"
        if t["commit"] is None:
            return "no-commit"
        return None if t["commit"] == t["n"] else "incomplete"

    # --- cells
    def overflow(self, first, length, crc):
        out, no, left = [], first, length // 1 + len(self.pages) + 1
        size = 0
        while no:
            page = None
            if no < len(self.pages) and page_ok(self.pages[no], no, 2):
                page = self.pages[no]
            else:
                last = [p for n, p in self.images if n == no][-1:]
                if last and page_ok(last[0], no, 2):
                    page = last[0]
            left -= 1
            if page is None or left < 0:
                raise Bad("overflow")
            n, no = struct.unpack_from("<HI", page, 10)
            if n > PAGE - 16:
                raise Bad("overflow")
            out.append(page[16:16 + n])
            size += n
            if size > length:
                raise Bad("overflow")
        value = b"".join(out)
        if size != length or crc32(value) != crc:
            raise Bad("overflow")
        return value

    def cell(self, buf, at, end):
        if at < 0 or at + 16 > end:
            raise Bad("bounds")
        crc, length, flags, kind, version, txid = struct.unpack_from("<IHBBII", buf, at)
        if length < 17 or at + length > end:
            raise Bad("bounds")
        raw = buf[at:at + length]
        if crc32(raw[4:]) != crc:
            raise Bad("checksum")
        n, pos = varint(raw, 16)
        key = raw[pos:pos + n]
        pos += n
        if flags & TOMB:
            value = None
        elif flags & OVER:
            value = self.overflow(*struct.unpack_from("<III", raw, pos))
        else:
            n, pos = varint(raw, pos)
            value = raw[pos:pos + n]
        return key, version, txid, kind, value

    def records(self, page):
        """(slot, cell or the reason why there is none) of a record page."""
        slots = struct.unpack_from("<H", page, 10)[0]
        end = PAGE - 2 * slots
        for i in range(slots):
            if PAGE - 2 * (i + 1) < 0:
                break
            at = struct.unpack_from("<H", page, PAGE - 2 * (i + 1))[0]
            if at == 0:
                continue
            try:
                if at < 16:
                    raise Bad("bounds")
                yield i, self.cell(page, at, end), None
            except Bad as why:
                yield i, None, str(why)

    def run(self):
        self.read_journal()
        status = {t: self.verdict(v) for t, v in self.tx.items()}
        good = {t for t, v in status.items() if v is None}
        found = []
        for no, page in enumerate(self.pages):
            if no == 0:
                continue
            number, kind = struct.unpack_from("<IB", page, 4)
            if number != no:
                self.damaged.append({"page": no, "slot": None, "reason": "misplaced"})
            elif kind == 1:
                for slot, cell, why in self.records(page):
                    if why:
                        self.damaged.append({"page": no, "slot": slot, "reason": why})
                    else:
                        found.append(cell)
        for no, page in self.images:
            if page[8] == 1:
                found += [c for _, c, why in self.records(page) if not why]
        for raw in self.cells:
            try:
                found.append(self.cell(raw, 0, len(raw)))
            except Bad:
                pass
        best = {}
        for key, version, txid, kind, value in found:
            if txid > self.ckpt and txid not in good:
                continue
            if key not in best or best[key][0] < version:
                best[key] = (version, txid, kind, value)
        records = [{"key": k.decode(), "version": v, "txid": t, "type": TYPES[kind], "value": show(kind, value)}
                   for k, (v, t, kind, value) in sorted(best.items()) if value is not None]
        return {"records": records, "damaged": self.damaged,
                "transactions": {"committed": sorted(good),
                                 "discarded": [{"txid": t, "reason": status[t]} for t in sorted(status) if status[t]]}}


def main():
    store, journal = open(sys.argv[1], "rb").read(), open(sys.argv[2], "rb").read()
    report = Recovery(store, journal).run()
    with open(sys.argv[3], "w", encoding="utf-8") as f:
        json.dump(report, f, ensure_ascii=False, indent=1)
        f.write("\n")


main()
PY
chmod 755 /srv/kestrel/recover
/srv/kestrel/recover /srv/kestrel/store.kdb /srv/kestrel/store.kdj /srv/kestrel/recovered.json
