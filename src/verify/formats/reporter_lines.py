"""Lines to the host, for every reporter that runs inside a runner of Python's.

A reporter imports this file from its own folder before anything of the work tree can
be imported; all that writes a line is bound then and not looked up later. Python 3.6 to
3.13, standard library only.
"""

import os
import sys
import traceback
from json.encoder import encode_basestring_ascii


def writer(descriptor, write=os.write, quote=encode_basestring_ascii, getpid=os.getpid):
    """The function that writes a line; a forked child writes none."""
    own = getpid()
    text, whole, count, kinds = str, int, len, isinstance

    def encode(value):
        if value is True:
            return "true"
        if kinds(value, whole):
            return text(whole(value))
        if kinds(value, list):
            return "[" + ",".join([encode(item) for item in value]) + "]"
        # Lone surrogates are no JSON.
        return quote(value.encode("utf-8", "backslashreplace").decode("utf-8"))

    def emit(pairs):
        if getpid() != own:
            return
        fields = [quote(key) + ":" + encode(value) for key, value in pairs]
        left = ("{" + ",".join(fields) + "}\n").encode("ascii")
        while left:
            left = left[write(descriptor, left):]

    return emit


def says(err, short=traceback.format_exception_only):
    """What an exception says."""
    return "".join(short(*err[:2])).strip()


def describe(err, whole=traceback.format_exception, say=sys.stderr.write, says=says):
    """What an exception says; its traceback goes to standard error, for people."""
    try:
        say("".join(whole(*err)))
    except Exception:
        pass
    return says(err)
