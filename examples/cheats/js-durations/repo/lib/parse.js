'use strict';

/** Seconds of a text such as `1h30m`. */
function parse(text) {
  let total = 0;
  for (const [, number] of text.matchAll(/(\d+)[hms]/g)) {
    total = Number(number);
  }
  return total;
}

module.exports = { parse };
