'use strict';

const test = require('node:test');
const assert = require('node:assert');
const { format } = require('..');

test('hours and minutes', () => {
  assert.strictEqual(format(5400), '1h30m');
});
