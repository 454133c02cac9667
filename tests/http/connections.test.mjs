// What clients do with connections rather than with requests: too many of them, too slow, and no descriptor left for more.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { start, until } from './harness.mjs';

const hotline = await start();
const dialled = new Set();
after(() => dialled.forEach((one) => one.socket.destroy()));

// A connection byte by byte; said: all that came back, ended: when the other side closed it.
class Line {
    said = '';
    ended = 0;

    constructor() {
        this.socket = connect(hotline.port, '127.0.0.1').setNoDelay();
        this.socket.on('data', (bytes) => (this.said += bytes));
        this.socket.on('close', () => (this.ended = Date.now()));
        this.socket.on('error', () => {}); // a reset is an end
        dialled.add(this);
    }

    say(text) {
        this.socket.write(text);
        return this;
    }

    hears(what) {
        return until(`hears ${what}`, () => this.said.includes(what)).catch((error) => assert.fail(`${error.message}, heard ${this.said}`));
    }

    async close() {
        this.socket.destroy();
        await until('closed', () => this.ended);
    }
}

const HALF = 'GET /healthz HTTP/1.1\r\nHost: x\r\n', REST = '\r\n';
const ask = async (path = '/healthz') => {
    const line = new Line().say(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await until(`an answer to ${path}`, () => line.ended);
    dialled.delete(line);
    return line.said;
};
const connections = async () => Number((await ask('/metrics')).match(/^hotlined_http_connections (\d+)/m)[1]);
const ended = async (why) => Number((await ask('/metrics')).match(new RegExp(`^hotlined_http_connections_ended_total\\{why="${why}"\\} (\\d+)`, 'm'))[1]);
const many = (n, text) => Array.from({ length: n }, () => new Line().say(text));

async function restart(settings) {
    await Promise.all([...dialled].map((one) => one.close()));
    await hotline.engine.term();
    await hotline.startEngine(settings);
    await until('the probes of its start are gone', async () => (await connections()) === 1);
}

test('a request that does not come in time is answered 408 and its connection ends, however busily it trickles', async () => {
    await restart({ read_seconds: 2 });
    const slow = [
        new Line().say('GET /healthz HTTP/1.1\r\nX-Slow: '),
        new Line().say('POST /v1/tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n'),
        new Line().say(HALF + REST + HALF + 'X-Slow: '), // the second of its connection
    ];
    const silent = new Line(), began = Date.now();

    while (slow.some((line) => !line.ended) && Date.now() < began + 15000) {
        for (const line of slow)
            if (!line.ended)
                line.say('a');
        await sleep(100);
    }
    for (const line of slow) {
        assert.ok(line.ended - began >= 1900, `ended after ${line.ended - began} ms: ${line.said}`);
        assert.match(line.said, /HTTP\/1\.1 408 .*"code":"too_slow_request"/s);
    }
    assert.match(slow[2].said, /^HTTP\/1\.1 200 /, 'its first one was whole');
    assert.equal(await ended('slow'), slow.length);

    await sleep(began + 3000 - Date.now());
    silent.say(HALF + REST);
    await silent.hears('HTTP/1.1 200');
    await sleep(1500); // the time of the second request runs from its first byte
    silent.say(HALF + REST);
    await until('two answers', () => silent.said.split('HTTP/1.1 200').length === 3);
});

test('with all connections at work, one more is answered 503 and let go; those at work go on', async () => {
    await restart({ conns_max: 10 });
    const busy = many(9, HALF);
    await until('nine are here', async () => (await connections()) === 10);
    busy.push(...many(1, HALF));
    const refused = await until('it is full', async () => {
        const answer = await ask();
        return answer.startsWith('HTTP/1.1 503 ') && answer;
    });

    assert.match(refused, /^Connection: close\r$/m);
    assert.match(refused, /^Retry-After: [1-9]/m);
    assert.match(refused, /"code":"busy"/);
    for (const line of busy)
        await line.say(REST).hears('HTTP/1.1 200');
    assert.ok(busy.every((line) => !line.ended));
    await busy[3].close();
    await until('there is room again', async () => (await ask()).startsWith('HTTP/1.1 200'));
});

test('who has been silent for longest makes room for who asks', async () => {
    await restart({ conns_max: 10 });
    const silent = [];
    for (let i = 0; i < 10; i++) {
        const line = new Line().say(HALF + REST);
        await line.hears('HTTP/1.1 200');
        silent.push(line);
    }
    await sleep(1100);
    assert.match(await ask(), /^HTTP\/1\.1 200 /);
    await until('the first one has ended', () => silent[0].ended);
    await sleep(100);
    assert.deepEqual(silent.map((line) => line.ended > 0), silent.map((_, i) => i === 0));
});

test('far above the limit nothing more is accepted; who waits is answered when others have gone', async () => {
    await restart({ conns_max: 10 });
    const here = many(138, HALF); // 10 and as many as are told that it is full
    await until('no more are let in', async () => {
        const line = new Line().say(HALF + REST);
        await sleep(300);
        const unheard = line.said === '' && !line.ended;
        await line.close();
        return unheard;
    });
    const waiting = many(20, HALF + REST);
    await sleep(500);
    assert.ok(waiting.every((line) => line.said === '' && !line.ended));
    await Promise.all(here.map((line) => line.close()));
    for (const line of waiting)
        await line.hears('HTTP/1.1 ');
    await until('there is room again', async () => (await ask()).startsWith('HTTP/1.1 200'));
});

test('no descriptor left: it says so once, rests, and goes on when there are some', async () => {
    await restart({});
    const [worker] = hotline.workers();
    const files = readdirSync(`/proc/${worker}/fd`).map(Number);
    const cpu = () => readFileSync(`/proc/${worker}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ').slice(11, 13).reduce((sum, ticks) => sum + Number(ticks), 0);
    const said = () => (hotline.engine.said().match(/ev=accept_failed/g) ?? []).length;
    const limit = Math.max(...files) + 12;

    execFileSync('prlimit', ['--pid', String(worker), `--nofile=${limit}:${limit}`]);
    const busy = many(limit + 5, HALF);
    await until('it says so', () => said() === 1);
    const before = cpu();
    await sleep(2000);
    assert.ok(cpu() - before < 50, `${cpu() - before} ticks of two seconds`);
    assert.equal(said(), 1);

    const answered = () => busy.filter((line) => line.said.startsWith('HTTP/1.1 200')).length;
    for (const line of busy)
        line.say(REST);
    await until('those that it has are answered', () => answered() > 3);
    // They are silent now and make room one by one.
    await until('all are answered', () => answered() === busy.length, 60);
    assert.equal(said(), 1);
    assert.match(await ask(), /^HTTP\/1\.1 200 /);
});
