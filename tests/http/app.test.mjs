// An application of somebody else speaks Open311 with us: with the npm client `open311`, and byte by byte.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { XMLParser } from 'fast-xml-parser';
import Open311 from 'open311';
import { start, until } from './harness.mjs';

const secret = () => randomBytes(24).toString('hex');
const keys = { shantou: secret(), other: secret() };
const dir = mkdtempSync(join(tmpdir(), 'hotline-app-'));
const keyFile = join(dir, 'keys');
const hashed = (key) => createHash('sha256').update(key).digest('hex');
const writeKeys = () => writeFileSync(keyFile,
    `# applications\n${Object.entries(keys).map(([name, key]) => `${name}:${hashed(key)}\n`).join('')}`, { mode: 0o600 });
writeKeys();
after(() => rmSync(dir, { recursive: true, force: true }));

const app = { app_jurisdiction: 'shantou.gov.cn', app_key_file: keyFile, limit_app: 0 };
const hotline = await start({ cluster: true, settings: { ...app, workers: 1, spool_max: 200 } });
const { anybody, cluster } = hotline;
const base = '/open311/v2/';

// Everything as text: 007 stays 007.
const parser = new XMLParser({ parseTagValue: false, trimValues: false, htmlEntities: true, isArray: (name) => ['request', 'service', 'attribute', 'value', 'error',
    'endpoint', 'format', 'request_update', 'note'].includes(name) });
const xml = (answer) => {
    assert.equal(answer.headers.get('content-type'), 'text/xml; charset=utf-8');
    assert.match(answer.text, /^<\?xml version="1\.0" encoding="utf-8"\?>\n/);
    return parser.parse(answer.text);
};

// A form; repeated names by a list of pairs.
const form = (fields) => new URLSearchParams(Array.isArray(fields) ? fields : Object.entries(fields)).toString();
const post = (path, fields, headers = {}) => anybody.ask('POST', base + path, {
    body: typeof fields === 'string' || fields instanceof Uint8Array ? fields : form(fields),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
});
const get = (path, query = {}) => anybody.get(`${base}${path}?${form(query)}`);
const noise = (change = {}) => ({
    api_key: keys.shantou, jurisdiction_id: 'shantou.gov.cn', service_code: '130106', lat: '23.354', long: '116.682', phone: '13800138000',
    description: `楼上每天深夜唱歌 ${randomBytes(4).toString('hex')}`, ...change,
});
const file = async (change) => {
    const answer = await post('requests.json', noise(change));
    assert.equal(answer.status, 201, answer.text);
    return answer.body[0].service_request_id;
};
const one = async (id, query = { api_key: keys.shantou }) => (await get(`requests/${id}.json`, query)).body[0];
const refused = (answer, status, pattern) => {
    assert.equal(answer.status, status, answer.text);
    const errors = answer.body ?? xml(answer).errors.error;

    assert.ok(errors.every((e) => Number(e.code) === status && e.description.length > 0), answer.text);
    if (pattern)
        assert.match(errors.map((e) => e.description).join('\n'), pattern);
};

test('the npm client open311 finds the interface, its services and their questions, files and follows', async () => {
    const client = new Open311({ discovery: `${hotline.url}${base}discovery.json`, jurisdiction: 'shantou.gov.cn', apiKey: keys.shantou });
    const call = (name, ...args) => promisify(client[name].bind(client))(...args);

    const found = await call('serviceDiscovery', { cache: true });
    assert.ok(found.endpoints.length >= 2 && found.endpoints.every((e) => e.formats.length >= 2));
    assert.equal(client.endpoint, `${hotline.url}${base}`);

    const services = await call('serviceList');
    const cover = services.find((s) => s.service_code === '010302');
    assert.equal(cover.service_name, '井盖缺损');
    assert.equal(cover.metadata, true);
    const definition = await call('serviceDefinition', cover.service_code);
    const kind = definition.attributes.find((a) => a.code === 'cover');
    assert.equal(kind.required, true);
    assert.deepEqual(kind.values.map((v) => v.key), ['rain', 'sewage', 'power', 'telecom', 'unknown']);
    assert.equal(definition.attributes[0].order, 1);
    assert.equal(definition.attributes[0].code, 'seen_at', 'asked about everything of city management');

    const [filed] = await call('submitRequest', {
        service_code: '010302', lat: 23.354, long: 116.682, address_string: '金砂路 88 号', description: '井盖没了，很危险', first_name: '小明', last_name: '王',
        phone: '13800138000', attributes: { cover: 'rain' },
    });
    assert.match(filed.service_request_id, /^\d{16}$/);
    assert.match(filed.service_notice, /查询码 [0-9A-Z]{8}/);

    const [request] = await call('serviceRequest', filed.service_request_id, { api_key: keys.shantou });
    assert.equal(request.status, 'open');
    assert.equal(request.description, '井盖没了，很危险');
    assert.equal(request.service_code, '010302');
    assert.equal(request.lat, 23.354);
    assert.equal(request.address, '金砂路 88 号');
    assert.ok(request.expected_datetime > request.requested_datetime);
    const list = await call('serviceRequests', { api_key: keys.shantou, status: 'open' });
    assert.ok(list.some((r) => r.service_request_id === filed.service_request_id));
});

