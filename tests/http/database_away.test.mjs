// PostgreSQL goes and comes back, in a cluster of this file's own.

import assert from 'node:assert/strict';
import { execFileSync, execSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { complaint, key, start, until } from './harness.mjs';

const place = mkdtempSync(join(tmpdir(), 'hotline-away-'));
rmdirSync(place); // tools/cluster makes it, with its owner
const cluster = (...args) => execFileSync(new URL('../../tools/cluster', import.meta.url).pathname, [place, ...args], { encoding: 'utf8' });
const everywhere = process.env.PGHOST;

process.on('exit', () => cluster('destroy'));
cluster('start', '--fast');
process.env.PGHOST = cluster('env').match(/^PGHOST=(.*)$/m)[1];
const template = process.env.HOTLINE_TEST_TEMPLATE;
const to = `-h ${process.env.PGHOST} -U postgres`;
execSync(`createuser ${to} hotline_engine && createdb ${to} ${template} &&
    pg_dump -Fc -Z0 -h ${everywhere} -U postgres ${template} | pg_restore ${to} -d ${template}`);

const hotline = await start({ settings: { workers: 2, request_ms: 3000 } });
after(() => cluster('start', '--fast')); // the harness drops its database
const { anybody, citizen } = hotline;
const dispatcher = await hotline.as('dispatcher1');
const names = Array.from({ length: 60 }, () => key());
const title = '数据库走开的时候';
const send = (name) => citizen.post('/v1/tickets', complaint({ title }), { headers: { 'Idempotency-Key': name } });

test('while it goes, every complaint is either stored or told to come again', async () => {
    const early = await Promise.all(names.slice(0, 10).map(send));
    assert.ok(early.every((a) => a.status === 201));

    const late = [];
    const load = (async () => {
        for (const name of names.slice(10))
            late.push(await send(name));
    })();
    await until('some are in', () => late.length > 5);
    cluster('stop');
    await load;
    for (const answer of late)
        if (answer.status !== 201) {
            assert.equal(answer.status, 503, answer.text);
            assert.equal(answer.body.code, 'database_away');
            assert.ok(Number(answer.headers.get('retry-after')) > 0);
        }
    assert.equal(late.at(-1).status, 503);
});

test('while it is away, staff are told so at once, and the engine says that it is not ready', async () => {
    for (const path of ['/v1/desk/tickets', '/v1/desk/counts', '/v1/metrics/closure?from=2018-01-01&to=2018-02-01', '/v1/public/reference']) {
        const began = performance.now();
        const answer = await dispatcher.get(path);

        assert.equal(answer.status, 503, path);
        assert.ok(Number(answer.headers.get('retry-after')) > 0);
        assert.ok(performance.now() - began < 5000, path);
    }
    assert.equal((await dispatcher.post('/v1/desk/tickets/1/actions', { action: 'sign' })).status, 503);
    assert.equal((await anybody.post('/v1/session', { login: 'operator1', password: '12345-demo' })).status, 503);
    assert.equal((await anybody.get('/healthz')).status, 200);
    assert.equal((await anybody.get('/metrics')).status, 200);
    const ready = await anybody.get('/readyz');
    assert.equal(ready.status, 503);
    assert.ok(ready.body.problems.some((p) => p.part === 'database'));
});

test('back again, it is used within five seconds; sessions live, nothing is lost and nothing doubled', async () => {
    cluster('start', '--fast');
    const began = performance.now();
    await until('a complaint is taken', async () => (await send(key())).status === 201, 5);
    await until('both workers are ready', async () => {
        const answers = await Promise.all(Array.from({ length: 32 }, () => anybody.get('/readyz', { headers: { Connection: 'close' } })));
        return answers.every((a) => a.status === 200);
    }, 5 - (performance.now() - began) / 1000);
    assert.equal((await dispatcher.get('/v1/desk/counts')).status, 200);

    const again = await Promise.all(names.map(send));
    assert.ok(again.every((a) => a.status === 201));
    const [{ n }] = await hotline.sql('select count(*)::int as n from hotline.ticket where title = $1', [title]);
    assert.equal(n, names.length + 1);
    assert.equal((await citizen.follow(again[0].body)).status, 200);
});
