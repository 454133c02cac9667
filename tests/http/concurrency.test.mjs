// Sixty-four clients on the same fifty tickets: what was answered happened, once, in an order, and nobody waits for ever.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { key, start } from './harness.mjs';
import { Office, plain } from './office.mjs';

const hotline = await start({ settings: { web_root: '', workers: 2 } });
const office = new Office(hotline);
const CLIENTS = 64, TICKETS = 50, STEPS = 20;
const logins = ['operator1', 'operator2', 'acceptor1', 'dispatcher1', 'dispatcher2', 'leader1', 'supervisor1', 'callback1', 'st-gaj.d', 'st-gaj.h'];
const refusals = [403, 404, 409, 422];
const staff = [];
const done = []; // {ticket, by, action, event}: answered 200, one for each key

const random = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const post = (by, id, body, own = key()) => by.post(`/v1/desk/tickets/${id}/actions`, body, { headers: { 'Idempotency-Key': own } });

// One action, now and then sent twice at once under one key: both hear the same, and it counts once.
async function act(by, id, body, twice) {
    const own = key();
    const said = await Promise.all(Array.from({ length: twice ? 2 : 1 }, () => post(by, id, body, own)));
    const good = said.filter((s) => s.status === 200);

    for (const s of said)
        assert.ok(s.status === 200 || refusals.includes(s.status), `${by.login} ${body.action}: ${s.status} ${s.text}`);
    if (good.length > 0) {
        assert.equal(good.length, said.length, `${body.action}: ${said.map((s) => s.text)}`);
        assert.deepEqual(good.map((s) => s.body), good.map(() => good[0].body), 'the same key, the same answer');
        const again = await post(by, id, body, own);
        assert.deepEqual([again.status, again.body], [200, good[0].body], 'later too');
        done.push({ ticket: id, by: Number(by.user.id ?? by.user), action: body.action, event: good[0].body.event });
    }
    return said[0];
}

const inputs = (action, other) => ({
    accept: { title: plain.title, category: '010501', division: '440507' },
    dispatch: { main_unit: gaj, instruction: '请依法处理并答复诉求人。' },
    redispatch: { main_unit: gaj, instruction: '请依法处理并答复诉求人。', reason: '改派' },
    first_contact: { contacted: true, way: 'phone' },
    progress_note: { text: '已约谈施工单位。', visible_to_citizen: true },
    followup: { kind: 'query', text: '办得怎么样了？' },
    urge: { text: '请抓紧办理' },
    supervise: { kind: 'routine', requirement: '请说明办理情况', due: new Date(Date.now() + 3 * 86400e3).toISOString() },
    merge: { master: other, reason: '同一件事' },
    group: { lead: other },
}[action] ?? {});
const may = {
    operator: ['followup', 'followup', 'urge', 'merge', 'watch', 'unwatch'], acceptor: ['accept', 'accept', 'watch', 'unwatch'],
    dispatcher: ['claim', 'unclaim', 'dispatch', 'dispatch', 'merge', 'group', 'watch'], leader: ['redispatch', 'group', 'watch', 'unwatch'],
    supervisor: ['supervise', 'watch', 'unwatch'], callback: ['urge', 'watch'], 'st-gaj.d': ['sign', 'sign', 'watch', 'unwatch'],
    'st-gaj.h': ['first_contact', 'progress_note', 'progress_note', 'watch'],
};
const tickets = [];
let gaj;

test('fifty tickets of ten citizens, and people who work on all of them', async () => {
    gaj = await office.unit('ST-GAJ');
    for (const login of logins) {
        const one = await hotline.as(login).catch(() => null);
        if (one) {
            one.login = login;
            one.user = { id: (await hotline.sql('select id from hotline.person where login = $1', [login]))[0].id };
            staff.push(one);
        }
    }
    assert.ok(staff.length >= 8);
    for (let i = 0; i < TICKETS; i++)
        tickets.push(await office.filed({ phone: `1380013800${i % 10}` }));
});

