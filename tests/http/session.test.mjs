// Signing in, staying, leaving.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, start } from './harness.mjs';

const hotline = await start({ settings: { trusted_proxies: '127.0.0.1' } });
const { anybody } = hotline;
const login = (name, password = PASSWORD, headers = {}) => anybody.post('/v1/session', { login: name, password }, { headers });
const with_token = (token) => ({ headers: { Authorization: `Bearer ${token}` } });
const cookie_of = (answer) => answer.headers.get('set-cookie').split(';')[0];

test('who signs in gets a token and a cookie, and is told who they are', async () => {
    const answer = await login('dispatcher1');

    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body.user.roles, ['DSP']);
    assert.equal(answer.body.user.scope, 'all');
    assert.match(answer.headers.get('set-cookie'), /^hotline_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const me = await anybody.get('/v1/session', with_token(answer.body.token));
    assert.deepEqual(me.body.user, answer.body.user);
});

test('a unit\'s people are held to their unit', async () => {
    const { body } = await login('st-gaj.d');

    assert.equal(body.user.scope, 'unit');
    assert.match(body.user.unit.name, /公安/);
});

test('a wrong password and an unknown name are answered alike', async () => {
    const wrong = await login('dispatcher2', 'not-the-password');
    const unknown = await login('nobody-at-all', 'not-the-password');

    assert.deepEqual([wrong.status, unknown.status], [401, 401]);
    assert.deepEqual(wrong.body, unknown.body);
    assert.equal(wrong.body.code, 'bad_login');
    assert.equal(wrong.headers.get('set-cookie'), null);
});

test('an unknown name takes as long as a known one', async () => {
    const time = async (name) => {
        const began = performance.now();
        await login(name, 'not-the-password');
        return performance.now() - began;
    };
    const known = await time('efficiency1'), unknown = await time('nobody-at-all');

    assert.ok(unknown > known / 4, `${unknown.toFixed(1)} ms, a known one ${known.toFixed(1)} ms`);
});

test('five wrong passwords in a row lock the account, for the right one too', async () => {
    for (let i = 0; i < 5; i++)
        assert.equal((await login('social1', `guess ${i}`)).status, 401);
    const locked = await login('social1');

    assert.equal(locked.status, 429);
    assert.equal(locked.body.code, 'locked');
    assert.ok(Number(locked.headers.get('retry-after')) > 0);
    assert.equal((await login('media1')).status, 200);

    await hotline.sql('update hotline.login_failure set locked_until = now() - interval \'1 second\' where login = \'social1\'');
    assert.equal((await login('social1')).status, 200);
});

test('four wrong passwords and a right one begin to count anew', async () => {
    for (let round = 0; round < 2; round++) {
        for (let i = 0; i < 4; i++)
            assert.equal((await login('media1', `guess ${i}`)).status, 401);
        assert.equal((await login('media1')).status, 200);
    }
});

test('failed sign-ins from one address are limited; those that succeed are not', async () => {
    const limited = await start({ settings: { limit_login: 4, trusted_proxies: '127.0.0.1' } });
    const from = (address, name, password = PASSWORD) => limited.from(address).post('/v1/session', { login: name, password });

    for (let i = 0; i < 6; i++)
        assert.equal((await from('203.0.113.1', 'operator1')).status, 200);
    for (let i = 0; i < 4; i++)
        assert.equal((await from('203.0.113.1', `nobody${i}`, 'x')).status, 401);
    const stopped = await from('203.0.113.1', 'operator1');
    assert.equal(stopped.status, 429);
    assert.ok(Number(stopped.headers.get('retry-after')) > 0);
    assert.equal((await from('203.0.113.2', 'operator1')).status, 200);
});

test('leaving ends the session at once, and twice is fine', async () => {
    const { body } = await login('auditor1');
    const mine = with_token(body.token);

    assert.equal((await anybody.get('/v1/desk/counts', mine)).status, 200); // and so in the cache
    const left = await anybody.del('/v1/session', mine);
    assert.equal(left.status, 204);
    assert.match(left.headers.get('set-cookie'), /Max-Age=0/);
    for (const path of ['/v1/session', '/v1/desk/counts', '/v1/desk/tickets', '/v1/events']) {
        const answer = await anybody.get(path, mine);
        assert.equal(answer.status, 401, path);
        assert.equal(answer.body.code, 'no_session');
    }
    assert.equal((await anybody.del('/v1/session', mine)).status, 401);
});

