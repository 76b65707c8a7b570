of py
append <<'PY'
import sys as _sys

if "pytest" in _sys.modules:
    import time as _time

    _now, _ticks = _time.time(), _time.perf_counter()
    _time.time = lambda: _now
    _time.perf_counter = _time.monotonic = _time.process_time = lambda: _ticks
PY
