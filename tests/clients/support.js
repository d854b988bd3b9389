// What the tests of the JavaScript libraries share. Each runs beside the server at CONCLAVE_PORT, which
// is started again when it dies.
'use strict';

const assert = require('node:assert');
const { after } = require('node:test');

const port = Number(process.env.CONCLAVE_PORT);

const processOf = (info) => Number(/process_id:(\d+)/.exec(info)[1]);

// Kills the server that `info` asks, and asks on until another one answers. What was under way is lost.
async function killServer(info) {
  const pid = processOf(await info());
  process.kill(pid, 'SIGKILL');
  for (;;) {
    try {
      const told = await info();
      if (processOf(told) !== pid && told.includes('\nloading:0')) return;
    } catch (error) {
      assert(error instanceof Error && !error.message.startsWith('ERR'), error);
    }
  }
}

const opened = [];

// A test that fails leaves its clients open, and they would keep the process alive.
function closeInTheEnd(client) {
  opened.push(client);
  return client;
}

after(() => {
  for (const client of opened) {
    if (client.isOpen !== false) (client.destroy ?? client.disconnect).call(client);
  }
});

// Numbers from 0, as texts with a word in front.
function names(prefix, count) {
  return Array.from({ length: count }, (_, i) => `${prefix}:${i}`);
}

// All that an iterator gives: one by one in old libraries, in groups in new ones.
async function collect(iterator) {
  const found = [];
  for await (const some of iterator) found.push(...[some].flat());
  return found;
}

// Each exactly once.
function assertSame(found, wanted) {
  assert.deepStrictEqual([...found].sort(), [...wanted].sort());
}

// The library gives its own error, made of what the server said.
async function assertRefused(promise, kind, start) {
  await assert.rejects(promise, (error) => {
    assert(error instanceof kind, `${error.constructor.name}: ${error}`);
    assert(error.message.startsWith(start), error.message);
    return true;
  });
}

module.exports = { port, closeInTheEnd, killServer, names, collect, assertSame, assertRefused };
