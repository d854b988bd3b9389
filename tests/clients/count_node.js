// Counts with ioredis or node-redis while leaders die; counting.py says what and how.
'use strict';

const { setTimeout: pause } = require('node:timers/promises');

const PAUSE_MS = 20;

// What became of a round, one {value} or {error} for each command; and PING.
const libraries = {
  ioredis: {
    async connect(port) {
      const Redis = require('ioredis');
      // By itself it sends again what was not answered when its connection broke, and nobody could count that.
      const client = new Redis({ port, replyMapping: 'resp3', maxRetriesPerRequest: 0 });
      client.on('error', () => {}); // a connection that is lost is made anew
      return client;
    },
    async ask(client, commands) {
      const replies = await client.pipeline(commands).exec();
      return replies.map(([error, value]) => ({ error, value }));
    },
    ping: (client) => client.ping(),
    isRefusal: (error) => error instanceof require('ioredis').ReplyError,
    end: (client) => client.quit(),
  },
  node_redis: {
    async connect(port) {
      const client = require('redis').createClient({ socket: { port } });
      client.on('error', () => {});
      return client.connect();
    },
    async ask(client, commands) {
      const replies = await Promise.allSettled(commands.map((command) => client.sendCommand(command)));
      return replies.map(({ reason, value }) => ({ error: reason, value }));
    },
    ping: (client) => client.ping(),
    isRefusal: (error) => error instanceof require('redis').ErrorReply,
    end: (client) => client.close(),
  },
};

function round(name, number) {
  const incrs = Array.from({ length: 8 }, () => ['incr', `${name}:n`]);
  return [
    ...incrs,
    ['echo', `${name}.${number}`],
    ['get', `${name}:v`],
    ...incrs,
    ...[0, 1, 2, 3].map((i) => ['append', `${name}:w:${Math.floor(number / 16)}`, `${name}.${4 * number + i};`]),
    ['set', `${name}:v`, `${name}.${number}`],
    ['get', `${name}:v`],
  ];
}

function told(library, { error, value }) {
  if (error) return library.isRefusal(error) ? `-${error.message.split(' ').slice(0, 2).join('_')}` : '!';
  if (value === null) return '_';
  if (typeof value === 'number') return `:${value}`;
  return typeof value === 'string' ? `$${value}` : '?';
}

async function awaitServer(library, client) {
  for (;;) {
    try {
      await library.ping(client);
      return;
    } catch {
      await pause(PAUSE_MS);
    }
  }
}

async function count(library, name, port, over) {
  const client = await library.connect(port);
  for (let number = 0; !over.now; number++) {
    const replies = (await library.ask(client, round(name, number))).map((reply) => told(library, reply));
    process.stdout.write(`${[name, number, ...replies].join(' ')}\n`);
    if (replies.includes('!')) await awaitServer(library, client);
    await pause(PAUSE_MS);
  }
  await library.end(client);
}

async function main([name, connections, ...ports]) {
  const over = { now: false };
  process.stdin.on('end', () => { over.now = true; }).resume();
  await Promise.all(ports.flatMap((port, member) => Array.from({ length: Number(connections) }, (_, i) =>
    count(libraries[name], `${name}.${member}.${i}`, Number(port), over))));
}

main(process.argv.slice(2));
