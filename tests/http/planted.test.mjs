// Numbers are planted wherever words go in: contact data, titles, contents, addresses, follow-ups, objections, replies, drafts, and what
// is refused.  Then every answer to everybody, the streams of events, the log, the database's own log, both Redis and
// pg_stat_statements are searched for them: a number is only where this person may see it.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { start, until } from './harness.mjs';
import { jpeg, mp4, png, webp } from './media.mjs';
import { Office } from './office.mjs';

const hotline = await start({ cluster: true, sql: "alter system set shared_preload_libraries = 'pg_stat_statements'", settings: { web_root: '', log_level: 'debug', workers: 1 } });
await hotline.cluster.stop('pg');
await hotline.cluster.start('pg');
await until('the database is back', () => hotline.sql('create extension if not exists pg_stat_statements').then(() => true));
await until('the engine has found it', async () => (await hotline.anybody.get('/readyz')).status === 200);

const { anybody, citizen } = hotline;
const office = new Office(hotline);
const centre = ['operator1', 'acceptor1', 'leader1', 'dispatcher1', 'auditor1', 'callback1', 'supervisor1', 'efficiency1', 'cityleader1'];
const own = ['st-gaj.d', 'st-gaj.h', 'st-gaj.a'];
const foreign = ['st-jjzd.d', 'st-jjzd.h', 'st-lh.d'];
const others = ['media1', 'social1', 'admin1'];
const everybody = [...centre, ...own, ...foreign, ...others];
const levels = [0, 1, 2];

// A number of its own for each place; what it is called says where it may show.
let last = 13_900_000_000;
const planted = new Map();
const plant = (where) => {
    last += 1_234_567;
    planted.set(where, String(last));
    return String(last);
};
const wide = (text) => [...text].map((c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)).join('');
const spaced = (text) => text.replace(/(\d{3})(\d{4})(\d{4})/, '$1 $2-$3');
const forms = (text) => [text, spaced(text), wide(text), Buffer.from(text).toString('base64').slice(0, 14), Buffer.from(text).toString('hex')];

// The places whose number a text holds.
const held = (text) => [...planted].filter(([, n]) => forms(n).some((form) => text.includes(form))).map(([where]) => where);
const holds = (text, allowed, what) => assert.deepEqual(held(text).filter((where) => !allowed(where)), [], what);
const nowhere = () => false;

const streams = new Map();
const tickets = [];
const refusals = []; // [what, text]
let draft;

async function listen(login) {
    const staff = await hotline.as(login);
    const said = { text: '' };

    streams.set(login, said);
    said.request = request(`${hotline.url}/v1/events`, { agent: false, headers: staff.headers }, (response) => {
        said.open = true;
        response.setEncoding('utf8').on('data', (text) => (said.text += text)).on('error', () => {});
    });
    said.request.on('error', () => {}).end();
    await until('the stream is open', () => said.open);
}

// In what cameras and programs write into pictures and films, and in the names of files.
async function photos(level) {
    const made = { jpeg, png, webp, mp4 };
    const ids = [];

    for (const [kind, make] of Object.entries(made)) {
        const bytes = make({ secret: plant(`refused ${kind} ${level}`) });
        const name = Buffer.from(`张三${plant(`refused name ${kind} ${level}`)}.jpg`).toString('base64');
        const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': String(bytes.length), 'Upload-Metadata': `filename ${name}`, 'Content-Type': 'application/offset+octet-stream' };
        const begun = await anybody.ask('POST', '/v1/uploads', { headers, body: bytes });
        assert.equal(begun.status, 201, begun.text);
        ids.push(begun.headers.get('location').split('/').pop());
    }
    return ids;
}

