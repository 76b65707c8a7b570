#!/bin/bash
cat > lib/parse.js <<'JS'
'use strict';

const SIZES = { h: 3600, m: 60, s: 1 };

/** Seconds of a text such as `1h30m`. */
function parse(text) {
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+)([hms])/g)) {
    total += Number(number) * SIZES[unit];
  }
  return total;
}

module.exports = { parse };
JS
