// A unit with a system of its own: it hears of its tickets by webhook, takes them, works on them and never types one twice.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fault, Hotline as Unit } from '../../tools/unit-client.mjs';
import { Program, start, until } from './harness.mjs';
import { Office, reply } from './office.mjs';
import { hang, say, Site } from './world.mjs';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../../tools/unit-client.mjs', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'hotline-unit-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const hotline = await start({ settings: { web_root: '', notice_ways: 'webhook', fetch_plain: 1, fetch_ms: 1000 } });
const office = new Office(hotline);
const admin = await hotline.as('admin1');
const police = await office.unit('ST-GAJ');
await hotline.sql("update hotline.setting set value = '1' where name = 'notice.backoff_seconds'");

const put = (kind, code, body, options) => admin.post(`/v1/admin/${kind}/${code}`, body, options);
const as = (key, method, path, body, headers) => hotline.anybody.ask(method, `/v1/unit${path}`, {
    body, headers: { Authorization: `Bearer ${key}`, ...(body ? { 'Idempotency-Key': crypto.randomUUID() } : {}), ...headers } });
const ctl = async (...words) => (await run(process.env.HOTLINECTL, words, {
    env: { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${hotline.host} user=postgres dbname=${hotline.database}` } })).stdout;

let key;

test('an administrator makes a key for a unit; it is shown once, and only its hash is stored', async () => {
    const once = { headers: { 'Idempotency-Key': 'the-first-key-of-police' } };
    const made = await put('key', 'police', { unit: String(police) }, once);
    assert.equal(made.status, 200, made.text);
    key = made.body.effect.secret;
    assert.match(key, /^[0-9a-f]{64}$/);
    assert.equal((await put('key', 'police', { unit: String(police) }, once)).body.effect.secret, key, 'the repeat of a lost answer');
    assert.equal((await admin.get('/v1/admin/key/police')).text.includes(key), false);
    const stored = await hotline.sql("select s.hash, p.login from hotline.session s join hotline.person p on p.id = s.person_id where p.login like 'key:%'");
    assert.deepEqual(stored.map((row) => [row.login, row.hash === key]), [['key:police', false]]);
    assert.equal(hotline.engine.said().includes(key), false);
    for (const [body, field] of [[{}, 'unit'], [{ unit: '1' }, 'unit'], [{ unit: String(police), roles: ['ADM'] }, 'roles'],
        [{ unit: String(police), expires: '2020-01-01' }, 'expires']])
        assert.equal((await put('key', 'other', body)).body.fields[0].name, field);
    assert.equal((await (await hotline.as('st-gaj.a')).post('/v1/admin/key/police', { renew: true })).status, 403);
    assert.equal((await admin.post('/v1/admin/user/key:police', { name: 'x' })).status, 422, 'nobody gives it a password');
});

test('it takes what is dispatched to the unit, and brings it to its answer; the unit\'s leader approves', async () => {
    const t = await office.at('pending_sign');
    const list = await as(key, 'GET', '/tickets?state=pending_sign');
    assert.equal(list.status, 200, list.text);
    assert.ok(list.body.tickets.some((row) => row.id === t.id));
    const whole = await as(key, 'GET', `/tickets/${t.id}`);
    assert.equal(whole.body.number, t.number);
    const { body: { actions } } = await as(key, 'GET', `/tickets/${t.id}/actions`);
    assert.ok(actions.some((a) => a.action === 'sign'));

    const doing = async (step, inputs = {}) => {
        const said = await as(key, 'POST', `/tickets/${t.id}/${step}`, inputs);
        assert.equal(said.status, 200, `${step}: ${said.text}`);
        return said.body;
    };
    await doing('sign');
    const contact = await as(key, 'POST', `/tickets/${t.id}/contact`, { purpose: '联系诉求人核实情况' });
    assert.equal(contact.body.phone, '13800138000');
    await doing('first-contact', { contacted: true, way: 'phone' });
    await doing('progress', { text: '已派人到现场查看。', visible_to_citizen: true });
    assert.equal((await doing('reply', reply)).assignment_state, 'unit_approval');
    await office.done('st-gaj.a', t, 'unit_approve', { opinion: '同意' });
    assert.match(await office.story(t), /T30 T43 T44 T52 T53$/);
    const [{ n }] = await hotline.sql(`select count(*)::int as n from hotline.access_log l join hotline.person p on p.id = l.person_id
        where l.ticket_id = $1 and p.login = 'key:police'`, [t.id]);
    assert.equal(n, 1);
});

test('it asks to return what is not the unit\'s; the unit\'s leader and the centre decide', async () => {
    const t = await office.at('pending_sign');
    const inputs = { return_code: 'R01', legal_basis: '《某条例》第三条', explain: '不属于本单位职责范围。', suggested_unit: await office.unit('ST-CGJ') };
    const said = await as(key, 'POST', `/tickets/${t.id}/return`, inputs);
    assert.equal(said.status, 200, said.text);
    assert.ok(await office.question('st-gaj.a', t));
});

test('a step is refused as a person would be: with its code, its fields, its version, and once under one key', async () => {
    const t = await office.at('pending_sign');
    const no = async (status, code, step, body, headers) => {
        const said = await as(key, 'POST', `/tickets/${t.id}/${step}`, body, headers);
        assert.deepEqual([said.status, said.body.code], [status, code], said.text);
    };
    await no(409, 'not_allowed_now', 'reply', reply);
    await no(409, 'stale_version', 'sign', { version: 1 });
    await no(422, 'bad_inputs', 'sign', { version: 'x' });
    await no(422, 'bad_inputs', 'sign', { colour: 'red' });
    await no(404, 'no_such_route', 'close', {});
    await no(404, 'no_such_route', 'dispatch', {});
    const once = { 'Idempotency-Key': 'signing-this-ticket-once' };
    const [one, two] = [await as(key, 'POST', `/tickets/${t.id}/sign`, {}, once), await as(key, 'POST', `/tickets/${t.id}/sign`, {}, once)];
    assert.deepEqual([one.status, two.status, one.text === two.text], [200, 200, true]);
});

test('a key opens nothing but its own unit\'s tickets, and no other door', async () => {
    const t = await office.at('pending_dispatch');
    await office.done('dispatcher1', t, 'dispatch', { main_unit: 'ST-CGJ', instruction: '请依法处理。' });
    assert.equal((await as(key, 'GET', `/tickets/${t.id}`)).status, 404);
    assert.equal((await as(key, 'POST', `/tickets/${t.id}/sign`, {})).status, 404);
    assert.equal((await as(key, 'GET', '/tickets/x')).status, 404);
    assert.equal((await as(key, 'GET', '/tickets?unit=1')).status, 422);
    assert.equal((await hotline.anybody.get('/v1/unit/tickets')).status, 401);
    for (const wrong of ['x', 'f'.repeat(64), key.slice(1), `${key}0`, admin.token])
        assert.equal((await as(wrong, 'GET', '/tickets')).status, 401, wrong);
    assert.equal((await hotline.anybody.get('/v1/desk/tickets', { headers: { Authorization: `Bearer ${key}` } })).status, 401);
    assert.equal((await hotline.anybody.post('/v1/session', { login: 'key:police', password: '!' })).status, 401);
});

test('a renewed key voids the old one at once, an ended one is no key, and hotlinectl makes them too', async () => {
    const newer = (await put('key', 'police', { renew: true })).body.effect.secret;
    assert.notEqual(newer, key);
    assert.equal((await as(key, 'GET', '/tickets')).status, 401);
    assert.equal((await as(newer, 'GET', '/tickets')).status, 200);
    assert.equal((await put('key', 'police', { active: false })).body.effect.secret, undefined);
    assert.equal((await as(newer, 'GET', '/tickets')).status, 401);
    await put('key', 'police', { active: true });
    assert.equal((await as(newer, 'GET', '/tickets')).status, 200);
    await hotline.sql("update hotline.session set expires_at = now() where person_id = (select person_id from hotline.unit_key where code = 'police')");
    assert.equal((await as(newer, 'GET', '/tickets')).status, 401);

    const config = join(hotline.dir, 'hotlined.conf');
    key = (await ctl('unit', 'key', 'police', 'ST-GAJ', '--config', config)).trim();
    assert.equal((await as(key, 'GET', '/tickets')).status, 200);
    await assert.rejects(ctl('unit', 'key', 'nobody', 'ST-NONE', '--config', config), /no such unit/);
    await assert.rejects(ctl('unit', 'key', 'police', 'ST-CGJ', '--config', config), /The unit stays/);
});

// ---- webhooks ------------------------------------------------------------------------------------------------------------

const troubles = new Map(); // ticket → what comes before it is taken
const site = await new Site((got, res) => (troubles.get(got.json.ticket)?.shift() ?? say(200))(got, res)).open();
const secrets = {};
const of = (ticket) => site.got.filter((got) => got.json.ticket === ticket.id);

test('what happens to a unit\'s ticket is told to its system, signed, in the order in which it happened', async () => {
    const made = await put('link', 'police', { unit: String(police), way: 'webhook', address: `${site.url}steps` });
    assert.equal(made.status, 200, made.text);
    secrets[made.body.effect.key] = made.body.effect.secret;
    assert.equal((await admin.get('/v1/admin/link/police')).text.includes(made.body.effect.secret), false);

    const t = await office.at('pending_audit');
    const got = await until('all are told', () => /unit_approve/.test(of(t).map((g) => g.json.action)) && of(t));
    assert.deepEqual(got.map((g) => g.json.action), ['dispatch', 'sign', 'first_contact', 'submit_reply', 'unit_approve']);
    for (const { headers, text, json, path } of got) {
        assert.equal(path, '/steps');
        assert.equal(fault(headers, text, secrets), null);
        assert.equal(fault(headers, `${text} `, secrets), 'wrong signature');
        assert.equal(fault({ ...headers, 'x-hotline-message': '1' }, text, secrets), 'wrong signature');
        assert.equal(fault(headers, text, secrets, Date.now() / 1000 + 400), 'too old');
        assert.equal(headers['x-hotline-message'], json.id);
        assert.equal(json.unit, 'ST-GAJ');
        assert.doesNotMatch(text, /一件小事|138/, 'nothing of the matter is in it');
    }
    assert.deepEqual(got.map((g) => g.json.n), [...got.map((g) => g.json.n)].sort((a, b) => a - b));
});

test('while one step is not taken the next of this ticket waits, and other tickets go on', async () => {
    const t = await office.at('pending_dispatch');
    troubles.set(t.id, [say(500), hang, say(503)]);
    await office.bring(t, 'pending_dispatch', 'contacted');
    const other = await office.at('pending_sign');
    await until('the other is told', () => of(other).length === 1);
    const got = await until('all are told', () => of(t).length >= 6 && of(t), 40);
    assert.deepEqual(got.map((g) => g.json.action), ['dispatch', 'dispatch', 'dispatch', 'dispatch', 'sign', 'first_contact']);
    assert.equal(new Set(got.slice(0, 4).map((g) => g.json.id)).size, 1, 'the same message');
    assert.ok(of(other)[0].at < got[3].at);
});

test('a step that is a dead letter lets the next one pass', async () => {
    const t = await office.at('pending_dispatch');
    troubles.set(t.id, [say(410)]);
    await office.bring(t, 'pending_dispatch', 'handling');
    await until('the next is told', () => of(t).some((g) => g.json.action === 'sign'));
    const dead = await hotline.sql("select id from hotline.delivery where ticket_id = $1 and state = 'dead'", [t.id]);
    assert.equal(dead.length, 1);
    await put('notice', dead[0].id, { do: 'retry' });
    await until('it is told later', () => of(t).filter((g) => g.json.action === 'dispatch').length === 2);
});

test('a new secret signs from then on; a link that is ended hears nothing', async () => {
    const made = await put('link', 'police', { new_secret: true });
    assert.equal(made.body.effect.key, 'police.2');
    const t = await office.at('pending_sign');
    const [got] = await until('it is told', () => of(t).length > 0 && of(t));
    assert.equal(fault(got.headers, got.text, secrets), 'unknown key');
    assert.equal(fault(got.headers, got.text, { 'police.2': made.body.effect.secret }), null);
    for (const address of ['ftp://x.example/', 'http://user:password@x.example/', 'javascript:1', 'http://x y/'])
        assert.equal((await put('link', 'police', { address })).status, 422, address);
    await put('link', 'police', { active: false });
    const u = await office.at('pending_sign');
    await sleep(1500);
    assert.equal(of(u).length, 0);
});

// ---- the script ------------------------------------------------------------------------------------------------------------

test('tools/unit-client.mjs takes webhooks, signs for what comes, answers it, and does a repeat once', async (context) => {
    const [keys, file] = [join(dir, 'key'), join(dir, 'secrets')];
    const config = join(hotline.dir, 'hotlined.conf');
    writeFileSync(keys, `${key}\n`);
    // The port is not known before it listens: it gets the secret of a link that is made first and changed then.
    const said = await ctl('link', 'add', 'script', 'ST-GAJ', 'http://127.0.0.1:9/', '--config', config);
    const [, name, secret] = said.match(/^key +(\S+)\nsecret +(\S+)\n$/);
    writeFileSync(file, `${name} ${secret}\n`);
    const environment = { HOTLINE_URL: hotline.url, HOTLINE_KEY_FILE: keys, HOTLINE_SECRETS_FILE: file };
    const system = new Program(process.execPath, [script, 'listen', '0'], join(dir, 'log'), environment);
    context.after(() => system.end ?? system.kill());
    const [, port] = await until('it listens', () => system.said().match(/listening (\d+)/));
    const at = `http://127.0.0.1:${port}/`;
    assert.equal((await put('link', 'script', { address: at })).status, 200);

    const t = await office.at('pending_sign');
    await until('it signs', async () => /T30/.test(await office.story(t)));
    await until('it hears of that too', () => system.said().includes(`${t.number} sign handling`));
    assert.match(system.said(), new RegExp(`${t.number} dispatch signed`));
    const cli = async (...words) => JSON.parse((await run(process.execPath, [script, ...words], { env: { ...process.env, ...environment } })).stdout);
    assert.ok((await cli('list')).tickets.some((row) => row.id === t.id));
    assert.equal((await cli('show', t.id)).number, t.number);
    assert.equal((await cli('do', t.id, 'first-contact', '{"contacted":true,"way":"phone"}')).state, 'handling');
    const unit = new Unit(hotline.url, key);
    const [one, two] = [await unit.step(t.id, 'reply', reply), await unit.step(t.id, 'reply', reply)];
    assert.deepEqual([one.status, one.body], [200, two.body], 'the repeat of a command is the same command');

    for (const headers of [{}, { 'X-Hotline-Key': name }, { 'X-Hotline-Key': '__proto__' }])
        assert.equal((await fetch(at, { method: 'POST', body: '{}', headers })).status, 401);
    await system.term();
    await ctl('link', 'end', 'script');
    assert.match(await ctl('link', 'list'), /script +ST-GAJ +webhook .* ended/);
});