test('a ticket holds what the form said, and who may read it reads it', async () => {
    const id = await file({ service_code: '010302', 'attribute[cover]': 'sewage', 'attribute[secrecy]': '1', 'attribute[type]': 'help', first_name: '小明', last_name: '王',
        description: '我叫王小明，电话 13912345678，井盖丢了', media_url: 'https://example.org/a.jpg' });
    const leader = await hotline.as('leader1');
    const ticket = await leader.find(id);

    assert.equal(ticket.channel, 'app');
    assert.equal(ticket.type, 'help');
    assert.equal(ticket.secrecy, 1);
    assert.equal(ticket.category.code, '010302');
    assert.match(ticket.content, /【补充信息】\n井盖种类：污水\n图片或视频：https:\/\/example\.org\/a\.jpg$/);
    assert.equal(ticket.contact.phone_mask, '138****8000');
    const view = await one(id, { api_key: keys.shantou, extensions: 'true' });
    assert.equal(view.description, '我叫王小明，电话 13912345678，井盖丢了');
    assert.deepEqual(view.attributes, { cover: ['sewage'] });
    assert.equal(view.media_url, 'https://example.org/a.jpg');
    assert.equal(view.extended_attributes.state, 'pending_accept');
    assert.match(view.notes[0].description, /已提交/);
    assert.doesNotMatch(JSON.stringify(view), /13800138000|138\*\*\*\*8000/, 'contact data never come out');
});

test('XML says what JSON says, byte for byte: Chinese, emoji, special characters, line ends, several pictures', async () => {
    const description = ' <b>"A&B"</b> ]]> 第一行\r\n第二行\t🚮 𠮷 &amp; \'x\' ';
    const answer = await post('requests.xml', Object.entries(noise({ description })).concat([['media_url', 'https://a.example/1?x=1&y=2'], ['media_url', 'https://a.example/2']]));
    const filed = xml(answer).service_requests.request[0];

    assert.equal(answer.status, 201);
    assert.equal(filed.account_id, '');
    const text = await get(`requests/${filed.service_request_id}.xml`, { api_key: keys.shantou });
    const request = xml(text).service_requests.request[0];
    const said = await one(filed.service_request_id);
    assert.equal(said.description, description);
    assert.equal(request.description, description);
    for (const [name, value] of Object.entries(said))
        assert.equal(request[name], value === null ? '' : String(value), name);
    assert.equal(typeof said.lat, 'number');
    assert.equal(said.media_url, 'https://a.example/1?x=1&y=2');
    assert.equal((await one(await file())).media_url, null, 'not ""');

    const services = xml(await get('services.xml')).services.service;
    assert.equal(services.length, (await get('services.json')).body.length);
    assert.equal(services[0].metadata, 'true');
    const definition = xml(await get('services/010302.xml')).service_definition;
    assert.equal(definition.attributes.attribute.find((a) => a.code === 'cover').values.value[0].key, 'rain');
    assert.equal(xml(await get('discovery.xml')).discovery.endpoints.endpoint[0].formats.format[0], 'text/xml');
});

