// node-redis: Debian's, which speaks version 2 of the protocol only, and npm's, which begins with HELLO 3.
'use strict';

const assert = require('node:assert');
const { after, before, describe, test } = require('node:test');
const { createClient, ErrorReply, WatchError } = require('redis');
const { version } = require('redis/package.json');
const { assertRefused, assertSame, closeInTheEnd, collect, killServer, names, port } = require('./support.js');

const isOld = version.startsWith('4.');

async function connect(options) {
  const client = closeInTheEnd(createClient({ socket: { port, reconnectStrategy: () => 20 }, ...options }));
  client.on('error', () => {}); // a connection that is lost is made anew
  await client.connect();
  return client;
}

async function increment(client) {
  for (;;) {
    await client.watch('counter');
    const next = Number(await client.get('counter')) + 1;
    try {
      await client.multi().set('counter', String(next)).exec();
      return;
    } catch (error) {
      assert(error instanceof WatchError, error);
    }
  }
}

function basics(options) {
  let client;

  before(async () => {
    client = await connect(options);
    await client.flushAll();
  });
  after(() => client.quit());

  test('strings, numbers, hashes, keys', async () => {
    assert.strictEqual(await client.set('key', 'a\r\n\u00e9\0'), 'OK');
    assert.strictEqual(await client.get('key'), 'a\r\n\u00e9\0');
    assert.strictEqual(await client.get('none'), null);
    assert.strictEqual(await client.set('key', 'b', { NX: true }), null);
    assert.strictEqual(await client.set('key', 'b', { XX: true, GET: true, PX: 100000 }), 'a\r\n\u00e9\0');
    assert((await client.pTTL('key')) > 0);
    assert.strictEqual(await client.incrBy('number', 40), 40);
    assert.strictEqual(Number(await client.incrByFloat('number', 2.5)), 42.5);
    assert.strictEqual(await client.hSet('hash', { a: '1', b: '2', c: '3' }), 3);
    assert.deepStrictEqual({ ...(await client.hGetAll('hash')) }, { a: '1', b: '2', c: '3' });
    assert.deepStrictEqual(await client.hmGet('hash', ['a', 'none']), ['1', null]);
    assert.deepStrictEqual(await client.mGet(['key', 'none']), ['b', null]);
    assert.strictEqual(await client.type('hash'), 'hash');
    assert.strictEqual(await client.del(['key', 'number', 'hash', 'none']), 3);
  });

  test('commands that are written together are answered in order', async () => {
    const wanted = names('value', 2000);
    const replies = await Promise.all(
      wanted.flatMap((value, i) => [client.set(`piped:${i}`, value), client.get(`piped:${i}`)]),
    );
    assert.deepStrictEqual(replies, wanted.flatMap((value) => ['OK', value]));
    assert.strictEqual(await client.flushAll(), 'OK');
  });

  test('a transaction: all replies, an error among them, and none after WATCH', async () => {
    const replies = await client.multi().set('a', '1').incr('a').get('a').exec();
    assert.deepStrictEqual(replies, ['OK', 2, '2']);
    // Old versions give the error in its place, new ones throw it with all replies.
    const failed = await client.multi().hGet('a', 'field').set('b', '1').exec().catch((error) => error.replies);
    assert(failed[0] instanceof ErrorReply);
    assert.strictEqual(failed[1], 'OK');
    assert.strictEqual(await client.get('b'), '1');
    const other = await connect(options);
    await client.watch('a');
    await other.set('a', '5');
    await assert.rejects(client.multi().set('a', '6').exec(), WatchError);
    assert.strictEqual(await client.get('a'), '5');
    await other.quit();
  });

  test('with WATCH no step of any counter is lost', async () => {
    const others = await Promise.all(names('client', 4).map(() => connect(options)));
    await Promise.all(others.map(async (other) => {
      for (let i = 0; i < 10; i++) await increment(other);
    }));
    assert.strictEqual(await client.get('counter'), '40');
    await Promise.all(others.map((other) => other.quit()));
  });

  test('iterators come to every key and every field once', async () => {
    const keys = names('scanned', 1000);
    await client.mSet(keys.map((key) => [key, 'x']));
    assertSame(await collect(client.scanIterator({ MATCH: 'scanned:*', COUNT: 30 })), keys);
    await client.hSet('fields', Object.fromEntries(keys.map((key) => [key, key])));
    const fields = await collect(client.hScanIterator('fields', { COUNT: 30 }));
    assertSame(fields.map(({ field, value }) => [field, value].join()), keys.map((key) => [key, key].join()));
  });

  test('what the server refuses is an error of the library', async () => {
    await client.hSet('hash', 'a', 'b');
    await assertRefused(client.get('hash'), ErrorReply, 'WRONGTYPE Operation against a key');
    await client.set('text', 'a');
    await assertRefused(client.incr('text'), ErrorReply, 'ERR value is not an integer or out of range');
    await assertRefused(client.sendCommand(['NOSUCH', 'x']), ErrorReply, "ERR unknown command 'NOSUCH', with args");
    await assertRefused(client.sendCommand(['GET']), ErrorReply, "ERR wrong number of arguments for 'get' command");
  });

  test('databases, and a connection of its own', async () => {
    const other = await connect({ ...options, database: 3, name: 'named' });
    await other.set('there', '1');
    assert.strictEqual(await client.get('there'), null);
    assert.strictEqual(await other.clientGetName(), 'named');
    await other.quit();
  });

  test('after the server was killed the client goes on', async () => {
    await client.set('kept', '1');
    await killServer(() => client.info());
    assert.strictEqual(await client.get('kept'), '1');
    assert.strictEqual(await client.set('kept', '2'), 'OK');
  });
}

if (isOld) {
  describe(`node-redis ${version}`, () => basics({}));
} else {
  describe(`node-redis ${version}, version 3 of the protocol`, () => basics({}));
  describe(`node-redis ${version}, version 2 of the protocol`, () => basics({ RESP: 2 }));

  test('version 3 has maps, numbers and nulls of its own', async () => {
    const client = await connect({});
    const hello = await client.hello();
    assert.strictEqual(hello.proto, 3);
    assert.strictEqual(hello.server, 'redis');
    await client.hSet('hash', { a: '1' });
    const raw = await client.withTypeMapping({ [37]: Map }).hGetAll('hash'); // '%': a map
    assert.deepStrictEqual(raw, new Map([['a', '1']]));
    await client.quit();
  });

  test('the library says who it is', async () => {
    const client = await connect({});
    const line = await client.sendCommand(['CLIENT', 'INFO']);
    assert.match(line, new RegExp(`lib-name=node-redis lib-ver=${require('@redis/client/package.json').version}`));
    assert.match(line, / resp=3 /);
    await client.quit();
  });
}
