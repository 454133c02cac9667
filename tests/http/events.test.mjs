// The stream of what happens: who sees what, what is missed and made good, when it ends.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { start, until } from './harness.mjs';

const hotline = await start({ settings: { workers: 2 } });
const { anybody, citizen } = hotline;
const acceptor = await hotline.as('acceptor1');
const dispatcher = await hotline.as('dispatcher1');
const units = new Map((await dispatcher.get('/v1/desk/reference')).body.units.map((u) => [u.code.toLowerCase(), u.id]));
const police = await hotline.as('st-gaj.d');
const housing = await hotline.as([...units.keys()].filter((code) => code !== 'st-gaj' && code.startsWith('st-'))[1] + '.d');

// An open stream: what it has said so far, and whether it has ended.
class Stream {
    constructor(staff, headers = {}) {
        this.events = [];
        this.text = '';
        this.request = request(`${hotline.url}/v1/events`, { agent: false, headers: { ...staff.headers, ...headers } }, (response) => {
            this.status = response.statusCode;
            this.type = response.headers['content-type'];
            response.setEncoding('utf8').on('data', (text) => this.take(text));
            response.on('end', () => (this.ended = true)).on('error', () => (this.ended = true));
        });
        this.request.on('error', () => (this.ended = true)).end();
    }

    take(text) {
        const parts = (this.text += text).split('\n\n');
        this.text = parts.pop();
        for (const part of parts) {
            const lines = Object.fromEntries(part.split('\n').map((line) => [line.split(':')[0], line.slice(line.indexOf(':') + 1).trim()]));
            if (lines.event)
                this.events.push({ id: lines.id, event: lines.event, ...JSON.parse(lines.data) });
        }
    }

    of(number) {
        return this.events.filter((e) => e.number === number);
    }

    async opened() {
        await until('the stream is open', () => this.status);
        return this;
    }

    close() {
        this.request.destroy();
    }
}

const open = (staff, headers) => new Stream(staff, headers).opened();
const actions = (events) => events.map((e) => e.action);
const file = async () => (await citizen.submit()).body.number;

// Filed and accepted; given to a unit where one is named.
async function accepted(unit) {
    const number = await file();
    const { id } = await acceptor.find(number);
    const done = await acceptor.act(id, 'accept', { title: '夜间施工噪声扰民', category: '010101', division: '440507' });

    assert.equal(done.status, 200, done.text);
    if (unit && done.body.state === 'pending_dispatch')
        assert.equal((await dispatcher.act(id, 'dispatch', { main_unit: units.get(unit), instruction: '请依法处理。' })).status, 200);
    return { number, id };
}

test('a stream is for those who are signed in', async () => {
    assert.equal((await anybody.get('/v1/events')).status, 401);
});

test('the centre hears of a complaint the moment it is filed', async () => {
    const stream = await open(dispatcher);
    const number = await file();
    const [event] = await until('the event comes', () => stream.of(number).length && stream.of(number), 3);

    assert.equal(stream.type, 'text/event-stream');
    assert.deepEqual(Object.keys(event).sort(), ['action', 'at', 'event', 'id', 'number', 'state', 'ticket', 'version']);
    assert.equal(event.event, 'ticket');
    assert.equal(event.action, 'submit_online');
    assert.equal(event.state, 'pending_accept');
    stream.close();
});

test('a unit hears of its own tickets alone, from the moment they are its own', async () => {
    const mine = await open(police), others = await open(housing), centre = await open(dispatcher);
    const { number, id } = await accepted('st-gaj');
    await until('everything came', () => centre.of(number).some((e) => e.action === 'dispatch'));
    const seen = await police.get(`/v1/desk/tickets/${id}`);
    const last = await file(); // when this has come, nothing is on its way any more
    await until('the last one came', () => centre.of(last).length);

    assert.equal(seen.status, 200, 'the ticket went to the police');
    assert.deepEqual(actions(mine.of(number)), ['dispatch']);
    assert.deepEqual(others.events, []);
    [mine, others, centre].forEach((stream) => stream.close());
});

test('who sees no tickets hears of none', async () => {
    const media = await open(await hotline.as('media1')), centre = await open(dispatcher);
    const number = await file();

    await until('the centre heard', () => centre.of(number).length);
    assert.deepEqual(media.events, []);
    [media, centre].forEach((stream) => stream.close());
});

test('of a sealed ticket hear those alone who may see it', async () => {
    const leader = await open(await hotline.as('leader1')), centre = await open(dispatcher);
    const { body: sealed } = await citizen.submit({ type: 'report', secrecy: 3 });
    const open_one = await file();

    await until('both came', () => leader.of(sealed.number).length && centre.of(open_one).length);
    assert.deepEqual(centre.of(sealed.number), []);
    [leader, centre].forEach((stream) => stream.close());
});

test('who comes back with the last id misses nothing and, after dropping what they know, hears nothing twice', async () => {
    const stream = await open(dispatcher);
    const known = [await file(), await file()];
    await until('both came', () => known.every((number) => stream.of(number).length));
    stream.close();
    const missed = [await file(), await file(), await file()];
    const again = await open(dispatcher, { 'Last-Event-ID': stream.events.at(-1).id });
    await until('what was missed came', () => missed.every((number) => again.of(number).length));
    const later = await file();
    await until('what came after came too', () => again.of(later).length);

    const ids = new Set(stream.events.map((e) => e.id));
    const fresh = again.events.filter((e) => !ids.has(e.id)).map((e) => e.number);
    for (const number of [...missed, later])
        assert.equal(fresh.filter((n) => n === number).length, 1, number);
    assert.equal(new Set(again.events.map((e) => e.id)).size, again.events.length);
    again.close();
});