test('leaving one session leaves another of the same person alone', async () => {
    const [a, b] = [(await login('callback1')).body, (await login('callback1')).body];

    await anybody.del('/v1/session', with_token(a.token));
    assert.equal((await anybody.get('/v1/session', with_token(a.token))).status, 401);
    assert.equal((await anybody.get('/v1/session', with_token(b.token))).status, 200);
});

test('a cookie reads; to change anything the request must come from our own pages', async () => {
    const cookie = cookie_of(await login('operator2'));
    const ours = `http://127.0.0.1:${hotline.port}`;
    const draft = (headers) => anybody.post('/v1/desk/tickets', { channel: 'phone' }, { headers: { Cookie: cookie, ...headers } });

    assert.equal((await anybody.get('/v1/session', { headers: { Cookie: cookie } })).status, 200);
    for (const headers of [{}, { Origin: 'https://evil.example' }, { Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site', Origin: ours },
        { 'Sec-Fetch-Site': 'same-site' }, { Origin: `${ours}.evil.example` }]) {
        const answer = await draft(headers);
        assert.equal(answer.status, 403, JSON.stringify(headers));
        assert.equal(answer.body.code, 'bad_origin');
    }
    assert.equal((await draft({ Origin: ours })).status, 201);
    assert.equal((await draft({ 'Sec-Fetch-Site': 'same-origin' })).status, 201);
    assert.equal((await anybody.del('/v1/session', { headers: { Cookie: cookie } })).status, 403);
    assert.equal((await anybody.del('/v1/session', { headers: { Cookie: cookie, Origin: ours } })).status, 204);
});

test('another site cannot sign its visitor in', async () => {
    assert.equal((await login('operator1', PASSWORD, { Origin: 'https://evil.example' })).body.code, 'bad_origin');
    assert.equal((await login('operator1', PASSWORD, { Origin: `http://127.0.0.1:${hotline.port}` })).status, 200);
});

test('a session that has expired is none, whatever the cache remembers for a minute', async () => {
    const { body } = await login('leader1');
    const mine = with_token(body.token);

    await hotline.sql(`update hotline.session set expires_at = now() - interval '1 second'
        where person_id = (select id from hotline.person where login = 'leader1')`);
    assert.equal((await anybody.get('/v1/session', mine)).status, 401);
    const { body: again } = await login('leader1');
    assert.equal((await anybody.get('/v1/desk/counts', with_token(again.token))).status, 200);
    await hotline.sql(`update hotline.session set expires_at = now() - interval '1 second'
        where person_id = (select id from hotline.person where login = 'leader1')`);
    // The cache still knows them; the database, which decides what they may do, does not.
    assert.equal((await anybody.get('/v1/desk/counts', with_token(again.token))).status, 401);
});

test('a person who was disabled is out', async () => {
    const { body } = await login('acceptor1');

    assert.equal((await anybody.get('/v1/desk/counts', with_token(body.token))).status, 200);
    await hotline.sql('update hotline.person set disabled_at = now() where login = \'acceptor1\'');
    assert.equal((await anybody.get('/v1/desk/counts', with_token(body.token))).status, 401);
    assert.equal((await login('acceptor1')).status, 401);
});

test('what is no token is nobody', async () => {
    for (const headers of [{}, { Authorization: 'Bearer' }, { Authorization: `Bearer ${'x'.repeat(43)}` }, { Authorization: 'Basic b3BlcmF0b3IxOng=' },
        { Cookie: 'hotline_session=' }, { Cookie: `other=1; hotline_session=${'y'.repeat(43)}` }]) {
        const answer = await anybody.get('/v1/desk/tickets', { headers });
        assert.equal(answer.status, 401);
        assert.equal(answer.body.code, 'no_session');
    }
});

test('an answer to a sign-in repeats nothing that was typed', async () => {
    const wrong = await login('operator1', 'my-secret-pass');

    assert.ok(!wrong.text.includes('my-secret-pass'));
    assert.ok(!hotline.engine.said().includes('my-secret-pass'));
    for (const body of [{}, { login: 'operator1' }, { login: 'operator1', password: '' }, { login: 'operator1', password: 'x'.repeat(201) },
        { login: 'operator1', password: 7 }, { login: 'operator1', password: PASSWORD, admin: true }]) {
        const answer = await anybody.post('/v1/session', body);
        assert.equal(answer.status, 422, JSON.stringify(body));
        assert.equal(answer.body.code, 'bad_fields');
    }
});
