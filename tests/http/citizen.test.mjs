// A citizen files a complaint and follows it: no account, a number and a code.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaint, key, start, until } from './harness.mjs';

const hotline = await start({ settings: { workers: 2, trusted_proxies: '127.0.0.1' } });
const { anybody, citizen } = hotline;
const count = async () => (await hotline.sql('select count(*)::int as n from hotline.ticket'))[0].n;
const fields = (answer) => answer.body.fields.map((f) => `${f.name} ${f.code}`);

test('a complaint gets a number, a code and a promised day', async () => {
    const filed = await citizen.submit();

    assert.equal(filed.status, 201);
    assert.equal(filed.body.state, 'pending_accept');
    assert.ok(new Date(filed.body.promise_due_at) > Date.now());
    assert.equal(BigInt(filed.body.number) % 97n, 1n);
});

test('who has number and code reads what happened, in plain words and in both languages', async () => {
    const { body: filed } = await citizen.submit({ title: '路灯不亮', content: '金平区小公园附近的路灯坏了三天。' });
    const seen = await citizen.follow(filed);

    assert.equal(seen.status, 200);
    assert.equal(seen.body.title, '路灯不亮');
    assert.equal(seen.body.state_text, '待受理');
    assert.equal(seen.body.promise_state, 'running');
    assert.equal(seen.body.timeline.length, 1);
    assert.match(seen.body.timeline[0].text, /已提交/);
    assert.match(seen.body.timeline[0].text_en, /has arrived/);
    assert.equal(seen.headers.get('cache-control'), 'no-store');
    const english = await citizen.get(`/v1/tickets/${filed.number}`,
        { headers: { 'X-Query-Code': filed.query_code, 'Accept-Language': 'en-GB,zh;q=0.4' } });
    assert.equal(english.body.state_text, 'Waiting for acceptance');
});

test('a code may be typed as people type: small letters, blanks, dashes', async () => {
    const { body: filed } = await citizen.submit();
    const typed = `${filed.query_code.slice(0, 4).toLowerCase()}-${filed.query_code.slice(4)} `;

    assert.equal((await citizen.follow({ ...filed, query_code: typed })).status, 200);
});

test('a wrong code, no code and an unknown number are answered alike', async () => {
    const { body: filed } = await citizen.submit();
    const { body: other } = await citizen.submit();
    const answers = [
        await citizen.follow({ ...filed, query_code: other.query_code }),
        await citizen.get(`/v1/tickets/${filed.number}`),
        await citizen.follow({ number: '1801020000001098', query_code: filed.query_code }),
        await citizen.follow({ number: 'no-number', query_code: filed.query_code }),
        await citizen.follow({ number: filed.number, query_code: '$$$$$$$$' }),
    ];

    for (const answer of answers) {
        assert.equal(answer.status, 404);
        assert.equal(answer.body.code, 'no_such_ticket');
        assert.equal(answer.body.detail, answers[0].body.detail);
    }
});

test('after five wrong codes even the right one must wait; another address need not', async () => {
    const { body: filed } = await citizen.submit();
    const { body: other } = await citizen.submit();
    const guesser = hotline.from('198.51.100.7');

    for (let i = 0; i < 5; i++)
        assert.equal((await guesser.follow({ ...filed, query_code: other.query_code })).status, 404);
    const stopped = await until('guessing is stopped', async () => {
        const answer = await guesser.follow(filed);
        return answer.status === 429 && answer;
    }, 5);
    assert.equal(stopped.body.code, 'too_many');
    assert.ok(Number(stopped.headers.get('retry-after')) > 0);
    assert.equal((await hotline.from('198.51.100.8').follow(filed)).status, 200);
    assert.equal((await guesser.follow(other)).status, 200);
});

test('a repeat with the same key gets the first answer, the code included', async () => {
    const before = await count();
    const same = { headers: { 'Idempotency-Key': key() } };
    const first = await citizen.submit({}, same);
    const second = await citizen.submit({}, same);

    assert.equal(second.status, 201);
    assert.deepEqual(second.body, first.body);
    assert.equal(await count(), before + 1);
    assert.equal((await citizen.follow(second.body)).status, 200);
});

test('another body under the same key is refused', async () => {
    const same = { headers: { 'Idempotency-Key': key() } };

    assert.equal((await citizen.submit({}, same)).status, 201);
    const reused = await citizen.submit({ title: '另一件事情' }, same);
    assert.equal(reused.status, 422);
    assert.equal(reused.body.code, 'key_reused');
});

