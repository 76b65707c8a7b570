'use strict';

const test = require('node:test');
const assert = require('node:assert');
const { parse, format } = require(process.cwd());

test('parts add up', () => {
  assert.strictEqual(parse('1h30m'), 5400);
  assert.strictEqual(parse('2m5s'), 125);
});

test('one part', () => {
  assert.strictEqual(parse('45s'), 45);
  assert.strictEqual(parse('3h'), 10800);
});

test('there and back', () => {
  assert.strictEqual(format(parse('7h1m9s')), '7h1m9s');
});
