// What breaks, and who notices.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import pg from 'pg';
import { complaint, key, start, until } from './harness.mjs';
import { Office, plain } from './office.mjs';

const hotline = await start({ settings: { workers: 2, lock_ms: 700 } });
const { anybody, citizen } = hotline;
const office = new Office(hotline);
const dispatcher = await hotline.as('dispatcher1');

const tickets = async (title) => (await hotline.sql('select count(*)::int as n from hotline.ticket where title = $1', [title]))[0].n;
const said = (what) => [...hotline.engine.said().matchAll(what)];
// The process of each worker slot, the last one that came up.
const workers = () => new Map(said(/proc=worker(\d) ev=worker_up pid=(\d+)/g).map(([, slot, pid]) => [slot, Number(pid)]));
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

// A request on a connection of its own, again with the same key until it is answered: what a good client does.
async function insist(body, name) {
    return until(`an answer for ${name}`, async () => {
        const answer = await citizen.post('/v1/tickets', body, { headers: { 'Idempotency-Key': name, Connection: 'close' } });
        return answer.status < 500 && answer;
    }, 30);
}

// Somebody else at the database, holding what they took until they let go.
async function holding(at, ...ids) {
    const client = new pg.Client({ host: process.env.PGHOST, port: 5432, user: 'postgres', database: at.database });

    await client.connect();
    await client.query('begin');
    for (const id of ids)
        await client.query('select from hotline.ticket where id = $1 for update', [id]);
    return { client, release: () => client.query('rollback').then(() => client.end()) };
}

// How many of the engine's batches wait for a row just now.
const waiting = async (at) => (await at.sql(`select count(*)::int as n from pg_stat_activity
    where datname = $1 and usename = 'hotline_engine' and wait_event_type = 'Lock'`, [at.database]))[0].n;

test('a worker killed at work is replaced; who repeats with the key loses nothing and doubles nothing', async () => {
    const title = '工人被杀时的诉求';
    const names = Array.from({ length: 120 }, () => key());
    const before = workers();
    let next = 0;
    const one = async () => {
        const answers = [];
        while (next < names.length)
            answers.push(await insist(complaint({ title }), names[next++]));
        return answers;
    };
    const load = Promise.all(Array.from({ length: 8 }, one));

    await until('some are in', async () => (await tickets(title)) > 10);
    process.kill(before.get('0'), 'SIGKILL');
    const answers = (await load).flat();
    assert.ok(answers.every((a) => a.status === 201));
    assert.equal(new Set(answers.map((a) => a.body.number)).size, names.length);
    assert.equal(await tickets(title), names.length);
    await until('the worker is back', () => workers().get('0') !== before.get('0'));
    assert.equal(said(/ev=child_died name=worker/g).length, 1);
    assert.equal(workers().get('1'), before.get('1'), 'the other one went on');
});

test('the helper killed: the next sign-in finds a new one', async () => {
    const known = new Set(workers().values());
    const [helper] = children(hotline.engine.pid).filter((pid) => !known.has(pid));

    process.kill(helper, 'SIGKILL');
    await until('somebody can sign in', async () => (await anybody.post('/v1/session', { login: 'operator1', password: '12345-demo' })).status === 200);
    assert.ok(!children(hotline.engine.pid).includes(helper));
});

test('Redis killed: sessions, complaints and their following go on', async () => {
    const guest = await hotline.signIn('dispatcher2');
    assert.equal((await guest.get('/v1/desk/counts')).status, 200);
    await hotline.redis.kill();

    for (let i = 0; i < 10; i++) {
        const filed = await citizen.submit();
        assert.equal(filed.status, 201, filed.text);
        assert.equal((await citizen.follow(filed.body)).status, 200);
        assert.equal((await guest.get('/v1/desk/counts')).status, 200);
    }
    const fresh = await hotline.signIn('dispatcher2');
    assert.equal((await fresh.get('/v1/desk/tickets')).status, 200);
    assert.equal((await guest.leave()).status, 204);
    assert.equal((await guest.get('/v1/desk/counts')).status, 401, 'who left is out, Redis or not');
    assert.equal((await anybody.get('/readyz')).status, 200);

    await hotline.startRedis();
    await until('both workers have found it again', () => said(/ev=cache_back/g).length === 4); // each has two links
    await fresh.get('/v1/desk/counts');
});

test('a poisonous call hurts nobody in its batch, and its words stay out of the log', async () => {
    await hotline.sql(`create function hotline.test_poison() returns trigger language plpgsql as
        $$ begin if new.title = '有毒的标题' then raise exception 'poison: %', new.content; end if; return new; end $$`);
    await hotline.sql('create trigger test_poison before insert on hotline.ticket for each row execute function hotline.test_poison()');
    const title = '毒药的邻居';
    const bodies = Array.from({ length: 60 }, (_, i) => complaint({ title: i % 20 === 7 ? '有毒的标题' : title, content: '内容一二三四五六七八九。' }));
    const answers = await Promise.all(bodies.map((body) => citizen.post('/v1/tickets', body)));

    for (const [i, answer] of answers.entries())
        assert.equal(answer.status, i % 20 === 7 ? 500 : 201, answer.text);
    assert.equal(answers[7].body.code, 'internal');
    assert.equal(await tickets(title), 57);
    assert.equal(said(/ev=db_failed fn=intake/g).length, 3);
    assert.doesNotMatch(hotline.engine.said(), /有毒|内容一二三/);
    await hotline.sql('drop trigger test_poison on hotline.ticket');
});

