// Notices: the citizen and the units are told what happens, once, whatever the world outside does.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { start, until } from './harness.mjs';
import { Office, plain } from './office.mjs';
import { cut, half, hang, late, Post, readMail, say, Site } from './world.mjs';

const run = promisify(execFile);
const dir = mkdtempSync(join(tmpdir(), 'hotline-notices-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const taken = (got, res) => say(200, { code: '0', msgid: `m-${got.json.msgid}` })(got, res);
const first = await new Site(taken).open();
const second = await new Site((got, res) => say(200, 'ok')(got, res)).open();
const post = await new Post().open();
const smsFile = join(dir, 'sms.json');
const gateways = (change = {}) => [
    {
        name: 'first', url: first.url, sign: '【汕头12345】', secret: 'between us', templates: { received: 'T-100' }, never: ['bad number'],
        headers: { 'X-Time': '{time}', 'X-Mac': '{mac}' }, ok: { member: 'code', value: '0' }, reference: 'msgid',
        body: { mobile: '{to}', content: '{sign}{text}', msgid: '{id}', template: '{template}' }, ...change,
    },
    { name: 'second', url: second.url, form: true, sign: '[12345]', body: { phone: '{to}', text: '{sign}{text}', id: '{id}' } },
];

writeFileSync(smsFile, JSON.stringify(gateways()), { mode: 0o600 });
const settings = {
    web_root: '', notice_ways: 'sms, email, webhook', sms_file: smsFile, fetch_plain: 1, fetch_ms: 1500, smtp_url: `smtp://127.0.0.1:${post.port}`,
    mail_from: 'hotline@city.example', public_origin: 'https://12345.example',
};
const hotline = await start({ settings });
const office = new Office(hotline);
const admin = await hotline.as('admin1');
await hotline.sql("update hotline.setting set value = '1' where name = 'notice.backoff_seconds'");

let phones = 13800200000;
const phone = () => String(++phones);
const of = (site, number) => site.got.filter((got) => (got.json.mobile ?? got.json.phone) === number);
const told = (site, number, n = 1) => until(`${number} is told`, () => of(site, number).length >= n && of(site, number));
const messages = (ticket) => hotline.sql('select * from hotline.delivery where ticket_id = $1 order by id', [ticket.id]);
const message = (ticket, state) => until(`the message is ${state}`, async () => {
    const [row] = await messages(ticket);
    return row?.state === state && row;
});
// Hours pass in the night: what waits for its next try may go now.
const later = () => hotline.sql("update hotline.delivery set due_at = now() where state = 'waiting'");

test('a complaint is answered by a short message with number, query code and the promised day, signed for the gateway', async () => {
    const number = phone();
    const t = await office.filed({ phone: number });
    const [got] = await told(first, number);

    assert.match(got.json.content, new RegExp(`^【汕头12345】您的诉求已登记，工单号${t.number}，查询码${t.query_code}，热线将在\\d+月\\d+日前答复您。$`));
    assert.equal(got.json.template, 'T-100');
    assert.equal(got.headers['x-mac'], createHmac('sha256', 'between us').update(`${got.headers['x-time']}.${got.text}`).digest('hex'));
    const sent = await message(t, 'sent');
    assert.deepEqual([sent.id, sent.provider, sent.reference, sent.tries], [got.json.msgid, 'first', `m-${got.json.msgid}`, 1]);
    assert.equal(of(first, number).length, 1);
    assert.equal(of(second, number).length, 0);
});

test('numbers and words are in no log, and in no row of the messages', async () => {
    const rows = JSON.stringify(await hotline.sql('select * from hotline.delivery'));
    const log = hotline.engine.said();

    assert.match(log, /ev=notice id=\d+ way=sms kind=received try=1 end=sent provider=first/);
    for (const secret of [/138002\d{5}/, /查询码/, /between us/]) {
        assert.doesNotMatch(log, secret);
        assert.doesNotMatch(rows, secret);
    }
});

test('who cannot be reached by a short message gets none', async () => {
    const landline = await office.filed({ phone: '075488888888' });
    assert.match((await message(landline, 'dropped')).why, /no mobile/);
    const unknown = await office.filed({ phone: undefined, anonymous: true });
    await until('the outbox is empty', async () => (await hotline.sql('select from hotline.outbox where sent_at is null')).length === 0);
    assert.deepEqual(await messages(unknown), []);
});

test('where the first gateway says no, is full or does not stand, the second is asked at once', async () => {
    for (const no of [say(500), say(429, '', { 'Retry-After': '30' }), say(403), say(200, { code: '9' })]) {
        const number = phone();
        first.next.push(no);
        await office.filed({ phone: number });
        const [got] = await told(second, number);
        assert.match(got.json.text, /^\[12345\]您的诉求已登记/);
        assert.equal(of(first, number)[0].json.msgid, got.json.id, 'the same message');
    }
});

test('a gateway that may have taken it is asked again under the same id, and no other', async () => {
    for (const doubt of [hang, cut, half, late(2500, taken), say(504)]) {
        const number = phone();
        first.next.push(doubt);
        const t = await office.filed({ phone: number });
        const [one, two] = await told(first, number, 2);
        assert.equal(one.json.msgid, two.json.msgid);
        assert.equal(one.json.content, two.json.content);
        const sent = await message(t, 'sent');
        // A connection that was kept open and ends without a word is opened again within the try.
        assert.ok(sent.tries === 2 || doubt === cut, String(sent.tries));
        assert.equal(sent.provider, 'first');
        assert.equal(of(second, number).length, 0);
    }
});

test('one that stays silent is given up for the next after some tries', async () => {
    const number = phone();
    first.next.push(hang, hang, hang, hang, cut);
    await office.filed({ phone: number });
    for (let n = 1; n <= 4; n++) {
        await told(first, number, n);
        await until('the try is over', async () => (await hotline.sql("select from hotline.delivery where state = 'waiting' and provider = 'first'")).length > 0);
        await later();
    }
    const [got] = await told(second, number);
    assert.equal(got.json.id, of(first, number)[0].json.msgid);
});

test('what nobody will take is a dead letter; an administrator sends it again or gives it up, and that is on record', async () => {
    const refusals = [];
    for (let i = 0; i < 2; i++) {
        const number = phone();
        first.next.push(say(200, { code: 'bad number' }));
        second.next.push(say(400));
        const t = await office.filed({ phone: number });
        const dead = await message(t, 'dead');
        assert.deepEqual([dead.tries, dead.status], [1, 400]);
        refusals.push({ ...dead, number });
    }
    const list = (await admin.get('/v1/admin/notice')).body.items;
    assert.deepEqual(list.map((item) => item.code), refusals.map((dead) => dead.id));
    assert.match(list[0].item.to, /^138\*\*\*\*/);
    await until('readiness says so', async () => /2 notices could not be sent/.test((await hotline.anybody.get('/readyz')).text));

    const [again, never] = refusals;
    assert.equal((await admin.post(`/v1/admin/notice/${again.id}`, {})).status, 422);
    assert.equal((await admin.post(`/v1/admin/notice/${again.id}`, { do: 'retry' })).status, 200);
    const got = await told(first, again.number, 2);
    assert.equal(got[1].json.msgid, again.id);
    assert.equal((await admin.post(`/v1/admin/notice/${never.id}`, { do: 'drop' })).status, 200);
    assert.deepEqual((await admin.get('/v1/admin/notice')).body.items, []);
    assert.equal((await admin.post(`/v1/admin/notice/${never.id}`, { do: 'retry' })).body.code, 'not_dead');
    assert.equal((await admin.post('/v1/admin/notice/12', { do: 'retry' })).status, 404);
    assert.equal((await admin.get(`/v1/admin/notice/${again.id}`)).body.history.length, 1);
    for (const login of ['leader1', 'st-gaj.d'])
        assert.equal((await (await hotline.as(login)).post(`/v1/admin/notice/${never.id}`, { do: 'retry' })).status, 403);
});

test('hotlinectl shows dead letters and sends them again', async () => {
    const number = phone();
    const ctl = async (...words) => (await run(process.env.HOTLINECTL, words, {
        env: { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${hotline.host} user=postgres dbname=${hotline.database}` } })).stdout;
    first.next.push(say(401));
    second.next.push(say(401));
    const t = await office.filed({ phone: number });
    const { id } = await message(t, 'dead');

    assert.match(await ctl('notice', 'list'), new RegExp(`${id} .*${t.number} .*received .*401`));
    assert.match(await ctl('notice', 'retry', 'all'), /1 notices are sent again/);
    await told(first, number, 2);
    await message(t, 'sent');
    await assert.rejects(ctl('notice', 'retry', id), /no dead letter/);
});

test('a message whose tries are used up is a dead letter too', async () => {
    const number = phone();
    await hotline.sql("update hotline.setting set value = '2' where name = 'notice.tries'");
    first.next.push(say(503), say(503));
    second.next.push(say(503), say(503));
    const t = await office.filed({ phone: number });
    const dead = await message(t, 'dead');
    assert.deepEqual([dead.tries, dead.status], [2, 503]);
    await hotline.sql("update hotline.setting set value = '14' where name = 'notice.tries'");
    await admin.post(`/v1/admin/notice/${dead.id}`, { do: 'drop' });
});

test('a worker that dies while the gateway is silent leaves the message to the next, under the same id', async () => {
    const number = phone();
    first.next.push(hang);
    const t = await office.filed({ phone: number });
    await told(first, number);
    const [pid] = hotline.workers();
    process.kill(pid, 'SIGKILL');
    await until('another works', () => hotline.workers().some((other) => other !== pid));
    await sleep(300);
    assert.equal(of(first, number).length, 1, 'the lease holds');
    await later();
    const [one, two] = await told(first, number, 2);
    assert.equal(one.json.msgid, two.json.msgid);
    assert.equal((await message(t, 'sent')).tries, 2);
});

test('one message a change: what follows by itself in the same commit is told together', async () => {
    const number = phone();
    const t = await office.filed({ phone: number, title: '夜间施工噪声扰民', content: '小区旁边的建筑工地每天夜里十一点以后仍在施工打桩，噪声扰民。' });
    await told(first, number);
    await office.done('acceptor1', t, 'accept', { title: plain.title, category: '010501', division: '440507' });
    await office.done('dispatcher1', t, 'dispatch', { main_unit: 'ST-GAJ', instruction: '请依法处理并答复诉求人。' });
    await until('planned', async () => (await hotline.sql('select from hotline.outbox where sent_at is null')).length === 0);
    const commits = await hotline.sql('select count(distinct at)::int as n from hotline.outbox where ticket_id = $1', [t.id]);
    const rows = await messages(t);
    assert.equal(rows.length, commits[0].n);
    assert.ok(rows.some((row) => row.kind === 'dispatched'));
});

test('an administrator words a notice; a phone number in it is refused', async () => {
    const words = { title: '登记', body: '单号{number}，查{code}。' };
    assert.equal((await admin.post('/v1/admin/template/notice:received', words)).status, 200);
    assert.equal((await admin.post('/v1/admin/template/notice:weather', words)).status, 422);
    assert.equal((await admin.post('/v1/admin/template/notice:received', { body: '请拨13800138000' })).status, 422);
    const number = phone();
    const t = await office.filed({ phone: number });
    assert.equal((await told(first, number))[0].json.content, `【汕头12345】单号${t.number}，查${t.query_code}。`);
});

test('a unit\'s office gets mail when work comes; the mail server may be slow, busy or say no', async () => {
    const unit = String(await office.unit('ST-GAJ'));
    assert.equal((await admin.post('/v1/admin/link/police-mail', { unit, way: 'email', address: 'office@police.example' })).status, 200);
    for (const address of ['office', 'a b@c.example', 'a@b.example>\r\nBcc: x@y.example'])
        assert.equal((await admin.post('/v1/admin/link/police-mail', { address })).status, 422, address);

    const t = await office.at('pending_sign');
    const [mail] = await until('mail comes', () => post.mails.length > 0 && post.mails);
    const read = readMail(mail);
    assert.equal(mail.to, 'office@police.example');
    assert.equal(read.subject, `12345热线工单 ${t.number}`);
    assert.match(read.body, new RegExp(`^工单${t.number}已派至.*，请于\\d+月\\d+日\\d\\d:\\d\\d前签收`));
    const row = (await messages(t)).find((m) => m.way === 'email');
    assert.equal(read['message-id'], `<${row.id}@city.example>`);

    post.next = { RCPT: ['451 later', '550 no such mailbox'] };
    const u = await office.at('pending_sign');
    const gone = await until('it is refused', async () => (await messages(u)).find((m) => m.way === 'email' && m.state === 'dead'));
    assert.deepEqual([gone.tries, gone.status], [2, 550]);
    post.next = { END: ['hang'] };
    const v = await office.at('pending_sign');
    await until('it is sent again', async () => (await messages(v)).find((m) => m.way === 'email' && m.state === 'sent' && m.tries === 2));
    assert.equal(post.mails.length, 2);
    assert.equal((await admin.post('/v1/admin/link/police-mail', { active: false })).status, 200);
});

test('in quiet hours the citizen is left alone, except for what answers the citizen', async () => {
    const site = await new Site(taken).open();
    const file = join(dir, 'night.json');
    writeFileSync(file, JSON.stringify([{ ...gateways()[0], url: site.url }]), { mode: 0o600 });
    const night = await start({ settings: { ...settings, sms_file: file, notice_ways: 'sms' } });
    const clock = (at) => night.sql('update hotline.simulation set at = $1', [at]);
    await night.engine.term();
    await night.sql('insert into hotline.simulation (at) values (\'2026-03-04 11:00+08\')');
    await night.sql('select hotline.sim_install(true)');
    await night.startEngine();
    const desk = new Office(night);
    const number = phone();

    await clock('2026-03-04 21:00+08');
    const t = await desk.filed({ phone: number });
    await until('the receipt', () => of(site, number).length === 1);
    await desk.bring(t, 'pending_accept', 'pending_sign');
    const waits = await until('the next waits', async () => (await night.sql(
        "select due_at from hotline.delivery where ticket_id = $1 and state = 'waiting'", [t.id])).length && true);
    assert.ok(waits);
    await clock('2026-03-05 08:29+08');
    await sleep(1500);
    assert.equal(of(site, number).length, 1);
    await clock('2026-03-05 08:30+08');
    await until('it comes in the morning', () => of(site, number).some((got) => /已交由/.test(got.json.content)));
});

test('certificates are verified', async () => {
    const [certificate, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
    await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1',
        '-keyout', key, '-out', certificate]);
    const safe = await new Site(taken).open({ key: readFileSync(key), cert: readFileSync(certificate) });
    writeFileSync(smsFile, JSON.stringify(gateways({ url: safe.url }).slice(0, 1)), { mode: 0o600 });
    await hotline.engine.term();
    await hotline.startEngine({ fetch_plain: 0 });
    const number = phone();
    const t = await office.filed({ phone: number });
    await until('it fails', async () => /certificate/.test((await messages(t))[0]?.why));
    assert.deepEqual(safe.got, []);

    await hotline.engine.term();
    await hotline.startEngine({ fetch_plain: 0, fetch_ca_file: certificate });
    await later();
    await told(safe, number);

    writeFileSync(smsFile, JSON.stringify(gateways().slice(0, 1)), { mode: 0o600 });
    await hotline.engine.term();
    await hotline.startEngine({ fetch_plain: 0 });
    const u = await office.filed({ phone: phone() });
    await until('nothing goes out in clear', async () => /[Pp]rotocol/.test((await messages(u))[0]?.why));
});

test('a file of gateways that others may read, or that is none, stops the start', async () => {
    await hotline.engine.term();
    for (const [text, mode] of [[JSON.stringify(gateways()), 0o644], ['{}', 0o600], ['[{"name":"x"}]', 0o600], ['[', 0o600]]) {
        rmSync(smsFile);
        writeFileSync(smsFile, text, { mode });
        await assert.rejects(hotline.startEngine(), /the engine ended/);
    }
    rmSync(smsFile);
    writeFileSync(smsFile, JSON.stringify(gateways()), { mode: 0o600 });
    await hotline.startEngine();
});
