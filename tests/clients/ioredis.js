// ioredis: pipelines, also those it makes by itself, and a connection that asks INFO before it is used.
'use strict';

const assert = require('node:assert');
const { after, before, describe, test } = require('node:test');
const Redis = require('ioredis');
const { version } = require('ioredis/package.json');
const { assertRefused, assertSame, closeInTheEnd, collect, killServer, names, port } = require('./support.js');

const { ReplyError } = Redis;

function connect(options) {
  const client = closeInTheEnd(new Redis({ port, retryStrategy: () => 20, ...options }));
  client.on('error', () => {}); // a connection that is lost is made anew
  return client;
}

async function increment(client) {
  for (;;) {
    await client.watch('counter');
    const next = Number(await client.get('counter')) + 1;
    if (await client.multi().set('counter', next).exec()) return;
  }
}

function basics(options) {
  let client;

  before(async () => {
    client = connect(options);
    await client.flushall();
  });
  after(() => client.quit());

  test('strings, numbers, hashes, keys', async () => {
    const bytes = Buffer.from([0, 13, 10, 255]);
    assert.strictEqual(await client.set('key', bytes), 'OK');
    assert.deepStrictEqual(await client.getBuffer('key'), bytes);
    assert.strictEqual(await client.set('key', 'b', 'PX', 100000, 'NX'), null);
    assert.strictEqual(await client.get('none'), null);
    assert.strictEqual(await client.incrby('number', 40), 40);
    assert.strictEqual(await client.hset('hash', { a: 1, b: 2 }), 2);
    assert.deepStrictEqual(await client.hgetall('hash'), { a: '1', b: '2' });
    assert.deepStrictEqual(await client.hmget('hash', 'a', 'none'), ['1', null]);
    assert.deepStrictEqual(await client.mget('none', 'number'), [null, '40']);
    assert.strictEqual(await client.del('key', 'number', 'hash', 'none'), 3);
  });

  test('a pipeline: each command with its error or its reply', async () => {
    const pipeline = client.pipeline();
    for (let i = 0; i < 1000; i++) pipeline.set(`piped:${i}`, i).hget(`piped:${i}`, 'a').incr(`piped:${i}`);
    const replies = await pipeline.exec();
    assert.strictEqual(replies.length, 3000);
    for (let i = 0; i < 1000; i++) {
      assert.deepStrictEqual(replies[3 * i], [null, 'OK']);
      assert(replies[3 * i + 1][0] instanceof ReplyError);
      assert.deepStrictEqual(replies[3 * i + 2], [null, i + 1]);
    }
  });

  test('pipelines that the library makes by itself', async () => {
    const auto = connect({ ...options, enableAutoPipelining: true });
    const wanted = names('auto', 500);
    await Promise.all(wanted.map((name) => auto.set(name, name)));
    assert.deepStrictEqual(await Promise.all(wanted.map((name) => auto.get(name))), wanted);
    await auto.quit();
  });

  test('a transaction: all replies, an error among them, and null after WATCH', async () => {
    const replies = await client.multi().set('a', 1).hget('a', 'b').incr('a').exec();
    assert.deepStrictEqual(replies.filter((_, i) => i !== 1), [[null, 'OK'], [null, 2]]);
    assert(replies[1][0] instanceof ReplyError);
    const other = connect(options);
    await client.watch('a');
    await other.set('a', 5);
    assert.strictEqual(await client.multi().set('a', 6).exec(), null);
    await assert.rejects(client.multi().set('a').set('b', 1).exec(), /EXECABORT Transaction discarded/);
    assert.strictEqual(await client.get('a'), '5');
    await other.quit();
  });

  test('with WATCH no step of any counter is lost', async () => {
    const others = names('client', 4).map(() => connect(options));
    await Promise.all(others.map(async (other) => {
      for (let i = 0; i < 10; i++) await increment(other);
    }));
    assert.strictEqual(await client.get('counter'), '40');
    await Promise.all(others.map((other) => other.quit()));
  });

  test('streams of SCAN and HSCAN come to everything once', async () => {
    const keys = names('scanned', 1000);
    await client.mset(new Map(keys.map((key) => [key, key])));
    assertSame(await collect(client.scanStream({ match: 'scanned:*', count: 30 })), keys);
    await client.hset('fields', new Map(keys.map((key) => [key, key])));
    assertSame(await collect(client.hscanStream('fields', { count: 30 })), keys.flatMap((key) => [key, key]));
  });

  test('what the server refuses is an error of the library', async () => {
    await client.hset('hash', 'a', 'b');
    await assertRefused(client.get('hash'), ReplyError, 'WRONGTYPE Operation against a key');
    await client.set('text', 'a');
    await assertRefused(client.incr('text'), ReplyError, 'ERR value is not an integer or out of range');
    await assertRefused(client.call('NOSUCH', 'x'), ReplyError, "ERR unknown command 'NOSUCH', with args");
  });

  test('a database, a name, and who the library is', async () => {
    const other = connect({ ...options, db: 3, connectionName: 'named' });
    await other.set('there', 1);
    assert.strictEqual(await client.get('there'), null);
    assert.match(await other.client('INFO'), new RegExp(` name=named .* db=3 .*lib-name=ioredis.* lib-ver=${version}`));
    await other.quit();
  });

  test('after the server was killed the client goes on', async () => {
    await client.set('kept', 1);
    await killServer(() => client.info());
    assert.strictEqual(await client.get('kept'), '1');
    assert.strictEqual(await client.set('kept', 2), 'OK');
  });
}

describe(`ioredis ${version}, version 3 of the protocol`, () => basics({ replyMapping: 'resp3' }));
describe(`ioredis ${version}, version 2 of the protocol`, () => basics({ protocol: 2 }));