test('a multipart form is the same form, and with another boundary still the same request', async () => {
    const fields = noise({ 'attribute[publish]': 'refused' });
    const multipart = (boundary) => post('requests.json', `${Object.entries(fields).map(([name, value]) =>
        `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join('')}--${boundary}--\r\n`,
    { 'Content-Type': `multipart/form-data; boundary="${boundary}"` });
    const [a, b, c] = [await multipart('aaa'), await multipart('----b'), await post('requests.json', fields)];

    assert.equal(a.status, 201, a.text);
    assert.equal(b.body[0].service_request_id, a.body[0].service_request_id);
    assert.equal(c.body[0].service_request_id, a.body[0].service_request_id);
    refused(await post('requests.json', `--x\r\nContent-Disposition: form-data; name="media"; filename="a.jpg"\r\n\r\nJPEG\r\n--x--\r\n`,
        { 'Content-Type': 'multipart/form-data; boundary=x' }), 400, /media_url/);
    for (const broken of ['', '--x', '--x\r\n\r\nno name\r\n--x--', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nnever ends', '--y\r\n--x--', '--x\r\nno blank line\r\n--x--'])
        refused(await post('requests.json', broken, { 'Content-Type': 'multipart/form-data; boundary=x' }), 400);
});

test('a repeat makes no second ticket; an Idempotency-Key tells two alike apart', async () => {
    const same = noise();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('requests.json', same)));

    assert.ok(answers.every((a) => a.status === 201));
    assert.equal(new Set(answers.map((a) => a.text)).size, 1);
    const second = await post('requests.json', same, { 'Idempotency-Key': 'the-second' });
    assert.notEqual(second.body[0].service_request_id, answers[0].body[0].service_request_id);
    assert.equal((await post('requests.json', same, { 'Idempotency-Key': 'the-second' })).text, second.text);
    refused(await post('requests.json', noise(), { 'Idempotency-Key': 'the-second' }), 400);
    assert.notEqual((await post('requests.json', { ...same, api_key: keys.other })).body[0].service_request_id, answers[0].body[0].service_request_id,
        'another application\'s is another');
});

test('refusals: key 403, unknown service or jurisdiction 404, the rest 400, each in the format of the request', async () => {
    for (const format of ['json', 'xml']) {
        const to = `requests.${format}`;

        refused(await post(to, noise({ api_key: '' })), 403, /api_key/);
        refused(await post(to, noise({ api_key: 'x'.repeat(48) })), 403);
        refused(await post(to, noise({ service_code: '999999' })), 404, /service_code/);
        refused(await post(to, noise({ service_code: ' ' })), 400, /service_code/);
        refused(await post(to, noise({ jurisdiction_id: 'boston.gov' })), 404, /jurisdiction/);
        refused(await post(to, noise({ lat: '', long: '' })), 400, /lat/);
        refused(await post(to, noise({ long: '' })), 400, /long/);
        refused(await post(to, noise({ lat: 'north' })), 400, /lat/);
        refused(await post(to, noise({ lat: '95' })), 400, /lat/);
        refused(await post(to, noise({ address_id: '999999' })), 400, /address_id/);
        refused(await post(to, noise({ description: '长'.repeat(4001) })), 400, /description/);
        refused(await post(to, noise({ description: 'bell \u0007' })), 400, /description/);
        refused(await post(to, noise({ phone: '12' })), 400, /phone/);
        refused(await post(to, noise({ media_url: 'javascript:alert(1)' })), 400, /media_url/);
        refused(await post(to, noise({ service_code: '010302' })), 400, /attribute\[cover\]/);
        refused(await post(to, noise({ service_code: '010302', 'attribute[cover]': 'gold' })), 400, /attribute\[cover\]/);
        refused(await post(to, noise({ 'attribute[nothing]': '1' })), 400, /attribute\[nothing\]/);
        refused(await post(to, '{}', { 'Content-Type': 'application/json' }), 400, /form/);
        refused(await post(to, 'a=%ff%fe&b=1'), 400);
        refused(await post(to, 'a=%zz'), 400);
        refused(await post(to, 'a=%00b'), 400);
        refused(await post(to, Array.from({ length: 300 }, (_, i) => [`p${i}`, '1'])), 400);
        refused(await post(to, `description=${'x'.repeat(300000)}`), 413);
        refused(await get(`requests/9999999999999999.${format}`), 404);
        refused(await get(`requests/0.${format}`), 404);
        refused(await get(`services/nothing.${format}`), 404);
        refused(await get(`tokens/nothing.${format}`), 404);
        refused(await get(`requests.${format}`, { start_date: 'yesterday' }), 400, /start_date/);
        refused(await get(`requests.${format}`, { start_date: '2026-01-01T00:00:00Z', end_date: '2026-04-02T00:00:00Z' }), 400, /90/);
        refused(await get(`requests.${format}`, { status: 'lost' }), 400, /status/);
        refused(await get(`requests.${format}`, { page_size: '0' }), 400, /page_size/);
        refused(await get(`requests.${format}`, { page: '-1' }), 400, /page/);
        refused(await get(`requests.${format}`, { service_code: '999999' }), 404);
        refused(await get(`requests.${format}`, { api_key: 'wrong' }), 403);
        refused(await anybody.ask('GET', `${base}services.${format}?a=%ff`), 400);
        refused(await get(`services.${format}`, { jurisdiction_id: 'boston.gov' }), 404);
    }
    const unknown = await fetch(`${hotline.url}${base}services.yaml`);
    assert.equal(unknown.status, 404);
    assert.match(await unknown.text(), /<errors><error><code>404<\/code><description>[^<]+<\/description><\/error><\/errors>/);
    const deleted = await fetch(`${hotline.url}${base}requests.json`, { method: 'DELETE' });
    assert.equal(deleted.status, 405);
    assert.equal((await deleted.json())[0].code, 405);
    assert.match((await anybody.ask('POST', `${base}requests.json`, { body: form(noise({ phone: '12' })),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Accept-Language': 'en' } })).body[0].description, /phone: This is not a phone number/);
});

test('lists: filters, pages, and a blank parameter is an absent one', async () => {
    const mine = [await file(), await file({ service_code: '010301' }), await file()];
    const query = { api_key: keys.shantou, service_request_id: '' };
    const ids = async (more) => (await get('requests.json', { ...query, ...more })).body.map((r) => r.service_request_id);

    assert.deepEqual((await ids({})).slice(0, 3), [...mine].reverse(), 'the newest first');
    assert.deepEqual(await ids({ page_size: '1', page: '2' }), [mine[1]]);
    assert.deepEqual((await ids({ service_code: '010301', status: 'open' }))[0], mine[1]);
    assert.deepEqual(await ids({ status: 'closed' }), []);
    assert.deepEqual(await ids({ start_date: '2020-01-01T00:00:00Z', end_date: '2020-02-01T00:00:00Z' }), []);
    assert.deepEqual(await ids({ start_date: new Date(Date.now() - 3600e3).toISOString(), end_date: new Date(Date.now() + 3600e3).toISOString(), page_size: '3' }), [...mine].reverse());
    assert.deepEqual(await ids({ service_request_id: `${mine[2]}, ${mine[0]},0,9999999999999999`, status: 'closed' }), [mine[2], mine[0]], 'in the order asked');
});

test('what others read: nothing without consent, then masked words, never contact data', async () => {
    const words = '我叫王小明，电话 13912345678，楼上每天深夜唱歌';
    const person = { first_name: '小明', last_name: '王', address_string: '金砂路 88 号 302 房', description: words };
    const silent = await file(person);
    const agreed = await file({ ...person, 'attribute[publish]': 'agreed' });
    const anonymised = await file({ ...person, 'attribute[publish]': 'anonymised' });
    const hidden = await file({ ...person, 'attribute[publish]': 'agreed', 'attribute[secrecy]': '2' });
    const every = { service_request_id: [silent, agreed, anonymised, hidden].join() };
    const acceptor = await hotline.as('acceptor1');

    assert.deepEqual((await get('requests.json', every)).body, [], 'what the hotline has not accepted is not public');
    for (const number of [silent, agreed, anonymised, hidden]) {
        const { id } = await acceptor.find(number);
        assert.equal((await acceptor.act(id, 'accept', { title: '夜间唱歌', category: '130106', division: '440507' })).status, 200);
    }
    for (const query of [every, { ...every, api_key: keys.other }]) {
        const { body } = await get('requests.json', query);

        assert.deepEqual(body.map((r) => r.service_request_id), [agreed, anonymised]);
        assert.doesNotMatch(JSON.stringify(body), /13912345678|13800138000|王小明/);
        assert.match(body[0].description, /楼上每天深夜唱歌/);
        assert.equal(body[1].description, '');
        assert.deepEqual([body[1].address, body[1].lat, body[1].long], [null, null, null]);
    }
    const listed = (await get('requests.json')).body.map((r) => r.service_request_id);
    assert.ok(listed.includes(agreed) && listed.includes(anonymised) && !listed.includes(silent) && !listed.includes(hidden));
    refused(await get(`requests/${silent}.json`), 404);
    refused(await get(`requests/${silent}.json`, { api_key: keys.other }), 404);
    assert.equal((await one(silent)).description, words);
    const updates = (await get('servicerequestupdates.json')).body;
    assert.ok(updates.some((u) => u.service_request_id === agreed) && !updates.some((u) => u.service_request_id === silent));
});

test('the unit, the promised day and the answer show; updates tell each step once, in order', async () => {
    const id = await file({ 'attribute[type]': 'complaint' });
    const people = Object.fromEntries(await Promise.all(['acceptor1', 'dispatcher1', 'st-gaj.d', 'st-gaj.h', 'st-gaj.a', 'auditor1', 'callback1']
        .map(async (login) => [login, await hotline.as(login)])));
    const { id: ticket } = await people.acceptor1.find(id);
    const act = async (login, action, inputs) => {
        const answer = await people[login].act(ticket, action, inputs);
        assert.equal(answer.status, 200, `${action}: ${answer.text}`);
    };

    await act('acceptor1', 'accept', { title: '夜间唱歌', category: '130106', division: '440507' });
    await act('dispatcher1', 'dispatch', { main_unit: 101, instruction: '请依法办理并答复诉求人。' });
    await act('st-gaj.d', 'sign', {});
    const handled = await one(id);
    assert.match(handled.agency_responsible, /公安/);
    assert.equal(handled.status_notes, '办理中');
    assert.match(handled.expected_datetime, /\+08:00$/);
    await act('st-gaj.h', 'first_contact', { contacted: true, way: 'phone' });
    await act('st-gaj.h', 'submit_reply', { result: 'resolved', fact_finding: 'true', measures: '已劝止',
        content: '经现场核查，情况属实，我局已劝止并将持续巡查，感谢您的监督。' });
    await act('st-gaj.a', 'unit_approve', { opinion: '已阅，照此办理' });
    await act('auditor1', 'audit_pass', { quality_score: 90 });
    await act('callback1', 'callback_attempt', { outcome: 'connected' });
    await act('callback1', 'callback_ok', { contacted_by_unit: true, resolved: 'yes', sat_process: 'satisfied', sat_result: 'satisfied' });
    const closed = await one(id);
    assert.equal(closed.status, 'closed');
    assert.equal(closed.status_notes, '经现场核查，情况属实，我局已劝止并将持续巡查，感谢您的监督。');

    const query = { api_key: keys.shantou, start_date: new Date(Date.now() - 3600e3).toISOString() };
    const updates = (await get('servicerequestupdates.json', query)).body.filter((u) => u.service_request_id === id);
    assert.equal(updates[0].status, 'OPEN');
    assert.ok(updates.some((u) => u.status === 'IN_PROGRESS' && /签收/.test(u.description)));
    assert.equal(updates.at(-1).status, 'FIXED');
    assert.equal(new Set(updates.map((u) => u.update_id)).size, updates.length);
    const some = xml(await get('servicerequestupdates.xml', { ...query, page_size: '2' })).service_request_updates.request_update;
    assert.equal(some.length, 2);
    assert.equal(some[0].media_url, '');

    const objection = await post('servicerequestupdates.json', { api_key: keys.shantou, service_request_id: id, update_id: 'o1', status: 'REOPEN', description: '昨晚又开始唱歌了，请再处理' });
    assert.equal(objection.status, 200, objection.text);
});

test('an application adds its citizen\'s words, once, and withdraws; to others\' requests it says nothing', async () => {
    const id = await file();
    const update = { api_key: keys.shantou, service_request_id: id, update_id: 'u-1', status: 'OPEN', updated_datetime: '2026-11-23T10:00:00+08:00', description: '今晚又在唱' };
    const operator = await hotline.as('operator1');
    const followups = async () => (await operator.find(id)).overlays.followups;

    const [a, b] = [await post('servicerequestupdates.json', update), await post('servicerequestupdates.json', update)];
    assert.deepEqual([a.status, a.body, b.text], [200, [{ update_id: 'u-1' }], a.text]);
    assert.equal((await followups()).length, 1);
    refused(await post('servicerequestupdates.json', { ...update, description: '别的话' }), 400);
    assert.equal(xml(await post('servicerequestupdates.xml', { ...update, update_id: 'u-2', status: 'FIXED' })).service_request_updates.request_update[0].update_id, 'u-2');
    assert.equal((await followups()).length, 2);
    refused(await post('servicerequestupdates.json', { ...update, update_id: 'u-3', api_key: keys.other }), 404);
    refused(await post('servicerequestupdates.json', { ...update, update_id: 'u-3', service_request_id: '0' }), 404);
    refused(await post('servicerequestupdates.json', { ...update, update_id: '' }), 400, /update_id/);
    refused(await post('servicerequestupdates.json', { ...update, update_id: 'u-4', status: 'MAYBE' }), 400, /status/);
    refused(await post('servicerequestupdates.json', { ...update, update_id: 'u-4', description: '' }), 400, /description/);
    refused(await post('servicerequestupdates.json', { ...update, api_key: '' }), 403);
    assert.equal((await post('servicerequestupdates.json', { ...update, update_id: 'u-5', status: 'CANCELLED', description: '已经自行解决' })).status, 200);
    assert.equal((await one(id)).status, 'closed');
    refused(await post('servicerequestupdates.json', { ...update, update_id: 'u-6', status: 'CANCELLED', description: '已经自行解决' }), 400);
});

test('a new key counts as soon as its file is there; each has its own limit', async () => {
    keys.third = secret();
    refused(await post('requests.json', noise({ api_key: keys.third })), 403);
    writeKeys();
    utimesSync(keyFile, new Date(), new Date(Date.now() + 1000));
    assert.equal((await post('requests.json', noise({ api_key: keys.third }))).status, 201);
    writeFileSync(keyFile, 'broken\n', { mode: 0o600 });
    assert.equal((await post('requests.json', noise({ api_key: keys.third }))).status, 201, 'a file with a fault changes nothing');
    writeKeys();

    await hotline.engine.term();
    await hotline.startEngine({ limit_app: 3 });
    const answers = [];
    for (let i = 0; i < 6; i++)
        answers.push(await post('requests.json', noise()));
    assert.deepEqual(answers.slice(0, 3).map((a) => a.status), [201, 201, 201]);
    const last = answers.at(-1);
    refused(last, 429);
    assert.ok(Number(last.headers.get('retry-after')) > 0);
    assert.equal((await post('requests.json', noise({ api_key: keys.other }))).status, 201);
    await hotline.engine.term();
    await hotline.startEngine();
});

test('while the database is away a request gets a token, which leads to the number when it is back', async () => {
    const spool = (...args) => cluster.redis('spool', ...args);
    await until('numbers are in reserve', async () => Number(await spool('LLEN', 'spool:numbers')) >= 200);
    await cluster.stop('pg');
    await until('the worker knows', async () => (await anybody.get('/readyz')).body.notes.some((n) => n.problem === 'spooling'));
    const fields = noise({ service_code: '010302', 'attribute[cover]': 'power' });
    const first = await post('requests.json', fields);

    assert.equal(first.status, 202, first.text);
    const { token, service_request_id: none } = first.body[0];
    assert.equal(none, undefined);
    assert.equal((await post('requests.json', fields)).text, first.text, 'a repeat gets the same token');
    assert.equal(await spool('XLEN', 'spool'), '1');
    assert.deepEqual((await get(`tokens/${token}.json`)).body, [{ token }]);
    assert.equal(xml(await get(`tokens/${token}.xml`)).service_requests.request[0].token, token);
    refused(await get(`tokens/${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}.json`), 404);
    assert.equal((await get('services.json')).status, 200, 'services are in memory');
    refused(await post('requests.json', noise({ service_code: '010302' })), 400, /cover/);
    refused(await post('requests.json', noise({ api_key: 'wrong' })), 403);
    const away = await get('requests.json');
    refused(away, 503);
    assert.ok(Number(away.headers.get('retry-after')) > 0);
    refused(await get('requests.xml'), 503);

    await cluster.start('pg');
    await until('the spool is drained', async () => (await spool('XLEN', 'spool')) === '0');
    const found = await until('the token leads to the number', async () => {
        const answer = await get(`tokens/${token}.json`);
        return answer.status === 200 && answer.body[0].service_request_id ? answer.body[0] : undefined;
    });
    assert.equal(found.token, token);
    const request = await one(found.service_request_id);
    assert.equal(request.description, fields.description);
    const again = await post('requests.json', fields);
    assert.equal(again.status, 201);
    assert.equal(again.body[0].service_request_id, found.service_request_id);
});

test('without the setting there is no such interface', async () => {
    await hotline.engine.term();
    await hotline.startEngine({ app_jurisdiction: '' });
    const answer = await fetch(`${hotline.url}${base}services.json`);
    assert.equal(answer.status, 404);
});
