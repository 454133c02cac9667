// What holds for every request, whatever it asks for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaint, key, start } from './harness.mjs';

const hotline = await start();
const { anybody, citizen } = hotline;

const statuses = (text) => [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((m) => Number(m[1]));
const smuggled = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

function assert_problem(answer, status, code) {
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
    assert.equal(answer.body.status, status);
    assert.equal(typeof answer.body.title, 'string');
    assert.match(answer.body.code, code ?? /^[a-z][a-z0-9_]+$/);
}

test('the engine says that it lives and that it is ready', async () => {
    assert.equal((await anybody.get('/healthz')).status, 200);
    assert.equal((await anybody.get('/readyz')).status, 200);
});

test('metrics are Prometheus text', async () => {
    const answer = await anybody.get('/metrics');

    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type'), /^text\/plain/);
    for (const line of answer.text.trimEnd().split('\n'))
        assert.match(line, /^(# (HELP|TYPE) |[a-z_]+(\{([a-z_]+="[^"]*",?)*\})? -?[0-9.e+-]+$)/);
});

test('an unknown path is a problem document', async () => {
    assert_problem(await anybody.get('/v1/no-such-thing'), 404);
});

test('a method that the path does not know is refused, and the answer lists those it knows', async () => {
    const answer = await anybody.ask('PUT', '/healthz', { body: {} });

    assert_problem(answer, 405);
    assert.match(answer.headers.get('allow'), /\bGET\b/);
});

test('a body over 256 kB is refused', async () => {
    assert_problem(await citizen.submit({ content: '长'.repeat(100_000) }), 413);
});

test('a body that evhttp itself refuses gets no more than its own page', async () => {
    const { text, closed } = await hotline.raw('POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n{');

    assert.deepEqual(statuses(text), [413]);
    assert.ok(closed);
});

test('what cannot be parsed as a request is refused and the connection ends', async () => {
    const { text, closed } = await hotline.raw('this is no request\r\n\r\n');

    assert.deepEqual(statuses(text), [400]);
    assert.ok(closed);
});

test('the time of a call is taken from nobody outside a simulation', async () => {
    assert_problem(await anybody.get('/v1/public/metrics', { headers: { 'X-Hotline-Time': '2018-01-02T09:00:00+08:00' } }),
        400, /^time_not_allowed$/);
});

test('two requests on one connection are answered in their order', async () => {
    const { text } = await hotline.raw('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n', { quiet: 500 });

    assert.deepEqual(statuses(text), [200, 404]);
});

test('a body in chunks is read whole', async () => {
    const body = JSON.stringify(complaint());
    const bytes = Buffer.from(body);
    const parts = [bytes.subarray(0, 50), bytes.subarray(50)];
    const { text } = await hotline.raw([
        'POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
            `Idempotency-Key: ${key()}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
        ...parts.map((part) => Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')])),
        '0\r\n\r\n',
    ]);

    assert.deepEqual(statuses(text), [201]);
});

// evhttp 2.1 would take the rest of each of these for a second request.
const ambiguous = {
    'two Content-Length headers':
        `POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: ${2 + smuggled.length}\r\n\r\n{}${smuggled}`,
    'a Transfer-Encoding other than chunked':
        `POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n${smuggled}`,
    'Transfer-Encoding: identity':
        `POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    'both Transfer-Encoding and Content-Length':
        `POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    'an unknown method':
        `BREW /v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
};

for (const [what, bytes] of Object.entries(ambiguous)) {
    test(`${what}: one answer, then the connection is closed`, async () => {
        const { text, closed } = await hotline.raw(bytes);

        assert.equal(statuses(text).length, 1, text);
        assert.ok(statuses(text)[0] >= 400, text);
        assert.match(text, /^connection: close\r$/im);
        assert.ok(closed);
    });
}

test('no two tickets and no ticket at all came of these requests', async () => {
    const [{ n }] = await hotline.sql('select count(*)::int as n from hotline.ticket');

    assert.equal(n, 1); // the chunked one
});