test('of several who take the same step, one does', async () => {
    const racers = (names) => Array.from({ length: 8 }, (_, i) => staff.find((s) => s.login === names[i % names.length]));

    for (const [names, action] of [[['acceptor1'], 'accept'], [['dispatcher1', 'leader1'], 'dispatch'], [['st-gaj.d'], 'sign']]) {
        const all = await Promise.all(tickets.slice(0, 10).map(async (t) => {
            const said = await Promise.all(racers(names).map((by) => act(by, t.id, { action, ...inputs(action) }, false)));
            return said.filter((s) => s.status === 200).length;
        }));
        assert.deepEqual(all, all.map(() => 1), action);
    }
});

test('two people who merge two tickets into each other: one can, the other is told', async () => {
    const operator = staff.find((s) => s.login === 'operator1'), dispatcher = staff.find((s) => s.login === 'dispatcher1');

    await Promise.all([20, 21, 22, 23, 24, 25].map(async (i) => {
        const [a, b] = [tickets[i], tickets[i + 10]]; // of one citizen
        const said = await Promise.all([act(operator, a.id, { action: 'merge', ...inputs('merge', b.id) }, true),
            act(dispatcher, b.id, { action: 'merge', ...inputs('merge', a.id) }, true)]);
        assert.deepEqual(said.map((s) => s.status).filter((s) => s === 200).length, 1, said.map((s) => s.text).join());
    }));
});

test('sixty-four clients at once do what they can', async () => {
    await Promise.all(Array.from({ length: CLIENTS }, async (_, n) => {
        const next = random(1000 + n);
        const by = staff[n % staff.length];
        const actions = may[by.login] ?? may[by.login.replace(/\d+$/, '')];

        for (let i = 0; i < STEPS; i++) {
            const at = Math.floor(next() * TICKETS);
            const action = actions[Math.floor(next() * actions.length)];
            const other = tickets[(at + (next() < 0.5 ? 10 : 40)) % TICKETS].id; // the same citizen's: A into B while others do B into A
            const lead = tickets[(at + 1) % TICKETS].id;
            await act(by, tickets[at].id, { action, ...inputs(action, action === 'group' ? lead : other) }, next() < 0.25);
        }
    }));
    assert.ok(done.length > 300, `${done.length} actions succeeded`);
});

test('each of them happened once, and nothing else did', async () => {
    const ids = tickets.map((t) => t.id);
    const events = await hotline.sql(`select id::text as event, ticket_id::text as ticket, actor_id as by, action from hotline.event
        where ticket_id = any ($1::bigint[]) and actor_id is not null`, [ids]);
    const text = (e) => [e.event, e.ticket, e.by, e.action].join(' ');

    assert.deepEqual(events.map(text).sort(), done.map(text).sort());
    assert.equal(new Set(done.map((d) => d.event)).size, done.length, 'no event was answered to two keys');
    const lost = await hotline.sql(`select t.id from hotline.ticket t where t.id = any ($1::bigint[]) and (t.version <> t.event_n
        or t.event_n <> (select count(*) from hotline.event e where e.ticket_id = t.id)
        or t.contact_count <> (select count(*) from hotline.followup f where f.ticket_id = t.id))`, [ids]);
    assert.deepEqual(lost, [], 'versions and counts miss no step');
    const [{ n }] = await hotline.sql(`select count(*)::int as n from hotline.urge where by_person is not null`);
    assert.equal(n, done.filter((d) => d.action === 'urge').length, 'each urge is there');
});

test('nobody is merged in a circle, and nobody waited for ever', async () => {
    const circles = await hotline.sql(`with recursive way as (
            select ticket_id, other_id, array[ticket_id] as seen from hotline.ticket_link where kind = 'merged_into'
            union all select w.ticket_id, l.other_id, w.seen || l.ticket_id from way w join hotline.ticket_link l on l.ticket_id = w.other_id
                and l.kind = 'merged_into' and l.ticket_id <> all (w.seen))
        select ticket_id from way where ticket_id = other_id`);
    assert.deepEqual(circles, []);
    assert.ok(done.some((d) => d.action === 'merge'));
    const [{ deadlocks }] = await hotline.sql('select pg_stat_clear_snapshot(), deadlocks::int from pg_stat_database where datname = current_database()');
    assert.equal(deadlocks, 0);
    const log = readFileSync(join(process.env.CLUSTER_DIR, 'log', 'postgresql.log'), 'utf8');
    assert.deepEqual(log.split('\n').filter((line) => line.includes(`@${hotline.database} `) && /deadlock|40P01/.test(line)), []);
});
