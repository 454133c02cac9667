// Contact data is planted everywhere a person may type it; then everything the engine writes is searched for it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { key, start } from './harness.mjs';
import { Office, plain } from './office.mjs';

const hotline = await start({ settings: { log_level: 'debug', limit_submit: 1000, limit_query: 1000, limit_login: 1000, limit_staff: 10000 } });
const { anybody, citizen } = hotline;
const office = new Office(hotline);
const operator = await hotline.as('operator1');

const phones = ['13911223344', '13922334455', '13933445566', '13944556677', '13955667788', '13966778899', '075488776655'];
const names = ['欧阳暮雪', '司马长风', '诸葛明月', '尉迟晚秋'];
const secrets = ['correct horse battery']; // and codes and tokens, as they come
const say = (phone) => phone.replace(/(\d{3})(\d{4})(\d{4})/, '$1 $2-$3');

// How each may look when it is written down: as it is, with its blanks, in full-width digits, in base64, in hex.
const forms = (text) => [text, say(text), [...text].map((c) => (/\d/.test(c) ? String.fromCharCode(c.charCodeAt(0) + 0xfee0) : c)).join(''),
    Buffer.from(text).toString('base64').replace(/=+$/, ''), Buffer.from(text).toString('hex')];

function must_not_hold(where, text, words) {
    assert.ok(text.length > 100, `${where} is there`);
    for (const word of words)
        for (const form of forms(word)) {
            const at = text.indexOf(form);
            assert.equal(at, -1, `${where} holds ${form}: …${text.slice(Math.max(0, at - 100), at + 60)}…`);
        }
}

// All of Redis: every key with what it holds.
async function redis() {
    const socket = connect(join(hotline.dir, 'redis.sock'));
    const cli = (...args) => execFileSync('redis-cli', ['-s', join(hotline.dir, 'redis.sock'), ...args], { encoding: 'utf8' });
    const keys = cli('--scan').split('\n').filter(Boolean);

    socket.destroy();
    return keys.map((name) => `${name} = ${cli(cli('type', name).trim() === 'string' ? 'get' : 'type', name)}`).join('\n');
}

test('phones and names are planted in every way there is', async () => {
    const t = await office.at('handling', { phone: say(phones[0]), name: names[0] });
    secrets.push(t.query_code);
    await office.filed({ phone: `+86 ${phones[1]}`, name: names[1], secrecy: 2 });
    await citizen.submit({ phone: phones[2], name: names[2], division: '999999' }); // refused
    await citizen.submit({ phone: phones[2], colour: names[2] });
    await citizen.submit({ phone: `${phones[2]}x` });
    const { body: draft } = await operator.post('/v1/desk/tickets', { channel: 'phone', ...plain, phone: phones[3], name: names[2] });
    secrets.push(draft.query_code);
    await office.done('operator1', draft, 'save_draft', { phone: phones[4], name: names[3] });
    await office.do('operator1', draft, 'save_draft', { phone: phones[5], colour: names[3] }); // refused
    await operator.post('/v1/desk/actions', [{ id: draft.id, action: 'save_draft', phone: phones[6] }]);
    const { body: checked } = await operator.post(`/v1/desk/tickets/${draft.id}/dup-check`, { phone: phones[5] });
    await office.done('operator1', draft, 'submit', { ...plain, type: 'help', category: '010501', division: '440507', urgency: 'normal', secrecy: 0,
        reply_wanted: true, publish: 'not_asked', readback: true, dup_check: checked.dup_check, phone: phones[5], name: names[3] });
    await operator.post('/v1/desk/tickets/search', { phone: phones[0] });
    await (await hotline.as('st-gaj.h')).post(`/v1/desk/tickets/${t.id}/reveal`, { purpose: '预约上门' }, { headers: { 'Idempotency-Key': key() } });
    await citizen.follow(t);
    await anybody.get(`/v1/tickets/${t.number}`, { headers: { 'X-Query-Code': 'WRONG' } });
    await anybody.post('/v1/session', { login: 'operator1', password: secrets[0] });
    const guest = await hotline.signIn('dispatcher2');
    secrets.push(guest.token, operator.token);

    const [{ n }] = await hotline.sql('select count(*)::int as n from hotline.ticket_contact where phone_enc is not null');
    assert.equal(n, 3);
});

test('the log of the engine, at its most talkative, holds none of it', () => {
    const log = hotline.engine.said();

    assert.match(log, /level=debug/);
    must_not_hold('the log', log, [...phones, ...names, ...secrets]);
});

test('no table, index or function holds any of it in clear', () => {
    const dump = execFileSync('pg_dump', ['-h', process.env.PGHOST, '-U', 'postgres', hotline.database], { encoding: 'utf8', maxBuffer: 1 << 30 });

    assert.match(dump, /139\*\*\*\*3344/); // the mask is there
    must_not_hold('the database', dump, [...phones, ...names, ...secrets]);
});

test('Redis holds none of it', async () => {
    const all = await redis();

    assert.match(all, /^s:/m); // sessions
    assert.match(all, /^l:/m); // limits
    must_not_hold('Redis', all, [...phones, ...names, ...secrets]);
});

test('figures and metrics hold none of it', async () => {
    must_not_hold('/metrics', (await anybody.get('/metrics')).text, [...phones, ...names, ...secrets]);
    must_not_hold('/v1/public/metrics', (await anybody.get('/v1/public/metrics')).text, [...phones, ...names, ...secrets]);
});

test('one phone number has one hash, and no two ciphertexts of it are alike', async () => {
    const [a, b] = [await office.filed({ phone: '13977889900' }), await office.filed({ phone: '139 7788 9900' })];
    const rows = await hotline.sql('select phone_hmac, phone_enc from hotline.ticket_contact where ticket_id = any ($1)', [[a.id, b.id]]);

    assert.equal(rows[0].phone_hmac, rows[1].phone_hmac);
    assert.notEqual(rows[0].phone_enc, rows[1].phone_enc);
});