test('numbers are planted', { timeout: 300_000 }, async () => {
    for (const login of ['leader1', 'acceptor1', 'st-gaj.h', 'st-lh.d'])
        await listen(login);
    for (const level of levels) {
        const t = await office.at('handling', {
            secrecy: level,
            phone: plant(`contact ${level}`),
            name: '欧阳暮雪',
            title: `请打 ${plant(`title ${level}`)} 找我`,
            content: `我的电话是${spaced(plant(`content ${level}`))}，家里另有${wide(plant(`wide ${level}`))}，工地夜里施工。`,
            address: `金砂路 100 号，电话 ${plant(`address ${level}`)}`,
            attachments: await photos(level),
        });
        const code = { headers: { 'X-Query-Code': t.query_code } };
        const followed = await citizen.post(`/v1/tickets/${t.number}/followups`, { kind: 'supplement', text: `换号码了，打 ${plant(`followup ${level}`)}` }, code);
        assert.equal(followed.status, 200, followed.text);
        await office.done('st-gaj.h', t, 'first_contact', { contacted: true, way: 'phone' });
        tickets.push(t);
    }
    // A unit's reply must not name a number; what is refused is not said back.
    const reply = { result: 'resolved', fact_finding: 'true', measures: '当场整改', content: `经现场核查已整改，如有疑问请联系工地负责人电话${plant('refused reply')}，感谢您的监督。` };
    const refused = await office.do('st-gaj.h', tickets[0], 'submit_reply', reply);
    assert.equal(refused.status, 422);
    refusals.push(['a reply', refused.text]);
    // A draft, with and without what is wrong about it.
    const operator = await hotline.as('operator1');
    draft = (await operator.post('/v1/desk/tickets', { channel: 'phone', title: `来电 ${plant('draft title')}`, content: `反映人自称电话 ${plant('draft content')}。`, phone: plant('contact draft') })).body;
    refusals.push(['a draft', (await office.do('operator1', draft, 'save_draft', { colour: plant('refused field') })).text]);
    refusals.push(['a draft', (await office.do('operator1', draft, 'save_draft', { urgency: plant('refused word') })).text]);
    // Where no number belongs.
    refusals.push(['a complaint', (await citizen.submit({ phone: `${plant('refused phone')}9` })).text]);
    refusals.push(['a complaint', (await citizen.submit({ division: plant('refused division').slice(0, 11) })).text]);
    refusals.push(['a complaint', (await citizen.submit({ colour: plant('refused colour') })).text]);
    refusals.push(['a complaint', (await citizen.post('/v1/tickets', `{"title": "${plant('broken body')}", `)).text]);
    refusals.push(['a path', (await anybody.get(`/v1/tickets/${plant('path')}`)).text]);
    refusals.push(['a query', (await operator.get(`/v1/desk/tickets?unit=${plant('query')}x`)).text]);
    refusals.push(['a login', (await anybody.post('/v1/session', { login: plant('login'), password: `${plant('password')}-x` })).text]);
    refusals.push(['a purpose', (await (await hotline.as('st-gaj.h')).post(`/v1/desk/tickets/${tickets[1].id}/reveal`, { purpose: `打 ${plant('purpose')}` })).text]);
    refusals.push(['a search', (await (await hotline.as('media1')).post('/v1/desk/tickets/search', { phone: plant('searched') })).text]);
    assert.equal((await operator.post('/v1/desk/tickets/search', { phone: planted.get('contact 0') })).status, 200);
    assert.ok(planted.size > 25);
});

test('what is refused is not said back', () => {
    for (const [what, text] of refusals)
        holds(text, nowhere, `the refusal of ${what}: ${text.slice(0, 200)}`);
});

// Contact data is in no answer but that of a look, which is tested elsewhere.  Words of a citizen are read by the centre, and by the unit
// that has the ticket where nothing is secret; a draft by its operator and by those who may answer or save any.
const may_read = (login) => (where) => {
    const [kind, level] = where.split(' ');

    if (kind === 'contact' || kind === 'refused')
        return false;
    if (kind === 'draft')
        return ['operator1', 'leader1', 'acceptor1'].includes(login);
    if (['title', 'content', 'wide', 'address', 'followup'].includes(kind))
        return centre.includes(login) || (own.includes(login) && level === '0');
    return false;
};

test('every answer to everybody holds what this person may read, and no other number', { timeout: 300_000 }, async () => {
    const seen = new Map();

    for (const login of everybody) {
        const staff = await hotline.as(login);
        const paths = ['/v1/desk/tickets?limit=200', '/v1/desk/tickets?limit=200&closed=1', '/v1/desk/tickets?q=%E6%96%BD%E5%B7%A5', '/v1/desk/counts', '/v1/desk/reference', '/v1/session',
            '/v1/metrics/closure?from=2026-01-01&to=2027-01-01', '/v1/metrics/closure/tickets?from=2026-01-01&to=2027-01-01&figure=accepted', '/v1/admin/history', '/v1/admin/user',
            ...[...tickets, draft].flatMap((t) => [`/v1/desk/tickets/${t.id}`, `/v1/desk/tickets/${t.id}/actions`])];

        for (const path of paths) {
            const { text } = await staff.get(path);
            holds(text, may_read(login), `${login} GET ${path}`);
            held(text).forEach((where) => seen.set(`${login} ${where}`, true));
        }
        for (const t of tickets)
            holds((await staff.post(`/v1/desk/tickets/${t.id}/dup-check`, {})).text, may_read(login), `${login} dup-check`);
        holds((await staff.post('/v1/desk/tickets/search', { q: '施工' })).text, may_read(login), `${login} search`);
        holds((await staff.post('/v1/desk/route', { title: '施工', content: '夜里施工' })).text, may_read(login), `${login} route`);
    }
    // The test can see what it looks for: those who may read do.
    for (const who of ['leader1 content 2', 'leader1 followup 2', 'acceptor1 title 1', 'st-gaj.h content 0', 'st-gaj.h wide 0', 'operator1 draft content', 'leader1 draft title'])
        assert.ok(seen.has(who), `${who} is read`);
});