test('a batch locks its tickets in the order of their ids, whatever the order of its calls', async () => {
    const alone = await start({ settings: { workers: 1, write_lanes: 1 } });
    const clerk = new Office(alone);
    const [z, a, b, c] = (await Promise.all(Array.from({ length: 4 }, () => clerk.at('handling'))))
        .sort((x, y) => (BigInt(x.id) < BigInt(y.id) ? -1 : 1));
    const handler = await alone.as('st-gaj.h');
    const act = (t) => ({ id: t.id, action: 'first_contact', contacted: true, way: 'phone' });
    const first = await holding(alone, z.id), second = await holding(alone, b.id);

    // The one lane waits for z; what comes now gathers and leaves together.
    const answers = [handler.post('/v1/desk/actions', [act(z)])];
    await until('the lane waits for z', async () => (await waiting(alone)) === 1);
    answers.push(handler.post('/v1/desk/actions', [act(c), act(b), act(a)]));
    const arrived = /hotlined_db_waiting (\d+)/;
    await until('the three have arrived', async () =>
        Number((await alone.anybody.get('/metrics')).text.match(arrived)[1]) >= 3);
    await first.release();
    await until('their batch waits for b', async () => (await alone.sql(`select 1 from pg_stat_activity where datname = $1
        and wait_event_type = 'Lock' and query like '%api.lock%'`, [alone.database])).length === 1);

    // Row locks show in pg_locks only while somebody waits for one; whether a row can be had says it for all.
    const free = await alone.sql('select id::text from hotline.ticket where id = any ($1) for update skip locked', [[a.id, b.id, c.id]]);
    assert.deepEqual(free.map((row) => row.id), [c.id], 'a is taken, b is waited for, c not yet touched');
    await second.release();
    for (const answer of await Promise.all(answers))
        assert.ok(answer.body.results.every((r) => r.status === 200), answer.text);
});

test('a ticket that somebody holds too long is answered busy; its neighbours in the batch are not', async () => {
    const [held, ...others] = await Promise.all(Array.from({ length: 4 }, () => office.at('pending_dispatch')));
    const unit = await office.unit('ST-GAJ');
    const act = (t) => ({ id: t.id, action: 'dispatch', main_unit: unit, instruction: '请处理' });
    const lock = await holding(hotline, held.id);
    const { body } = await dispatcher.post('/v1/desk/actions', [others[0], held, others[1], others[2]].map(act));

    assert.deepEqual(body.results.map((r) => r.status), [200, 503, 200, 200]);
    assert.equal(body.results[1].body.code, 'busy');
    const alone = await dispatcher.post(`/v1/desk/tickets/${held.id}/actions`, { ...act(held), id: undefined });
    assert.equal(alone.status, 503);
    assert.ok(Number(alone.headers.get('retry-after')) > 0);
    await lock.release();
    assert.equal((await dispatcher.post(`/v1/desk/tickets/${held.id}/actions`, { ...act(held), id: undefined })).status, 200);
});

test('the time of a call is taken from nobody here, whatever they ask', async () => {
    const at = { headers: { 'X-Hotline-Time': '2018-03-05T09:00:00+08:00' } };
    const t = await office.at('pending_dispatch');

    for (const answer of [await citizen.submit({}, at), await dispatcher.get('/v1/desk/tickets', at), await office.do('dispatcher1', t, 'dispatch', {}, at),
        await anybody.post('/v1/session', { login: 'operator1', password: '12345-demo' }, at)]) {
        assert.equal(answer.status, 400);
        assert.equal(answer.body.code, 'time_not_allowed');
    }
});

test('told to stop, the engine answers what is under way and takes nothing new', async () => {
    const t = await office.at('pending_dispatch');
    const lock = await holding(hotline, t.id);
    const answer = office.do('dispatcher1', t, 'dispatch', { main_unit: 'ST-GAJ', instruction: '请处理' });
    await until('it is under way', async () => (await waiting(hotline)) === 1);

    const ended = hotline.engine.term();
    await until('nobody is let in any more', () => new Promise((resolve) => {
        const probe = connect(hotline.port, '127.0.0.1', () => resolve(probe.destroy() && false));
        probe.on('error', () => resolve(true));
    }));
    assert.equal(hotline.engine.end, undefined, 'it waits for its answer');
    await lock.release();
    assert.equal((await answer).status, 200);
    assert.deepEqual(await ended, { code: 0, signal: null });

    await hotline.startEngine();
    assert.equal((await office.read('dispatcher1', t)).state, 'pending_sign');
});

test('an answered complaint is a committed one: killed at once, the engine has it still', async () => {
    const filed = await citizen.submit({ ...plain, title: '最后一件' });
    assert.equal(filed.status, 201);
    for (const pid of [hotline.engine.pid, ...workers().values()])
        try {
            process.kill(pid, 'SIGKILL');
        } catch {
            // gone with its parent
        }
    await hotline.engine.ended;
    await hotline.startEngine();

    assert.equal((await citizen.follow(filed.body)).body.title, '最后一件');
});
