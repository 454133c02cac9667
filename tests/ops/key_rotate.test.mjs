// hotlinectl key rotate while complaints come in and contact data is looked at: no call is lost, nothing stays under the old key.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { key, start } from '../http/harness.mjs';

const hotline = await start({ settings: { web_root: '', workers: 2 } });

const ctl = join(dirname(process.env.HOTLINED), 'hotlinectl');
const file = join(hotline.dir, 'contact');
const environment = { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` };
const run = async (...words) => (await promisify(execFile)(ctl, [...words, '--config', join(hotline.dir, 'hotlined.conf')], { env: environment })).stdout;
const phone = (n) => `139${String(10_000_000 + n)}`;
const heads = async () => (await hotline.sql(`select distinct split_part(token, '.', 2) as id from (
        select phone_enc as token from hotline.ticket_contact union select name_enc from hotline.ticket_contact union select query_code_enc from hotline.ticket_contact
        union select substring(body::text from '"(v1[.][^"]+)"') from hotline.idem) t where token is not null order by 1`)).map((r) => r.id);

const old = readFileSync(file, 'utf8').trim().replace(/^\*/, '').split(':')[0];
const filed = [];
const answers = []; // [what, status]
const repeated = { headers: { 'Idempotency-Key': key() } };
let first;
let count = 0;

async function file_one() {
    const n = count++;
    const answer = await hotline.citizen.submit({ phone: phone(n), name: '陈小明', title: '一件小事', content: '这件事情不大，请了解一下，谢谢。' });

    answers.push(['file', answer.status]);
    if (answer.status === 201)
        filed.push({ ...answer.body, phone: phone(n) });
}

async function ids() {
    const rows = await hotline.sql('select ticket_no, ticket_id::text as id from hotline.ticket_ref where ticket_no = any ($1)', [filed.map((t) => t.number)]);
    const by = new Map(rows.map((r) => [r.ticket_no, r.id]));
    for (const t of filed)
        t.id = by.get(t.number);
}

test('contact data of many tickets is under the first key', async () => {
    first = (await hotline.citizen.submit({ phone: phone(99_999), title: '一件小事', content: '这件事情不大，请了解一下，谢谢。' }, repeated)).body;
    for (let i = 0; i < 30; i++)
        await Promise.all(Array.from({ length: 10 }, file_one));
    await ids();
    await hotline.sql("update hotline.setting set value = '1000000' where name = 'reveal.per_hour'");
    assert.equal(filed.length, 300);
    assert.deepEqual(await heads(), [old]);
});

test('a key is rotated under load: every call is answered, every number is read as it was', { timeout: 120_000 }, async () => {
    const leader = await hotline.as('leader1');
    const some = filed.slice();
    let over = false;
    const look = async (i) => {
        while (!over) {
            const t = some[(i += 7) % some.length];
            const { status, body } = await leader.post(`/v1/desk/tickets/${t.id}/reveal`, { purpose: '电话核实' });
            answers.push(['reveal', status]);
            assert.equal(body.phone, t.phone);
        }
    };
    const come = async () => {
        while (!over) {
            await file_one();
            await sleep(20);
        }
    };
    const load = Promise.all([look(0), look(3), come(), come()]);
    const said = await run('key', 'rotate', '--batch', '25', '--pause', '20').finally(() => (over = true));

    await load;
    assert.match(said, /^key k\w+ is current\n\d+ rows sealed again under k/);
    assert.deepEqual(answers.filter(([, status]) => status !== 200 && status !== 201), []);
    assert.ok(answers.filter(([what]) => what === 'reveal').length > 20 && filed.length > 320, `${answers.length} calls`);
    const [now] = await heads();
    assert.notEqual(now, old);
    assert.deepEqual(await heads(), [now], 'nothing is under the old key any more, kept answers neither');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.match(await run('key', 'list'), new RegExp(`${old} +0 rows\\n${now} +current \\d+ rows`));
});

test('the old key is dropped; everything opens without it, the code of a repeated request too', async () => {
    await assert.rejects(run('key', 'drop', (await heads())[0]), /is the current key/);
    assert.match(await run('key', 'drop', old), /^dropped/);
    await hotline.engine.term();
    await hotline.startEngine();
    await ids();
    const leader = await hotline.as('leader1');
    for (const t of [filed[0], filed[150], filed.at(-1)])
        assert.equal((await leader.post(`/v1/desk/tickets/${t.id}/reveal`, { purpose: '电话核实' })).body.phone, t.phone);
    const same = await hotline.citizen.submit({ phone: phone(99_999), title: '一件小事', content: '这件事情不大，请了解一下，谢谢。' }, repeated);
    assert.deepEqual(same.body, first);
    assert.equal((await hotline.citizen.follow(filed[0])).status, 200);
    const found = await leader.post('/v1/desk/tickets/search', { phone: filed[0].phone });
    assert.equal(found.body.tickets[0].number, filed[0].number, 'numbers are found as before: their hashes are under a key of their own');
});

test('for several hosts: a key is added first, used later; an interrupted run is resumed', async () => {
    const [now] = await heads();
    const [, added] = (await run('key', 'rotate', '--add-only')).match(/^key (\w+) added/);

    await file_one();
    assert.deepEqual(await heads(), [now], 'not in use yet');
    await run('key', 'rotate', '--use', added);
    assert.deepEqual(await heads(), [added]);
    assert.match(await run('key', 'rotate', '--resume'), /^0 rows sealed again/);
    await assert.rejects(run('key', 'rotate', '--use', 'nokey'), /there is no key nokey/);
});

test('no number was written to the log', () => {
    const log = hotline.engine.said();

    assert.ok(filed.every((t) => !log.includes(t.phone)));
});
