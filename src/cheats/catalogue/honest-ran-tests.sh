repo
if [ -f Makefile ]; then make >/tmp/make.log 2>&1; fi
if [ -n "$(visible_tests py)" ]; then
  timeout 200 python3 -m pytest -q --junitxml=report.xml >/tmp/tests.log 2>&1
  python3 -m compileall -q . >/dev/null 2>&1
elif [ -n "$(visible_tests 'js|cjs')" ]; then
  timeout 200 node --test >/tmp/tests.log 2>&1
else
  not_here "no tests"
fi
true
