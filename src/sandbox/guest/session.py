import ast, json, os, sys, traceback
_report = 9
_source = os.fdopen(os.dup(0), "r", encoding="utf-8", newline="\n")
_null = os.open(os.devnull, os.O_RDWR)
os.dup2(_null, 0)
os.close(_null)
os.set_inheritable(_report, False)
sys.argv = [""]
if "" not in sys.path:
    sys.path.insert(0, "")
_names = {"__name__": "__main__", "__builtins__": __builtins__, "__doc__": None}


def _run(code):
    tree = ast.parse(code, "<session>", "exec")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<session>", "exec"), _names)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "<session>", "eval"), _names)
        if value is not None:
            _names["_"] = value
            print(repr(value))


def _shown(error):
    # Without the frames of this program: the first of the code's own begins it.
    frames = traceback.extract_tb(error.__traceback__)
    own = [at for at, frame in enumerate(frames) if frame.filename == "<session>"]
    frames = frames[own[0]:] if own else []
    lines = ["Traceback (most recent call last):\n"] + traceback.format_list(frames) if frames else []
    return "".join(lines + traceback.format_exception_only(type(error), error))


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


for _line in _source:
    _status = 0
    try:
        _run(json.loads(_line))
    except SystemExit as _end:
        _flush()
        os._exit(_end.code if isinstance(_end.code, int) else 0 if _end.code is None else 1)
    except BaseException as _error:
        _status = 1
        try:
            sys.stderr.write(_shown(_error))
        except Exception:
            pass
    _flush()
    try:
        _here = os.getcwd()
    except OSError:
        _here = ""
    os.write(_report, ("%d\0%s\0\0" % (_status, _here)).encode("utf-8", "surrogateescape"))
