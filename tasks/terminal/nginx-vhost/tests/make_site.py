"""Makes the files of the sites below a folder, from a seed."""
import base64
import hashlib
import os
import random
import sys

WORDS = "anker boje deich ebbe flut gezeit hafen insel jolle kai leuchtturm mole netz ottersand priel quelle reede segel".split()


def site(seed):
    """{path: content}, and the table of redirects as a list of rows"""
    rnd = random.Random("press-%s" % seed)

    def slug():
        return "%s-%s-%d" % (rnd.choice(WORDS), rnd.choice(WORDS), rnd.randrange(10, 9999))

    def page(name):
        return "<!doctype html><title>%s</title><p>%s %08x</p>\n" % (name, name, rnd.getrandbits(32))
    files, rows, seen = {}, [], set()

    def row(old, state, new=None):
        if old not in seen:
            seen.add(old)
            rows.append((old, state) if new is None else (old, state, new))
    for name in ("index", "about", "guide/index", "guide/start", "guide/v1.2", "books/index", "staff/index", "staff/rota",
                 "errors/404", "about/team", "books/größe"):
        files["srv/press/public/%s.html" % name] = page(name)
    for name, ext in (("app.3fa9", "js"), ("site.77c1", "css"), ("print/late.0b2d", "css")):
        files["srv/press/public/assets/%s.%s" % (name, ext)] = "/* %s %08x */\n" % (name, rnd.getrandbits(32))
    files["srv/press/public/books/list.txt"] = "%08x\n" % rnd.getrandbits(32)
    for name in (".git/config", "guide/.draft.html", "about.html.bak", "books/list.txt~", ".well-known/security.txt",
                 "books/.old/list.txt"):
        files["srv/press/public/" + name] = "%s %08x\n" % (name, rnd.getrandbits(32))
    for name in ("catalogue.txt", "2024/spring.txt"):
        files["srv/press/print-files/" + name] = "%s %08x\n" % (name, rnd.getrandbits(32))
    files["srv/press/print-files-private/margins.txt"] = "private %08x\n" % rnd.getrandbits(32)
    for name in ("2025-01.txt", "2025-02.txt"):
        files["srv/status/reports/" + name] = "report %08x\n" % rnd.getrandbits(32)

    for _ in range(60):
        row(rnd.choice(("/artikel/%s.html", "/Artikel/%s", "/shop/%s", "/autoren/%s/")) % slug(),
            *rnd.choice((("moved", "/books/" + slug()), ("moved", "/guide/" + slug()), ("temporary", "/books/" + slug()),
                         ("gone",))))
    for w in rnd.sample(WORDS, 8):
        row("/katalog/" + w, "moved", "/books/" + slug())
        row("/Katalog/" + w.capitalize(), "temporary", "/guide/" + slug())
        row("/katalog/" + w.capitalize(), "gone")
    for w in rnd.sample(WORDS, 5):
        row("/bücher/%s größe.html" % w, "moved", "/books/gr%C3%B6%C3%9Fe-" + slug())
    row("/c++/a.b", "moved", "/books/" + slug())
    row("/preis/5$ (neu)", "moved", "/books/" + slug())
    row("/about/index.html", "moved", "/about/team")
    row("/guide/start.html", "temporary", "/guide/start")
    for n in rnd.sample(range(3, 400), 25):
        row("/index.php?id=%d" % n, *rnd.choice((("moved", "/books/" + slug()), ("temporary", "/guide/%s#part" % slug()),
                                                 ("gone",))))
    rnd.shuffle(rows)
    files["srv/press/redirects.tsv"] = "# old address\tstate\tnew address\n" + "".join("\t".join(r) + "\n" for r in rows)
    password = "%s-%s-%06d" % (rnd.choice(WORDS), rnd.choice(WORDS), rnd.randrange(10**6))
    salt = rnd.randbytes(8)
    digest = base64.b64encode(hashlib.sha1(password.encode() + salt).digest() + salt).decode()
    files["etc/nginx/staff.htpasswd"] = "harbour:{SSHA}%s\n" % digest
    return files, rows, password


if __name__ == "__main__":
    for name, text in site(sys.argv[1])[0].items():
        path = os.path.join(sys.argv[2], name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
