// Other platforms: the province hands tickets down, 110 hands them over and takes them, and the record set goes up.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { key, start } from './harness.mjs';
import { Office } from './office.mjs';

const run = promisify(execFile);
const dir = mkdtempSync(join(tmpdir(), 'hotline-exchange-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const secrets = { province: 'p'.repeat(40), police_110: '1'.repeat(40) };
const file = join(dir, 'exchange');
writeFileSync(file, `# who exchanges with us\nprovince k1 ${secrets.province}\npolice_110 k1 ${secrets.police_110}\n`, { mode: 0o600 });
const hotline = await start({ settings: { web_root: '', exchange_file: file } });
const office = new Office(hotline);

// A request as the other platform makes it; change may spoil it.
const ask = (system, method, path, body, change = {}) => {
    const text = body ? JSON.stringify(body) : '';
    const stamp = String(Math.floor(Date.now() / 1000) - (change.age ?? 0));
    const plain = `/v1/exchange/${change.as ?? system}${path}`;
    const mac = createHmac('sha256', change.secret ?? secrets[system]).update(`${stamp}.${method}.${plain.split('?')[0]}.${change.signed ?? text}`).digest('hex');

    return hotline.anybody.ask(method, plain, {
        body: text || undefined,
        headers: { 'X-Hotline-Key': change.key ?? 'k1', 'X-Hotline-Timestamp': stamp, 'X-Hotline-Signature': `v1=${mac}`, 'Idempotency-Key': key(), ...change.headers },
    });
};
const inDays = (n) => new Date(Date.now() + n * 86400000).toISOString();
const matter = (change) => ({ external_id: 'SJ-0001', title: '路灯不亮', content: '金平区某路段路灯连续多日不亮，请修复。', type: 'complaint', phone: '13800138777', name: '王小明',
    division: '440511', ...change });

test('a ticket of the province comes once, with its own limit as the promise', async () => {
    const due = inDays(20);
    const [one, two] = await Promise.all([1, 2].map(() => ask('province', 'POST', '/tickets', matter({ outer_due_at: due }))));
    assert.equal(one.status, 201, one.text);
    assert.deepEqual(two.body, one.body);
    assert.equal(new Date(one.body.promise_due_at).getTime(), Math.floor(new Date(due).getTime() / 1000) * 1000);
    const [t] = await hotline.sql(`select t.id::text, c.phone_mask, c.phone_enc from hotline.ticket_ref r join hotline.ticket t on t.id = r.ticket_id
        join hotline.ticket_contact c on c.ticket_id = t.id where r.ticket_no = $1`, [one.body.number]);
    assert.equal(t.phone_mask, '138****8777');
    assert.match(t.phone_enc, /^v1\./);
    assert.equal(await office.story(t), 'T16');
    assert.doesNotMatch(hotline.engine.said(), /13800138777/);
});

test('what the province sends wrongly is refused with the fields at fault', async () => {
    const no = async (change, field) => {
        const { status, body } = await ask('province', 'POST', '/tickets', matter({ external_id: 'SJ-bad', outer_due_at: inDays(9), ...change }));
        assert.deepEqual([status, body.fields?.[0].name], [422, field], JSON.stringify(body));
    };
    await no({ outer_due_at: undefined }, 'outer_due_at');
    await no({ outer_due_at: '2020-01-01T00:00:00+08:00' }, 'outer_due_at');
    await no({ outer_due_at: 'tomorrow' }, 'outer_due_at');
    await no({ division: '999999' }, 'division');
    await no({ urgency: 'very' }, 'urgency');
    await no({ phone: '1' }, 'phone');
    await no({ colour: 'red' }, 'colour');
    await no({ title: 'x' }, 'title');
    assert.equal((await hotline.sql("select from hotline.external_ref where external_id = 'SJ-bad'")).length, 0);
});

test('only a request that is signed, recent and the system\'s own is heard', async () => {
    const body = matter({ external_id: 'SJ-0002', outer_due_at: inDays(9) });
    const refused = async (change) => {
        const answer = await ask('province', 'POST', '/tickets', body, change);
        assert.deepEqual([answer.status, answer.body.code], [401, 'bad_signature'], JSON.stringify(change));
    };
    await refused({ secret: 'x'.repeat(40) });
    await refused({ key: 'k2' });
    await refused({ as: 'police_110' });
    await refused({ signed: '{}' });
    await refused({ age: 400 });
    await refused({ age: -400 });
    await refused({ headers: { 'X-Hotline-Signature': 'v1=' } });
    await refused({ headers: { 'X-Hotline-Timestamp': 'now' } });
    assert.equal((await hotline.anybody.get('/v1/exchange/province/records')).status, 401);
    assert.equal((await hotline.anybody.get('/v1/exchange/nobody/records')).status, 401);
    assert.equal((await ask('province', 'POST', '/tickets', body)).status, 201);
});

test('110 hands over what is none of the police\'s, and hears how it goes and ends', async () => {
    const said = await ask('police_110', 'POST', '/tickets', matter({ external_id: '110-77', measures: '民警已到场，非警务事项。', urgency: 'normal' }));
    assert.equal(said.status, 201, said.text);
    const [t] = await hotline.sql('select ticket_id::text as id from hotline.ticket_ref where ticket_no = $1', [said.body.number]);
    t.number = said.body.number;
    const from = await ask('police_110', 'GET', '/records');
    assert.equal(from.status, 200, from.text);
    assert.deepEqual(from.body.records.map((r) => [r.kind, r.external_id, r.action]), [['step', '110-77', 'receive_from_110']]);
    await office.bring(t, 'pending_dispatch', 'closed');
    const next = (await ask('police_110', 'GET', `/records?after=${from.body.last}&limit=1000`)).body;
    assert.deepEqual(next.records.map((r) => r.action).slice(0, 2), ['dispatch', 'sign']);
    const last = next.records.at(-1);
    assert.deepEqual([last.state, last.resolved, last.source_no], ['closed', 'yes', t.number]);
    assert.match(last.result, /现场核查/);
    assert.deepEqual((await ask('police_110', 'GET', `/records?after=${next.last}`)).body, { records: [], last: next.last });
    assert.equal((await ask('province', 'GET', '/records')).text.includes('110-77'), false);
    assert.equal((await ask('police_110', 'GET', '/records?after=x')).status, 422);
    assert.equal((await ask('police_110', 'GET', '/records?from=1')).status, 422);
});

test('what is passed to 110 as data comes with its text and place, and its receipt stops the alarm', async () => {
    const t = await office.at('pending_dispatch', { content: '有人受伤，请马上处理，地点在广场东门。' });
    const given = await office.do('operator1', t, 'urgent_part', { agency: 'police_110', mode: 'data', part: '有人受伤，需要出警。' });
    const inputs = (await (await hotline.as('operator1')).get(`/v1/desk/tickets/${t.id}/actions`)).body.actions?.find((a) => a.action === 'urgent_part');
    assert.equal(given.status, 200, `${given.text} ${JSON.stringify(inputs)}`);
    const { records } = (await ask('police_110', 'GET', '/records')).body;
    const transfer = records.find((r) => r.kind === 'transfer' && r.ticket === t.id);
    assert.match(transfer.content, /有人受伤/);
    assert.equal(transfer.phone_mask, '138****8000');
    const receipt = (system, change) => ask(system, 'POST', `/transfers/${transfer.transfer}/receipt`, { ticket: t.id, ...change });
    assert.equal((await receipt('province')).status, 404);
    assert.deepEqual((await receipt('police_110')).body, { transfer: transfer.transfer, arrived: true });
    assert.equal((await receipt('police_110')).body.code, 'checked_already');
    assert.equal((await ask('police_110', 'POST', '/transfers/x/receipt', { ticket: t.id })).status, 404);
    assert.equal((await receipt('police_110', { ticket: 'x' })).status, 422);
});

test('a file of partners that is none stops the start', async () => {
    await hotline.engine.term();
    for (const text of ['province k1', `province k1 ${'s'.repeat(31)}`, `province k1 ${'s'.repeat(40)} more`, `${`a b ${'s'.repeat(40)}\n`.repeat(17)}`]) {
        writeFileSync(file, text, { mode: 0o600 });
        await assert.rejects(hotline.startEngine(), /the engine ended/);
    }
    writeFileSync(file, `province k1 ${secrets.province}\npolice_110 k1 ${secrets.police_110}\n`, { mode: 0o600 });
    await hotline.startEngine();
});

// ---- the record set -----------------------------------------------------------------------------------------------------------

const ctl = async (...words) => (await run(process.env.HOTLINECTL, words, {
    env: { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${hotline.host} user=postgres dbname=${hotline.database}` } })).stdout;
const out = join(dir, 'records.jsonl');
const exported = async (...words) => {
    const said = await ctl('export', 'records', '--out', out, ...words);
    const text = readFileSync(out, 'utf8');
    return { said, text, records: text.trim().split('\n').map((line) => JSON.parse(line)), last: said.match(/^last +(\d+)$/m)[1],
        score: JSON.parse(said.match(/^score +(.*)$/m)[1]) };
};

test('the whole record set: every ticket with its steps, masked, with an SM3 digest and an SM2 signature that OpenSSL verifies', async () => {
    const secret = await office.at('closed', { secrecy: 1, content: '我是王小明，电话13800138000，楼下的烧烤店每晚油烟扰民。' });
    const sealed = await office.at('pending_accept', { secrecy: 3 });
    const [sm2, pub] = [join(dir, 'sm2.pem'), join(dir, 'sm2.pub')];
    await run('openssl', ['genpkey', '-algorithm', 'SM2', '-out', sm2]);
    await run('openssl', ['pkey', '-in', sm2, '-pubout', '-out', pub]);
    const { text, records, score } = await exported('--sign', sm2);

    assert.equal(records[0].kind, 'export');
    assert.equal(records[0].mode, 'full');
    const [{ n }] = await hotline.sql('select count(*)::int as n from hotline.ticket where state <> 10 and secrecy <> 3');
    assert.equal(records.filter((r) => r.kind === 'ticket').length, n);
    assert.doesNotMatch(text, /\b1[3-9]\d{9}\b/);
    assert.equal(text.includes(sealed.number), false);
    const mine = records.filter((r) => r.source_no === secret.number);
    assert.deepEqual([...new Set(mine.map((r) => r.kind))], ['ticket', 'assignment', 'event', 'reply', 'callback']);
    assert.equal(new Set(mine.map((r) => r.version)).size, 1);
    assert.equal(mine[0].version, mine.filter((r) => r.kind === 'event').length);
    assert.equal(mine[0].close_kind, 'resolved');
    assert.equal(mine.find((r) => r.kind === 'assignment').unit, 'ST-GAJ');
    assert.deepEqual(mine[0].appellant.phone, '138****8000');
    const province = records.find((r) => r.kind === 'ticket' && r.province_no === 'SJ-0001');
    assert.equal(province.channel, 'province');

    const digest = readFileSync(`${out}.sm3`, 'utf8');
    assert.match((await run('openssl', ['dgst', '-sm3', out])).stdout, new RegExp(`= ${digest}$`, 'm'));
    const verify = () => run('openssl', ['dgst', '-sm3', '-verify', pub, '-sigopt', 'distid:1234567812345678', '-signature', `${out}.sig`, out]);
    assert.match((await verify()).stdout, /Verified OK/);
    writeFileSync(out, text.replace('ST-GAJ', 'ST-CGJ'));
    await assert.rejects(verify());
    assert.equal(score.of, 25);
    assert.equal(score.tickets, n);
});

test('a delta brings the tickets that moved, whole, and nothing when none did; the score says what is missing', async () => {
    const before = await exported();
    const t = await office.at('pending_sign');
    const delta = await exported('--since', before.last);
    const tickets = delta.records.filter((r) => r.kind === 'ticket').map((r) => r.source_no);
    assert.ok(tickets.includes(t.number));
    assert.equal(delta.records[0].mode, 'delta');

    const nothing = await exported('--since', String(BigInt(delta.last) + (700000n << 20n)));
    assert.deepEqual(nothing.records.map((r) => r.kind), ['export']);
    assert.equal(nothing.score.total, 25);

    const bare = await office.filed({ division: undefined, content: '路灯不亮了' });
    const worse = await exported('--since', 'last');
    assert.ok(worse.records.some((r) => r.source_no === bare.number));
    assert.ok(worse.score.missing >= 2 && worse.score.short >= 1, JSON.stringify(worse.score));
    assert.ok(worse.score.total < 25);
    assert.match(await ctl('export', 'scores'), / of 25/);
    await assert.rejects(exported('--since', 'yesterday'), /the id of an event/);
});
