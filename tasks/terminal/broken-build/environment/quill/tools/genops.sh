#!/bin/sh
# genops.sh DEF OUTDIR: makes opcodes.h and opnames.inc of the instruction set
DEF=$1
OUT=$2
TMP=/tmp/genops.tmp

ident() {
    gawk '{ print toupper(gensub(/[^A-Za-z0-9]/, "_", "g", $0)) }'
}

echo "/* made by genops.sh */" > $OUT/opcodes.h
echo "enum {" >> $OUT/opcodes.h
grep '^op' $DEF | awk '{ print $2 }' | ident > $TMP
while read name; do
    echo "    OP_$name," >> $OUT/opcodes.h
done < $TMP
echo "    OP_COUNT" >> $OUT/opcodes.h
echo "};" >> $OUT/opcodes.h

grep '^op' $DEF | sort -k 2,2 > $TMP
grep '^alias' $DEF >> $TMP
rm -f $OUT/opnames.inc
while read what name operand; do
    alias=0
    code=$(echo $name | ident)
    if [[ $what == alias ]]; then
        alias=1
        code=$(echo $operand | ident)
        operand=$(grep "^op *$operand" $DEF | awk '{ print $3 }')
    fi
    case $operand in
    -) operand=none ;;
    esac
    echo "    { \"$name\", OP_$code, Q_OPD_$(echo $operand | ident), $alias }," >> $OUT/opnames.inc
done < $TMP
exit 0
