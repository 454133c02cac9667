// History from another system: what it knew is there, with its own times; nothing twice; bad lines are kept and named.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { start, until } from './harness.mjs';

const hotline = await start();
const ctl = join(dirname(process.env.HOTLINED), 'hotlinectl');
const config = join(hotline.dir, 'hotlined.conf');
const environment = { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` };
const file = join(hotline.dir, 'history.jsonl');

// → { code, said }
async function run(lines, ...words) {
    writeFileSync(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)) + '\n').join(''));
    const end = await promisify(execFile)(ctl, ['import', file, '--source', 'old', '--config', config, ...words], { env: environment })
        .catch((error) => error);
    return { code: end.code ?? 0, said: end.stdout + end.stderr };
}

const day = (n, time = '09:00:00') => `2016-03-${String(n).padStart(2, '0')}T${time}+08:00`;
const line = (id, change) => ({ id, title: '路灯不亮', content: '村口路灯坏了一周。', channel: 'phone', type: 'help', state: 'archived',
    category: '010304', division: '440507', unit: 'ST-CGJ', submitted_at: day(1), accepted_at: day(1), dispatched_at: day(2), due_at: day(9),
    replied_at: day(5), ended_at: day(6), reply: '路灯已修好。', ...change });
const open = (id, state, change) => line(id, { state, replied_at: undefined, ended_at: undefined, reply: undefined, ...change });
const ticket = async (id) => (await hotline.sql(
    'select t.* from hotline.ticket t join hotline.imported i on i.ticket_id = t.id where i.source = $1 and i.external_id = $2', ['old', id]))[0];
const [{ unit }] = await hotline.sql("select code as unit from hotline.unit where level = 2 and kind = 'department' order by id limit 1");

test('every kind of past is taken over, and the figures agree with its events', async () => {
    const { code, said } = await run([
        line('1', { unit }),
        line('2', { unit, state: 'closed', satisfaction: 'satisfied', resolved: 'yes', signed_at: day(3), audited_at: day(5) }),
        line('3', { state: 'closed', unit: undefined, dispatched_at: undefined, replied_at: undefined, due_at: undefined }),
        open('4', 'pending_accept', { unit: undefined, accepted_at: undefined, dispatched_at: undefined, due_at: undefined }),
        open('5', 'pending_dispatch', { unit: undefined, dispatched_at: undefined, due_at: undefined }),
        open('6', 'pending_sign', { unit, due_at: '2099-01-01T00:00:00+08:00' }),
        open('7', 'handling', { unit, phone: '13800138000', name: '王小明' }),
        open('8', 'pending_audit', { unit, replied_at: day(5) }),
        open('9', 'pending_callback', { unit, replied_at: day(5) }),
        ...['withdrawn', 'voided', 'merged', 'referred_out', 'terminated'].map((state) => open(state, state, { unit, ended_at: day(4) })),
        open('refused', 'refused', { unit: undefined, accepted_at: undefined, dispatched_at: undefined, due_at: undefined, ended_at: day(4) }),
    ]);

    assert.match(said, /15 imported, 0 there already, 0 refused/);
    assert.equal(code, 0);
    assert.deepEqual(await hotline.sql('select * from hotline.metrics_verify()'), []);
});

test('times, due times and the reply are as given', async () => {
    const t = await ticket('1');
    const [a] = await hotline.sql('select * from hotline.assignment where ticket_id = $1', [t.id]);
    const notes = await hotline.sql('select body from hotline.event_note where ticket_id = $1', [t.id]);

    assert.deepEqual([t.accepted_at, t.dispatched_at, t.replied_at, t.closed_at], [day(1), day(2), day(5), day(6)].map((at) => new Date(at)));
    assert.deepEqual([a.unit_due_at, a.due_counted], [new Date(day(9)), true]);
    assert.deepEqual(notes, [{ body: '路灯已修好。' }]);
});

test('a month of its own holds each row, and nothing is sent to anybody', async () => {
    assert.deepEqual(await hotline.sql(
        `select hotline.partition_strays() as strays, (select count(*)::int from hotline.outbox) as notices,
             (select count(*)::int from hotline."ticket_201603") as march`), [{ strays: '0', notices: 0, march: 15 }]);
});

test('open work goes on with the people of today', async () => {
    const head = await hotline.as(`${unit.toLowerCase()}.h`);
    const { id } = await ticket('7');
    // What fell due in 2016 is noticed first; a step on what was read before that is refused.
    await until('its clocks are looked at', async () => (await hotline.sql(
        'select from hotline.timer where ticket_id = $1 and at < now()', [id])).length === 0);
    const called = await head.act(String(id), 'first_contact', { contacted: true, way: 'phone' });
    const answer = await head.act(String(id), 'submit_reply', { result: 'resolved', fact_finding: 'true', measures: '已更换灯泡',
        content: '我单位已到现场查看并更换了损坏的路灯灯泡，目前照明已恢复正常，感谢您的监督。' });

    assert.deepEqual([called.status, answer.status], [200, 200], answer.text);
});

test('contact data is sealed, and found again by the phone number', async () => {
    const [contact] = await hotline.sql('select * from hotline.ticket_contact where ticket_id = $1', [(await ticket('7')).id]);

    assert.match(contact.phone_enc, /^v1\./);
    assert.equal(contact.phone_mask, '138****8000');
    assert.ok(!JSON.stringify(contact).includes('王小明'));
});

test('a search finds history by its words', async () => {
    const found = await (await hotline.as('leader1')).get(`/v1/desk/tickets?q=${encodeURIComponent('村口路灯')}&closed=1`);

    assert.ok(found.body.tickets.some((t) => t.title === '路灯不亮'), found.text);
});

test('a second run writes nothing twice and goes on where the first was broken off', async () => {
    const { said } = await run([line('1', { unit }), line('20', { unit })]);

    assert.match(said, /1 imported, 1 there already, 0 refused/);
});

test('bad lines are named with their number, kept in a file, and hurt no other', async () => {
    const bad = ['{"id": "30"', line('31', { unit: 'NOWHERE' }), line('32', { unit, ended_at: day(4) }), line('33', { unit, colour: 'red' }),
        line('34', { unit, ended_at: '2999-01-01T00:00:00+08:00' }), line('35', { unit, state: 'lost' }), open('36', 'pending_dispatch', { unit })];
    const { code, said } = await run([line('40', { unit }), ...bad, line('41', { unit })]);

    assert.equal(code, 2);
    assert.match(said, /2 imported, 0 there already, 7 refused/);
    for (const [number, why] of [[3, 'unit'], [4, 'ended_at: Earlier'], [5, 'colour'], [6, 'ended_at'], [7, 'state'], [8, 'dispatched_at']])
        assert.match(said, new RegExp(`history.jsonl:${number}: [^\n]*${why}`));
    assert.match(said, /history.jsonl:2: /);
    assert.deepEqual(readFileSync(`${file}.rejects`, 'utf8').split('\n').filter(Boolean).length, 7);
});

test('words of the other system are translated by a map', async () => {
    const map = join(hotline.dir, 'map.json');

    writeFileSync(map, JSON.stringify({ unit: { 'Street lamps': unit }, channel: { call: 'phone' }, category: { lamp: null } }));
    const { said } = await run([line('50', { unit: 'Street lamps', channel: 'call', category: 'lamp' })], '--map', map);
    assert.match(said, /1 imported/);
    assert.equal((await ticket('50')).category_id, null);
});

test('contact data without keys is refused before anything is written', async () => {
    writeFileSync(file, JSON.stringify(line('60', { unit, phone: '13800138000' })) + '\n');
    await assert.rejects(promisify(execFile)(ctl, ['import', file, '--source', 'old'], { env: environment }), /name the engine's configuration/);
    assert.equal(await ticket('60'), undefined);
});