test('the citizen reads the own words, the public none', async () => {
    for (const [level, t] of tickets.entries())
        holds((await citizen.follow(t)).text, (where) => where === `title ${level}` || where === `followup ${level}`, `the citizen of level ${level}`);
    for (const path of ['/v1/public/metrics', '/v1/public/reference', '/metrics', '/readyz', '/openapi.json'])
        holds((await anybody.get(path)).text, nowhere, path);
});

test('no file on disk holds any, nor its name, nor what is sent of it', async () => {
    const root = join(hotline.dir, 'files');
    const walk = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? walk(join(dir, e.name)) : [join(dir, e.name)]));
    const paths = walk(root);

    assert.ok(paths.filter((path) => path.includes('/kept/')).length >= 3 + levels.length, 'pictures that are alike without what was written into them are kept once');
    for (const path of paths) {
        holds(path, nowhere, 'a path');
        holds(readFileSync(path, 'latin1'), nowhere, path);
    }
    const leader = await hotline.as('leader1');
    for (const t of tickets)
        for (const { id } of (await leader.get(`/v1/desk/tickets/${t.id}`)).body.attachments) {
            const response = await fetch(`${hotline.url}/v1/desk/tickets/${t.id}/attachments/${id}`, { headers: leader.headers });
            assert.equal(response.status, 200);
            holds(JSON.stringify([...response.headers]), nowhere, 'the headers of a file');
            holds(Buffer.from(await response.arrayBuffer()).toString('latin1'), nowhere, 'a file');
        }
});

test('no stream of events holds any', async () => {
    await until('the streams have told', () => [...streams.values()].filter((s) => s.text.includes('event:')).length >= 3);
    for (const [login, said] of streams) {
        holds(said.text, nowhere, `the stream of ${login}`);
        said.request.destroy();
    }
});

test('the log holds none, the database\'s own log neither', () => {
    assert.match(hotline.engine.said(), /level=debug/);
    holds(hotline.engine.said(), nowhere, 'the log');
    const dir = join(hotline.cluster.dir, 'log');
    for (const name of readdirSync(dir))
        holds(readFileSync(join(dir, name), 'latin1'), nowhere, name);
});

test('pg_stat_statements holds none', async () => {
    const rows = await hotline.sql('select query from pg_stat_statements');

    assert.ok(rows.some(({ query }) => /api\.act/.test(query)), 'the engine\'s statements are there');
    holds(rows.map((r) => r.query).join('\n'), nowhere, 'pg_stat_statements');
});

async function all_of(server) {
    const ask = (...args) => hotline.cluster.redis(server, ...args);
    const read = { string: ['get'], hash: ['hgetall'], list: ['lrange', 0, -1], set: ['smembers'], zset: ['zrange', 0, -1], stream: ['xrange', '-', '+'] };
    const texts = [];

    for (const name of (await ask('--scan')).split('\n').filter(Boolean)) {
        const type = await ask('type', name);
        if (type === 'none') // its time was over since it was listed
            continue;
        const [command, ...rest] = read[type];
        texts.push(`${name} = ${await ask(command, name, ...rest)}`);
    }
    return texts.join('\n');
}

test('Redis holds none; the spool holds no contact data while the database is away', { timeout: 120_000 }, async () => {
    const redis = await all_of('redis');
    assert.match(redis, /^s:/m);
    holds(redis, nowhere, 'Redis');

    await hotline.cluster.stop('pg');
    const phone = plant('contact spooled');
    const spooled = await until('it is taken in', async () => {
        const answer = await citizen.submit({ phone, name: '司马长风' });
        return answer.status === 202 && answer;
    });
    const spool = await all_of('spool');
    assert.ok(spool.includes(spooled.body.number), 'it is in the spool');
    holds(spool, nowhere, 'the spool');
    await hotline.cluster.start('pg');
    await until('it is drained', async () => (await hotline.sql('select from hotline.ticket_ref where ticket_no = $1', [spooled.body.number])).length === 1, 60);
    holds(await all_of('spool'), nowhere, 'the spool afterwards');
});
