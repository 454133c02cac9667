// The public doors under attack: who files without a key solves a proof of work, and only then.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, webcrypto } from 'node:crypto';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { complaint, key, start, until } from './harness.mjs';

globalThis.crypto ??= webcrypto; // as browsers have it; Node.js 18 has not
const { solveChallenge } = await import('altcha-lib/v1');

const settings = { trusted_proxies: '127.0.0.1', challenge_rate: 60, challenge_numbers: 2000, workers: 2 };
const hotline = await start({ settings });
const ctl = join(dirname(process.env.HOTLINED), 'hotlinectl');
const environment = { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` };
const operator = (...words) => promisify(execFile)(ctl, ['door', ...words], { env: environment });

let people = 0;
const phone = () => `139${String(++people).padStart(8, '0')}`;
const somebody = (net = 113) => hotline.from(`203.0.${net}.${(people % 250) + 1}`);
const write = (solution) => Buffer.from(JSON.stringify(solution)).toString('base64');
const asked = (answer) => {
    assert.equal(answer.status, 403, answer.text);
    assert.equal(answer.body.code, 'challenge_needed');
    assert.match(answer.body.detail, /12345/);
    return answer.body.challenge;
};
const solve = async (challenge) => {
    const { number } = await solveChallenge(challenge.challenge, challenge.salt, challenge.algorithm, challenge.maxnumber).promise;
    return { algorithm: challenge.algorithm, challenge: challenge.challenge, number, salt: challenge.salt, signature: challenge.signature };
};
const file = (who, header, { change = {}, own = key() } = {}) =>
    who.post('/v1/tickets', complaint({ phone: phone(), ...change }), { headers: { 'Idempotency-Key': own, ...(header ? { 'X-Challenge': header } : {}) } });
const series = async (name) => {
    const found = new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\d+)$`, 'm').exec((await hotline.anybody.get('/metrics')).text);
    return Number(found?.[1]);
};

test('in quiet times nobody is asked for anything', async () => {
    assert.equal((await file(somebody())).status, 201);
    assert.equal(await series('hotlined_challenge_workers'), 0);
});

test('a flood from many addresses shuts the door to machines within seconds: they get a challenge, and nothing is filed', async () => {
    const refused = await until('the flood is answered with challenges', async () => {
        const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => file(hotline.from(`198.51.${i}.${(++people % 250) + 1}`))));
        return answers.every((answer) => answer.status === 403) && answers;
    }, 5);
    refused.forEach(asked);
    const before = (await hotline.sql('select count(*)::int as n from hotline.ticket'))[0].n;
    await Promise.all(Array.from({ length: 100 }, (_, i) => file(hotline.from(`198.52.${i}.1`)).then(asked)));
    assert.equal((await hotline.sql('select count(*)::int as n from hotline.ticket'))[0].n, before);
    await until('both workers ask', async () => (await series('hotlined_challenge_workers')) === 2);
    const ready = await hotline.anybody.get('/readyz');
    assert.equal(ready.status, 200);
    assert.match(ready.text, /under attack/);
    assert.match(hotline.engine.said(), /level=warn proc=worker0 ev=challenge_on/);
});

test('who solves it files with the same key, once; the same request may come again, another one not', async () => {
    const who = somebody();
    const own = key();
    const change = { phone: phone() };
    const header = write(await solve(asked(await file(who, undefined, { change, own }))));
    const first = await file(who, header, { change, own });
    assert.equal(first.status, 201);
    const again = await file(who, header, { change, own });
    assert.deepEqual([again.status, again.body.number], [201, first.body.number], 'its answer was lost');
    asked(await file(who, header));
    assert.equal(await series('hotlined_challenges_total{end="used"}'), 1);
});

test('of many at once with one solution one is taken', async () => {
    const who = somebody();
    const header = write(await solve(asked(await file(who))));
    const answers = await Promise.all(Array.from({ length: 10 }, () => file(who, header)));
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [201, ...Array(9).fill(403)]);
});

test('a solution is good for the network it was given to: one neighbour in the same /64 is the same, a stranger is not', async () => {
    const header = async () => write(await solve(asked(await file(hotline.from('2001:db8:1:2::1')))));
    asked(await file(hotline.from('2001:db8:1:3::1'), await header()));
    asked(await file(somebody(), await header()));
    assert.equal((await file(hotline.from('2001:db8:1:2:aaaa::9'), await header())).status, 201);
});

test('what is not a solution gets a new challenge, whatever it is', async () => {
    const who = somebody();
    const right = await solve(asked(await file(who)));
    const soon = `${right.salt.slice(0, 24)}?expires=${Math.floor(Date.now() / 1000) + 86400}&`;
    const old = `${right.salt.slice(0, 24)}?expires=1767225600&`;
    const own = (salt) => ({ ...right, salt, challenge: createHash('sha256').update(salt + right.number).digest('hex') });
    const wrong = {
        'another number': write({ ...right, number: right.number + 1 }),
        'a longer life': write({ ...right, salt: soon }),
        'a challenge of its own': write(own(soon)),
        'one that is over': write(own(old)),
        'digits moved to the salt': write({ ...right, salt: right.salt + String(right.number)[0], number: Number(String(right.number).slice(1)) }),
        'another algorithm': write({ ...right, algorithm: 'SHA-1' }),
        'another signature': write({ ...right, signature: '0'.repeat(64) }),
        'too large a number': write({ ...right, number: 1e15 }),
        'a number as text': write({ ...right, number: String(right.number) }),
        'one more member': write({ ...right, more: 1 }),
        'no base64': '%%%',
        'no JSON': Buffer.from('{"algorithm"').toString('base64'),
        'a list': write([right]),
        'nothing': write({}),
        'a very long one': 'A'.repeat(4000),
    };
    for (const [what, header] of Object.entries(wrong))
        assert.notEqual(asked(await file(who, header)).salt, right.salt, what);
    assert.equal((await file(who, write(right))).status, 201, 'the right one is still good');
});

test('while Redis is away each worker remembers for itself', async () => {
    const who = somebody();
    await hotline.redis.kill();
    const header = write(await solve(asked(await file(who))));
    const answers = [];
    for (let i = 0; i < 12; i++)
        answers.push((await file(who, header)).status);
    const taken = answers.filter((status) => status === 201).length;
    assert.ok(taken >= 1 && taken <= 2, `${answers}`);
    await hotline.startRedis();
});

test('staff and who follows a complaint are not asked', async () => {
    const who = somebody();
    const filed = await file(who, write(await solve(asked(await file(who)))));
    assert.equal((await who.follow(filed.body)).status, 200);
    const desk = await hotline.as('operator1');
    assert.equal((await desk.post('/v1/desk/tickets', complaint({ phone: phone(), channel: 'phone' }))).status, 201);
});

test('an operator shuts the door in quiet times, and leaves it to itself again', async () => {
    await operator('challenge', 'on');
    await hotline.engine.term();
    await hotline.startEngine({ workers: 1 });
    asked(await file(somebody()));
    await until('readiness says who did it', async () => /hotlinectl door challenge auto/.test((await hotline.anybody.get('/readyz')).text));
    assert.match((await operator()).stdout, /challenge +on/);
    await assert.rejects(operator('challenge', 'perhaps'), /auto\|on\|off/);
    await until('the worker asks', async () => (await series('hotlined_challenge_workers')) === 1);
    await operator('challenge', 'auto');
    await until('the door is open', async () => (await series('hotlined_challenge_workers')) === 0);
    assert.equal((await file(somebody())).status, 201);
});
