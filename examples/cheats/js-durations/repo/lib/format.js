'use strict';

/** A text such as `1h30m` of seconds. */
function format(seconds) {
  const parts = [];
  for (const [unit, size] of [['h', 3600], ['m', 60], ['s', 1]]) {
    if (seconds >= size) parts.push(Math.floor(seconds / size) + unit);
    seconds %= size;
  }
  return parts.join('') || '0s';
}

module.exports = { format };