test('fifty repeats of one key at the same moment over many connections make one ticket', async () => {
    const before = await count();
    const body = JSON.stringify(complaint({ title: '一把钥匙' }));
    const name = key();
    const request = `POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: ${name}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
    const answers = await Promise.all(Array.from({ length: 50 }, () => hotline.raw(request, { quiet: 20000 })));
    const bodies = new Set(answers.map(({ text }) => text.slice(text.indexOf('\r\n\r\n'))));

    for (const { text } of answers)
        assert.match(text, /^HTTP\/1\.1 201 /);
    assert.equal(bodies.size, 1);
    assert.equal(await count(), before + 1);
});

test('without a key every request is a complaint of its own', async () => {
    const before = await count();
    const none = { headers: { 'Content-Type': 'application/json' }, body: complaint() };

    const [a, b] = [await citizen.ask('POST', '/v1/tickets', none), await citizen.ask('POST', '/v1/tickets', none)];
    assert.deepEqual([a.status, b.status], [201, 201]);
    assert.notEqual(a.body.number, b.body.number);
    assert.equal(await count(), before + 2);
});

test('a key must be too long to guess', async () => {
    const short = await citizen.submit({}, { headers: { 'Idempotency-Key': '123' } });

    assert.equal(short.status, 422);
    assert.equal(short.body.code, 'bad_key');
    assert.equal((await citizen.submit({}, { headers: { 'Idempotency-Key': 'k'.repeat(129) } })).status, 400);
});

test('a phone number is needed unless one stays anonymous', async () => {
    const without = await citizen.submit({ phone: undefined });

    assert.equal(without.status, 422);
    assert.deepEqual(fields(without), ['phone missing']);
    assert.equal((await citizen.submit({ phone: undefined, anonymous: true })).status, 201);
});

for (const phone of ['13800138000', '138 0013 8000', '+86 138-0013-8000', '１３８００１３８０００', '0754-88123456', '（0754）88123456', '12345'])
    test(`the number ${phone} is a phone number`, async () => {
        assert.equal((await citizen.submit({ phone })).status, 201);
    });

for (const phone of ['1380013800', '23800138000', '138001380001', 'thirteen', '0754', '+1 202 555 0100', '１２', '', '13800138000 转 8'])
    test(`"${phone}" is none`, async () => {
        const answer = await citizen.submit({ phone });

        assert.equal(answer.status, 422);
        assert.match(fields(answer)[0], /^phone (bad_phone|missing)$/);
    });

test('what a citizen leaves out is left out, and what is known is checked', async () => {
    const sparse = await citizen.submit({ division: undefined, phone: '13800138000' });
    assert.equal(sparse.status, 201);

    const rich = await citizen.submit({ name: '李明', address: '龙湖区金砂路 1 号', lng: 116.7, lat: 23.36, secrecy: 1, publish: 'refused', reply_wanted: false });
    assert.equal(rich.status, 201);
});

test('too many complaints from one address must wait; others go on', async () => {
    const limited = await start({ settings: { limit_submit: 3, trusted_proxies: '127.0.0.1' } });
    const eager = limited.from('203.0.113.1');

    for (let i = 0; i < 3; i++)
        assert.equal((await eager.submit({ phone: `1380013800${i}` })).status, 201);
    const stopped = await eager.submit({ phone: '13900139000' });
    assert.equal(stopped.status, 429);
    assert.ok(Number(stopped.headers.get('retry-after')) > 0);
    assert.equal((await limited.from('203.0.113.2').submit()).status, 201);
});

test('the public reference names places and types, the figures name themselves', async () => {
    const reference = await anybody.get('/v1/public/reference');
    assert.ok(reference.body.divisions.length > 60);
    assert.ok(!('units' in reference.body));

    const town = reference.body.divisions.find((d) => d.level === 3);
    const villages = await anybody.get(`/v1/public/divisions/${town.code}`);
    assert.ok(villages.body.divisions.every((d) => d.parent === town.code && d.level === 4));
    assert.deepEqual((await anybody.get('/v1/public/divisions/999999')).body, { divisions: [] });

    const figures = await anybody.get('/v1/public/metrics');
    assert.equal(figures.status, 200);
    assert.equal(figures.body.total.rates.closure_rate_cohort.rate, null); // nothing was accepted last month
});
