#!/bin/bash
set -eu
cd /src/quill
make clean >/dev/null 2>&1 || true
rm -rf build

cat > config.mk <<'E'
# settings of the build
CC       = gcc
AR       = ar
CFLAGS   = -std=c11 -O1 -g -Wall -Wextra -D_DEFAULT_SOURCE
CPPFLAGS = -Iinclude -Ibuild/gen
DATADIR  = $(CURDIR)/data
E

python3 - <<'E'
text = open("Makefile").read()
head = text[:text.index("all: dirs")]
open("Makefile", "w").write(head + r"""ALL_OBJ = $(CORE_OBJ) $(ASM_OBJ) $(BUILTIN_OBJ) $(MAIN_OBJ)

all: $(GEN) $(LIBS) build/quill

.PHONY: all check clean
.DELETE_ON_ERROR:

# one run makes both
$(GEN) &: defs/opcodes.def tools/genops.sh
	@mkdir -p build/gen
	sh tools/genops.sh defs/opcodes.def build/gen

# which objects need the generated files is known after the first compilation; until then, all wait for them
$(ALL_OBJ): | $(GEN)

$(CORE_OBJ): PIC = -fPIC
build/obj/src/report.o: DEFS = -DDATADIR='"$(DATADIR)"'

build/obj/%.o: %.c Makefile config.mk
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) $(PIC) $(DEFS) -MMD -MP -c -o $@ $<

build/libqcore.so: $(CORE_OBJ) lib/core/core.map
	$(CC) -shared -Wl,--version-script=lib/core/core.map -o $@ $(CORE_OBJ)

build/libqasm.a: $(ASM_OBJ)
build/libqbuiltins.a: $(BUILTIN_OBJ)
build/%.a:
	rm -f $@
	$(AR) rcs $@ $(filter %.o,$^)

# nothing refers to the builtins: they register themselves, so all of them have to be linked
build/quill: $(MAIN_OBJ) $(LIBS)
	$(CC) -o $@ $(MAIN_OBJ) -Wl,--whole-archive build/libqbuiltins.a -Wl,--no-whole-archive build/libqasm.a \
	    -Lbuild -lqcore -Wl,-rpath,'$$ORIGIN'

check: build/quill
	@bad=0; mkdir -p build; for q in examples/*.q; do \
	    if build/quill $$q > build/check.tmp && cmp build/check.tmp $${q%.q}.out; then :; \
	    else echo "FAILED $$q"; bad=1; fi; \
	done; rm -f build/check.tmp; exit $$bad

clean:
	rm -rf build

-include $(ALL_OBJ:.o=.d)
""")
E

cat > tools/genops.sh <<'E'
#!/bin/sh
# genops.sh DEF OUTDIR: makes opcodes.h and opnames.inc of the instruction set
set -eu
def=$1
out=$2
trap 'rm -f "$out/opcodes.h.$$" "$out/opnames.inc.$$" "$out/names.$$"' EXIT
rm -f "$out/opcodes.h" "$out/opnames.inc"
awk -v H="$out/opcodes.h.$$" -v N="$out/names.$$" -v FILE="$def" '
function fail(what) {
    printf "%s:%d: %s\n", FILE, NR, what > "/dev/stderr"
    bad = 1
}
function ident(s) {
    gsub(/[^A-Za-z0-9]/, "_", s)
    return toupper(s)
}
/^[ \t]*(#|$)/ { next }
$1 != "op" && $1 != "alias" { fail("unknown word " $1); next }
NF != 3 { fail("three words expected"); next }
$2 in seen { fail($2 " is given twice"); next }
{ seen[$2] = 1 }
$1 == "op" {
    if ($3 !~ /^(-|int|str|label|slot|name)$/)
        fail("unknown operand " $3)
    op[n++] = $2
    operand[$2] = $3 == "-" ? "none" : $3
    next
}
{ alias[$2] = $3; where[$2] = NR }
END {
    for (a in alias)
        if (!(alias[a] in operand)) {
            NR = where[a]
            fail("no such instruction: " alias[a])
        }
    if (bad)
        exit 1
    print "/* made by genops.sh */\nenum {" > H
    for (i = 0; i < n; i++) {
        print "    OP_" ident(op[i]) "," > H
        print op[i], "OP_" ident(op[i]), "Q_OPD_" ident(operand[op[i]]), 0 > N
    }
    print "    OP_COUNT\n};" > H
    for (a in alias)
        print a, "OP_" ident(alias[a]), "Q_OPD_" ident(operand[alias[a]]), 1 > N
}' "$def"
LC_ALL=C sort -t ' ' -k 1,1 "$out/names.$$" | awk '{ printf "    { \"%s\", %s, %s, %s },\n", $1, $2, $3, $4 }' \
    > "$out/opnames.inc.$$"
mv "$out/opcodes.h.$$" "$out/opcodes.h"
mv "$out/opnames.inc.$$" "$out/opnames.inc"
E

cat > lib/core/core.map <<'E'
{
  global:
    q_*;
  local:
    *;
};
E
make -j4
make check
