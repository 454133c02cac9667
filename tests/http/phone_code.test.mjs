// A code for the phone, where the city asks for it: it comes late, twice or never, and somebody else tries to guess it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { start, until } from './harness.mjs';
import { say, Site } from './world.mjs';

const run = promisify(execFile);
const dir = mkdtempSync(join(tmpdir(), 'hotline-codes-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const gateway = await new Site(say(200, { code: '0' })).open();
const smsFile = join(dir, 'sms.json');
writeFileSync(smsFile, JSON.stringify([{ name: 'one', url: gateway.url, body: { to: '{to}', text: '{text}', id: '{id}' }, ok: { member: 'code', value: '0' } }]), { mode: 0o600 });

const settings = { trusted_proxies: '127.0.0.1', notice_ways: 'sms', sms_file: smsFile, fetch_plain: 1, fetch_ms: 1500 };
const hotline = await start({ settings });
const { citizen } = hotline;
const environment = { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` };
const ctl = (...words) => run(join(dirname(process.env.HOTLINED), 'hotlinectl'), words, { env: environment });
const again = async (change) => {
    await hotline.engine.term();
    await hotline.startEngine(change);
};

let people = 13700200000;
const phone = () => String(++people);
const send = (number, who = citizen) => who.post('/v1/phone-codes', { phone: number });
const check = (number, code, who = citizen) => who.post('/v1/phone-codes/check', { phone: number, code });
const messages = (number) => gateway.got.filter((got) => got.json.to === number && /^验证码/.test(got.json.text)).map((got) => /\d{6}/.exec(got.json.text)[0]);
const told = async (number, n = 1) => (await until(`${number} has its code`, () => messages(number).length >= n && messages(number))).at(-1);
const aMinuteLater = () => run('redis-cli', ['-s', join(hotline.dir, 'redis.sock'), 'eval', "for _, k in ipairs(redis.call('keys', 'l:smsagain:*')) do redis.call('del', k) end", '0']);
const file = (number, proof, change = {}) => citizen.submit({ phone: number, ...change }, { headers: proof ? { 'X-Phone-Proof': proof } : {} });
const proofOf = async (number) => {
    assert.equal((await send(number)).status, 202);
    const answer = await check(number, await told(number));
    assert.equal(answer.status, 200, answer.text);
    return answer.body.proof;
};
const quiet = () => until('nothing is on its way', async () => (await hotline.sql(
    "select from hotline.outbox where sent_at is null union all select from hotline.delivery where state = 'waiting'")).length === 0);
const needed = (answer) => {
    assert.deepEqual([answer.status, answer.body.code], [403, 'phone_code_needed'], answer.text);
    assert.match(answer.body.detail, /12345/);
};
const wrong = (answer, field, code) => assert.deepEqual([answer.status, answer.body.fields?.[0]?.name, answer.body.fields?.[0]?.code], [422, field, code], answer.text);

test('where the city does not ask, nobody needs a code and none is sent', async () => {
    assert.equal((await citizen.get('/v1/public/reference')).body.phone_code, false);
    assert.equal((await file(phone())).status, 201);
    assert.deepEqual([(await send(phone())).status, (await check(phone(), '123456')).body.code], [409, 'no_phone_codes']);
    await ctl('door', 'phone_code', 'on');
    await again();
});

test('a code comes by short message, gives a proof, and with it complaints of this phone are filed all day', async () => {
    assert.equal((await citizen.get('/v1/public/reference')).body.phone_code, true);
    const number = phone();
    needed(await file(number));
    const proof = await proofOf(number);
    assert.equal((await file(number, proof)).status, 201);
    assert.equal((await file(`+86 ${number}`, proof)).status, 201);
    needed(await file(phone(), proof));
});

test('without a mobile phone nobody is asked: a landline hears no message, and who is anonymous has none', async () => {
    assert.equal((await file('0754-88888888')).status, 201);
    assert.equal((await file(undefined, undefined, { anonymous: true })).status, 201);
    wrong(await send('0754-88888888'), 'phone', 'bad_phone');
    wrong(await send('12'), 'phone', 'bad_phone');
});

test('it comes twice, or late: either message is right', async () => {
    const number = phone();
    await send(number);
    const first = await told(number);
    await aMinuteLater();
    assert.equal((await send(number)).status, 202);
    const second = await told(number, 2);
    assert.equal((await check(number, first)).status, 200);
    assert.equal((await check(number, ` ${second.slice(0, 3)} ${[...second.slice(3)].map((d) => String.fromCharCode(0xff10 + Number(d))).join('')} `)).status, 200);
});

test('it never comes: it is no dead letter, and the complaint goes another way', async () => {
    const number = phone();
    await quiet();
    gateway.next.push(say(400));
    assert.equal((await send(number)).status, 202);
    const row = await until('it is given up', async () => (await hotline.sql("select * from hotline.delivery where kind = 'phone_code' and state = 'dropped'"))[0]);
    assert.deepEqual(row.args, {});
    needed(await file(number));
    assert.equal((await file(undefined, undefined, { anonymous: true })).status, 201);
    assert.doesNotMatch((await hotline.anybody.get('/readyz')).text, /could not be sent/);
});

test('what waited too long is not sent any more', async () => {
    const number = phone();
    await quiet();
    gateway.next.push(say(500));
    await send(number);
    const [row] = await until('it waits', () => hotline.sql("select id from hotline.delivery where kind = 'phone_code' and state = 'waiting' and status = 500").then((rows) => rows.length && rows));
    await hotline.sql("update hotline.delivery set due_at = now(), args = args || jsonb_build_object('until', now() - interval '1 second') where id = $1", [row.id]);
    await until('it is given up', async () => (await hotline.sql('select state, why from hotline.delivery where id = $1', [row.id]))[0].why === 'too late');
    assert.equal(messages(number).length, 1);
});

test('a second one within a minute has to wait, and so has the sixth within an hour', async () => {
    const number = phone();
    assert.equal((await send(number)).status, 202);
    const soon = await send(number);
    assert.deepEqual([soon.status, soon.body.code], [429, 'too_many']);
    assert.ok(Number(soon.headers.get('retry-after')) <= 60);
    for (let i = 0; i < 4; i++) {
        await aMinuteLater();
        assert.equal((await send(number)).status, 202);
    }
    await aMinuteLater();
    assert.equal((await send(number)).status, 429);
});

test('whether a phone is known here nobody learns', async () => {
    const known = phone();
    assert.equal((await file(known, await proofOf(known))).status, 201);
    await aMinuteLater();
    const [one, other] = await Promise.all([send(known), send(phone())]);
    assert.equal(one.status, other.status);
    assert.deepEqual({ ...one.body, phone: '' }, { ...other.body, phone: '' });
});

test('guesses are counted: by address, so that nobody uses up the tries of another, and by phone from everywhere', async () => {
    const number = phone();
    await send(number);
    const code = await told(number);
    const guess = String((Number(code) + 1) % 1e6).padStart(6, '0');
    const guesser = hotline.from('198.51.100.7');
    for (let i = 0; i < 5; i++)
        wrong(await check(number, guess, guesser), 'code', 'wrong_code');
    assert.equal((await check(number, code, guesser)).status, 429);
    assert.equal((await check(number, code)).status, 200);
    let stopped = 0;
    for (let i = 0; i < 25; i++)
        stopped += (await check(number, guess, hotline.from(`198.51.101.${i}`))).status === 429;
    assert.ok(stopped >= 11, String(stopped)); // twenty, of which five, one and one are used
});

test('what is no code and no proof is refused', async () => {
    const number = phone();
    const proof = await proofOf(number);
    for (const code of ['12345', '1234567', 'abcdef', '12345 六'])
        wrong(await check(number, code, hotline.from(`198.51.102.${code.length}${code.charCodeAt(0) % 10}`)), 'code', 'wrong_code');
    const [until_, mac] = proof.split('.');
    for (const forged of ['', '.', proof.slice(1), `${Number(until_) + 1}.${mac}`, `1767225600.${mac}`, `${until_}.${'0'.repeat(64)}`, `99999999999999999999.${mac}`, `${proof}0`])
        needed(await file(number, forged));
    assert.equal((await file(number, proof)).status, 201);
});

test('codes and numbers are in no log and stay in no row', async () => {
    await quiet();
    const rows = JSON.stringify(await hotline.sql("select * from hotline.delivery where kind = 'phone_code'"));
    assert.doesNotMatch(rows, /_enc|137002\d{5}|验证码/);
    assert.doesNotMatch(hotline.engine.said(), /137002\d{5}|验证码/);
});

test('while Redis is away codes are sent and checked', async () => {
    const number = phone();
    await hotline.redis.kill();
    assert.equal((await file(number, await proofOf(number))).status, 201);
    await hotline.startRedis();
});

test('while the database is away nobody is asked for a code that cannot be sent', async () => {
    await hotline.administer(`alter database ${hotline.database} allow_connections false`);
    await hotline.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'hotlined' and datname = current_database()");
    const answer = await until('the engine knows', async () => {
        const said = await file(phone());
        return said.status !== 403 && said;
    });
    assert.equal(answer.body.code, 'database_away'); // with a spool it is taken
    await hotline.administer(`alter database ${hotline.database} allow_connections true`);
    await until('it is back', async () => (await hotline.anybody.get('/readyz')).status === 200);
    needed(await file(phone()));
});

test('doctor says when codes are asked for and cannot be sent', async () => {
    const said = (ways) => run(join(dirname(process.env.HOTLINED), 'hotlinectl'), ['doctor', '--config', join(hotline.dir, 'hotlined.conf')],
        { env: { ...environment, HOTLINE_NOTICE_WAYS: ways, HOTLINE_CHALLENGE_RATE: '600' } }).catch((error) => error).then(({ stdout }) => /^.* doors .*$/m.exec(stdout)[0]);
    assert.match(await said('sms'), /^ok/);
    assert.match(await said('email'), /^error.*notice_ways has no sms/);
});

test('while no message can be sent, nobody is asked', async () => {
    await again({ notice_ways: '' });
    assert.equal((await file(phone())).status, 201);
    assert.equal((await send(phone())).status, 409);
});