test('what a slow transaction commits late, under ids of before, comes all the same and once', async () => {
    const stream = await open(dispatcher);
    const slow = new pg.Client({ host: process.env.PGHOST, port: 5432, user: 'postgres', database: hotline.database });
    const number = await file();

    await until('the event came', () => stream.of(number).length);
    await slow.connect();
    await slow.query('begin');
    const { rows: [late] } = await slow.query(`
        insert into hotline.event select (jsonb_populate_record(e, jsonb_build_object('id', hotline.new_id(), 'n', 99, 'action', 'slow'))).*
        from hotline.event e where ticket_id = (select ticket_id from hotline.ticket_ref where ticket_no = $1) and n = 1 returning id::text`, [number]);
    await slow.query('savepoint s'); // what is written here has a transaction number of its own
    const { rows: [later] } = await slow.query(`
        insert into hotline.event select (jsonb_populate_record(e, jsonb_build_object('id', e.id + 1))).*
        from hotline.event e where id = $1 returning id::text`, [late.id]);
    await slow.query('release s');
    const others = [];
    for (let i = 0; i < 3; i++) { // readings that see others' events of a later time
        others.push(await file());
        await until('it came', () => stream.of(others.at(-1)).length);
        await sleep(1100);
    }
    assert.equal(stream.of(number).length, 1);
    await slow.query('commit');
    await slow.end();
    await until('the late ones came', () => stream.of(number).length === 3);
    assert.deepEqual(stream.of(number).slice(1).map((e) => e.id), [late.id, later.id]);
    await until('the next came', async () => stream.of(others.at(-1)).length && stream.of(await file()));
    const ids = stream.events.map((e) => e.id);
    assert.equal(new Set(ids).size, ids.length);
    await hotline.sql('delete from hotline.event where n = 99');
    stream.close();
});

test('a transaction that somebody leaves open is waited for, but not for ever', async () => {
    const idle = new pg.Client({ host: process.env.PGHOST, port: 5432, user: 'postgres', database: hotline.database });
    const mark = async (x) => (await hotline.sql('select body from api.feed($1)', [x]))[0].body;

    await idle.connect();
    const { rows: [{ xid }] } = await idle.query('begin; select pg_current_xact_id()::text as xid').then((all) => all[1]);
    await hotline.sql('select pg_current_xact_id()'); // a later one that ended
    const now = await mark({});
    assert.ok(BigInt(now.horizon) <= BigInt(xid)); // other databases of the cluster have theirs
    assert.ok(BigInt(now.end) > BigInt(xid));
    assert.ok(BigInt((await mark({ stale: now.end })).horizon) >= BigInt(now.end));
    await idle.end();
});

test('while nobody watches nothing is read', async () => {
    const calls = async () => (await anybody.get('/metrics')).text.match(/^hotlined_db_call_seconds_count\{fn="feed"\}.*$/m)?.[0];

    assert.match(await calls(), / [1-9]\d*$/);
    await until('all have noticed that the streams are gone', async () => {
        const before = await calls();
        await sleep(2500);
        return (await calls()) === before;
    });
});

test('a page that cannot set headers names the id in the query', async () => {
    const [{ id }] = await hotline.sql('select max(id)::text as id from hotline.event');
    const number = await file();
    const stream = new Stream({ headers: dispatcher.headers });

    stream.close();
    const replayed = await new Promise((resolve, reject) => {
        const got = request(`${hotline.url}/v1/events?after=${id}`, { agent: false, headers: dispatcher.headers }, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (more) => {
                text += more;
                if (text.includes(number)) {
                    resolve(text);
                    got.destroy();
                }
            });
        });
        got.on('error', reject).end();
    });
    assert.match(replayed, /^event: ticket$/m);
});

test('an id that is none means: read the list again', async () => {
    const stream = await open(dispatcher, { 'Last-Event-ID': 'yesterday' });

    await until('reset', () => stream.events.some((e) => e.event === 'reset'));
    stream.close();
});

test('events of both workers reach the streams of both, in a burst and without doubles', async () => {
    const streams = await Promise.all(Array.from({ length: 6 }, () => open(dispatcher)));
    const numbers = await Promise.all(Array.from({ length: 40 }, () => file()));

    for (const stream of streams) {
        await until('all came', () => numbers.every((number) => stream.of(number).length));
        for (const number of numbers)
            assert.equal(stream.of(number).length, 1);
        stream.close();
    }
});

test('who leaves hears no more: the stream ends with the session', async () => {
    const guest = await hotline.signIn('dispatcher2');
    const streams = [await open(guest), await open(guest), await open(guest)];
    const other = await open(dispatcher);

    assert.equal((await guest.leave()).status, 204);
    await until('all three ended', () => streams.every((stream) => stream.ended), 5);
    assert.ok(!other.ended);
    other.close();
});

test('one session cannot hold more than a handful of streams at a worker', async () => {
    const greedy = await hotline.signIn('efficiency1');
    const streams = await Promise.all(Array.from({ length: 17 }, () => open(greedy))); // eight at each of two workers

    assert.ok(streams.some((stream) => stream.status === 429));
    assert.ok(streams.filter((stream) => stream.status === 200).length <= 16);
    streams.forEach((stream) => stream.close());
});
