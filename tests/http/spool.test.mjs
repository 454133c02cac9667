// The database is away: complaints are taken in all the same, and what was answered is true later.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { promisify } from 'node:util';
import { complaint, key, start, until } from './harness.mjs';

// A simulation that has no clock of its own: time runs, and a request may bring another (for midnight).
const hotline = await start({
    cluster: true,
    sql: "insert into hotline.simulation (at) values (null); select hotline.sim_install(true)",
    settings: { workers: 2, spool_max: 400 },
});
const { anybody, citizen, cluster } = hotline;
const run = promisify(execFile);
const spool = (...args) => cluster.redis('spool', ...args);
const length = async () => Number(await spool('XLEN', 'spool'));
const put = (name, change, headers = {}) => citizen.submit(change, { headers: { 'Idempotency-Key': name, ...headers } });
const a_number = (digits) => digits + String(98n - (BigInt(digits) * 100n) % 97n).padStart(2, '0');
// A test that failed half way leaves the next one a whole cluster.
afterEach(() => cluster.start());

const ready = async () => (await anybody.get('/readyz')).body;

// What both workers say: which one hears a connection is the kernel's choice.
async function both() {
    const heard = new Map();

    for (let i = 0; i < 64 && heard.size < 2; i++) {
        const { text } = await hotline.raw('GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', { pause: 0 });
        const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n')));
        heard.set(body.worker, body);
    }
    return [...heard.values()];
}

const reserved = () => until('numbers are in reserve', async () => Number(await spool('LLEN', 'spool:numbers')) >= 400 - await length());
const away = async () => {
    await reserved();
    await cluster.stop('pg');
    await until('the workers know', async () => (await both()).every((one) => one.notes.some((n) => n.problem === 'spooling')));
};
const back = async () => {
    await cluster.start('pg');
    await until('the spool is drained', async () => (await length()) === 0 && (await both()).every((one) => one.notes.length === 0));
};
const tickets_of = (names) => hotline.sql(`
    select i.key, r.ticket_no, r.ticket_id::text as id, t.ticket_no as own, t.submitted_at, t.state
    from hotline.idem i join hotline.ticket t on t.ticket_no = i.body->>'number' join hotline.ticket_ref r on r.ticket_id = t.id
    where i.key = any($1) order by t.id`, [names]);

// Forwards a port to a socket; while muffled, what the server says is lost.
async function muffler(path) {
    const open = new Set();
    const server = createServer((client) => {
        const upstream = connect(path);
        const end = () => [client, upstream].forEach((s) => s.destroy() && open.delete(s));

        [client, upstream].forEach((s) => open.add(s).size && s.on('error', end).on('close', end));
        client.pipe(upstream);
        upstream.on('data', (bytes) => self.muffled || client.write(bytes));
    });
    const self = { muffled: false, close: () => (open.forEach((s) => s.destroy()), server.close()) };

    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return Object.assign(self, { port: server.address().port });
}

test('while the database is there it gets everything, and the spool only holds numbers', async () => {
    await reserved();
    assert.equal((await citizen.submit()).status, 201);
    assert.equal(await length(), 0);
    await until('every worker knows of them', async () => (await ready()).notes.length === 0);
});

test('two hundred requests with repeated keys while the database is away: one entry a key, all found again, drained in order', async () => {
    await away();
    const names = Array.from({ length: 60 }, key);
    const phone = '13912345678';
    const sent = Array.from({ length: 200 }, (_, i) => names[i % names.length]).sort(() => randomInt(3) - 1);
    const answers = await Promise.all(sent.map((name) =>
        put(name, { title: `第 ${names.indexOf(name)} 件`, phone, name: '王小明' }).then((answer) => ({ name, ...answer }))));
    const first = new Map();

    for (const { name, status, body } of answers) {
        assert.equal(status, 202);
        assert.equal(body.state, 'received');
        assert.equal(BigInt(body.number) % 97n, 1n);
        assert.deepEqual(body, first.get(name) ?? body);
        first.set(name, body);
    }
    assert.equal(first.size, names.length);
    assert.equal(new Set([...first.values()].map((b) => b.number)).size, names.length);
    assert.equal(await length(), names.length);

    // The stream, and the disk below it, hold no number, name or code that somebody could read.
    const bytes = await spool('XRANGE', 'spool', '-', '+') + readFileSync(join(cluster.dir, 'spool', 'appendonlydir',
        'appendonly.aof.1.incr.aof'), 'utf8');
    for (const secret of [phone, '王小明', ...[...first.values()].map((b) => b.query_code)])
        assert.ok(!bytes.includes(secret), 'nothing in clear');
    assert.match(bytes, /phone_enc.*v1\.1\./s);

    const one = first.get(names[7]);
    const seen = await citizen.follow(one);
    assert.equal(seen.status, 200);
    assert.equal(seen.body.state, 'received');
    assert.equal(seen.body.title, '第 7 件');
    assert.equal(seen.body.promise_due_at, null);
    assert.equal((await citizen.follow({ ...one, query_code: first.get(names[8]).query_code })).status, 404);
    assert.equal((await put(names[7], { title: '别的事' })).body.code, 'key_reused');
    assert.equal((await citizen.follow({ ...one, number: a_number('18010220000017') })).status, 503, 'who knows');

    const order = (await spool('XRANGE', 'spool', '-', '+')).match(/^\d{16}$/gm);
    await until('the gauge says how many wait', async () =>
        (await anybody.get('/metrics')).text.includes(`\nhotlined_spool_length ${names.length}\n`));

    await back();
    const rows = await tickets_of(names);
    assert.equal(rows.length, names.length);
    assert.deepEqual(new Set(rows.map((r) => `${r.key} ${r.ticket_no}`)), new Set(names.map((name) => `${name} ${first.get(name).number}`)));
    assert.deepEqual((await hotline.sql('select ticket_no from hotline.ticket_ref where ticket_no = any($1) order by ctid', [order]))
        .map((r) => r.ticket_no), order, 'in the order of the stream');
    for (const name of names) {
        const view = await citizen.follow(first.get(name));

        assert.equal(view.status, 200);
        assert.equal(view.body.state, 'pending_accept');
    }
    const again = await put(names[0], { title: '第 0 件', phone, name: '王小明' });
    assert.equal(again.status, 201);
    assert.equal(again.body.number, first.get(names[0]).number);
    assert.equal(again.body.query_code, first.get(names[0]).query_code);
    assert.match((await anybody.get('/metrics')).text, new RegExp(`^hotlined_spool_drained_total ${names.length}$`, 'm'));
});

test('what refers to nothing is refused before it gets a number', async () => {
    await away();
    const bad = await citizen.submit({ division: '999999', category: 'ZZ' });

    assert.equal(bad.status, 422);
    assert.deepEqual(bad.body.fields.map((f) => f.code), ['unknown_division', 'unknown_category']);
    assert.equal((await citizen.submit({ phone: '12' })).status, 422);
    assert.equal(await length(), 0);
    await back();
});

test('workers and parent are killed and midnight passes while the database is away: numbers go on, clocks start at the answer', async () => {
    await away();
    const before = key(), after = key(), killed = key(), given = key();
    const a = await put(before, {}, { 'X-Hotline-Time': '2026-03-09T23:59:58+08:00' });
    const b = await put(after, {}, { 'X-Hotline-Time': '2026-03-10T00:00:01+08:00' });

    assert.equal(a.status, 202);
    assert.equal(a.body.number.slice(0, 6), '260309');
    assert.equal(b.body.number.slice(0, 6), '260310');
    assert.equal(Number(b.body.number.slice(7, 14)) > Number(a.body.number.slice(7, 14)), true, 'the sequence goes on');

    const workers = hotline.workers();
    assert.equal(workers.length, 2);
    workers.forEach((pid) => process.kill(pid, 'SIGKILL'));
    await until('new workers take in', async () => (await put(killed, {}).catch(() => ({}))).status === 202);
    await hotline.engine.kill();
    await hotline.startEngine();
    await until('both have started without the database', async () => (await both()).every((one) => one.ready));
    assert.equal((await put(before, {}, { 'X-Hotline-Time': '2026-03-10T08:00:00+08:00' })).body.number, a.body.number);
    const c = await put(given, { division: '440507' }, { 'X-Hotline-Time': '2026-03-10T02:00:00Z' });
    assert.equal(c.status, 202);
    assert.equal(c.body.number.slice(0, 6), '260310');
    assert.equal((await citizen.follow(a.body)).body.state, 'received');
    assert.equal((await citizen.submit({ division: '999999' })).status, 422, 'the reference data were kept');

    await back();
    const rows = await tickets_of([before, after, killed, given]);
    assert.equal(rows.length, 4);
    const at = (name) => rows.find((r) => r.key === name).submitted_at.toISOString();
    assert.equal(at(before), '2026-03-09T15:59:58.000Z');
    assert.equal(at(after), '2026-03-09T16:00:01.000Z');
    assert.equal(at(given), '2026-03-10T02:00:00.000Z');
    const clocks = await hotline.sql('select start_at from hotline.clock where ticket_id = $1', [rows.find((r) => r.key === before).id]);
    assert.ok(clocks.length > 0);
    for (const clock of clocks)
        assert.equal(clock.start_at.toISOString(), at(before));
});

test('a reply that was lost leads to the one ticket by either number', async (t) => {
    // Between engine and server sits one who hears and, when told so, says nothing on.
    const proxy = await muffler(join(cluster.run, '.s.PGSQL.5432'));
    const name = key();

    t.after(() => proxy.close());
    await hotline.engine.term();
    await hotline.startEngine({ database: `host=127.0.0.1 port=${proxy.port} dbname=${hotline.database} user=hotline_engine` });
    await reserved();
    assert.equal((await citizen.submit()).status, 201);
    proxy.muffled = true;
    const filing = put(name, { title: '回执丢失' });
    const [{ number }] = await until('it is committed', async () => {
        const rows = await hotline.sql("select body->>'number' as number from hotline.idem where key = $1", [name]);
        return rows.length > 0 && rows;
    });
    await cluster.kill('pg');
    const answer = await filing;

    assert.equal(answer.status, 202, answer.text);
    assert.notEqual(answer.body.number, number);
    assert.equal((await citizen.follow(answer.body)).body.state, 'received');
    proxy.muffled = false;
    await cluster.start('pg');
    await back();
    const rows = await tickets_of([name]);
    assert.deepEqual(rows.map((r) => r.ticket_no).sort(), [number, answer.body.number].sort());
    assert.equal(new Set(rows.map((r) => r.id)).size, 1);
    for (const one of [number, answer.body.number]) {
        const view = await citizen.follow({ ...answer.body, number: one });
        assert.equal(view.status, 200);
        assert.equal(view.body.title, '回执丢失');
    }
    const repeat = await put(name, { title: '回执丢失' });
    assert.equal(repeat.status, 201);
    assert.equal(repeat.body.query_code, answer.body.query_code);
    const acceptor = await hotline.as('acceptor1');
    const found = await acceptor.find(answer.body.number);
    assert.equal(found?.number, number, 'staff find it by the number the citizen names');
    await hotline.engine.term();
    await hotline.startEngine();
});

test('a database that stands still is as good as away; what it does later makes no second ticket', async () => {
    await reserved();
    const names = Array.from({ length: 8 }, key);
    const pids = await hotline.backends();

    pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
    const began = Date.now();
    const answers = await Promise.all(names.map((name) => put(name)));
    const took = Date.now() - began;
    pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
    for (const { status } of answers)
        assert.equal(status, 202);
    assert.ok(took < 8000, `${took} ms`);
    await back();
    const rows = await tickets_of(names);
    assert.equal(new Set(rows.map((r) => r.id)).size, names.length, 'one ticket a key');
    for (const [i, { body }] of answers.entries()) {
        assert.equal((await citizen.follow(body)).status, 200);
        assert.ok(rows.some((r) => r.key === names[i] && r.ticket_no === body.number), 'the answered number is one of its numbers');
    }
    assert.ok(rows.some((r) => r.ticket_no !== r.own), 'some have an alias');
});

test('a retry that reaches the database before the drain makes the answered number an alias', async () => {
    await away();
    const name = key();
    const spooled = await put(name, { title: '先到暂存' });
    const [id] = (await spool('XREVRANGE', 'spool', '+', '-', 'COUNT', '1')).split('\n');
    const call = (await spool('XRANGE', 'spool', id, id)).split('\n').find((line) => line.startsWith('{'));

    await spool('SET', 'spool:lock', 'the test', 'PX', '60000'); // nobody drains
    await cluster.start('pg');
    await until('the database serves', async () => (await ready()).notes.every((n) => n.part !== 'database'));
    const stored = await until('a direct answer', async () => {
        const answer = await put(name, { title: '先到暂存' });
        return answer.status === 201 && answer;
    });
    assert.ok(JSON.parse(call).digest);
    assert.notEqual(stored.body.number, spooled.body.number);
    assert.equal(stored.body.query_code, spooled.body.query_code);
    assert.equal((await citizen.follow(spooled.body)).body.state, 'received');
    await spool('DEL', 'spool:lock');
    await back();
    const rows = await tickets_of([name]);
    assert.deepEqual(rows.map((r) => r.ticket_no).sort(), [stored.body.number, spooled.body.number].sort());
    assert.equal(new Set(rows.map((r) => r.id)).size, 1);
    const view = await citizen.follow(spooled.body);
    assert.equal(view.status, 200);
    assert.equal(view.body.number, stored.body.number);
    assert.equal(view.body.title, '先到暂存');
});

test('a spool that is killed comes back with all it answered, and goes on', async () => {
    await away();
    const name = key();
    const first = await put(name);

    assert.equal(first.status, 202);
    await cluster.kill('spool');
    const none = await citizen.submit();
    assert.equal(none.status, 503);
    assert.equal(none.body.code, 'database_away');
    assert.ok(Number(none.headers.get('retry-after')) > 0);
    const unready = await anybody.get('/readyz');
    assert.equal(unready.status, 503);
    assert.ok(unready.body.notes.some((n) => /no connection to the spool/.test(n.problem)));
    await cluster.start('spool');
    const same = await until('the spool is back', async () => {
        const answer = await put(name);
        return answer.status === 202 && answer;
    });
    assert.deepEqual(same.body, first.body);
    await until('every worker is back', async () => {
        const heard = await both();
        return heard.length === 2 && heard.every((one) => one.notes.some((n) => n.part === 'spool' && n.problem === 'spooling'));
    });
    const answers = await Promise.all(Array.from({ length: 32 }, () => citizen.submit()));
    assert.deepEqual([...new Set(answers.map((a) => a.status))], [202]);
    const next = answers[31];
    assert.equal(Number(next.body.number.slice(7, 14)) > Number(first.body.number.slice(7, 14)), true, 'the block survived');
    await until('it can be followed', async () => (await citizen.follow(first.body)).status === 200, 5);
    await back();
    assert.equal((await citizen.follow(first.body)).body.state, 'pending_accept');
    assert.equal((await citizen.follow(next.body)).body.state, 'pending_accept');
});

test('numbers whose account is not whole after a restart are not used', async () => {
    await away();
    await spool('HDEL', 'spool:block', 'taken');
    await cluster.stop('spool');
    await cluster.start('spool');
    await until('the numbers are given up', async () => (await spool('EXISTS', 'spool:numbers')) === '0');
    await until('both use it again', async () =>
        (await both()).every((one) => one.notes.some((n) => n.part === 'spool' && n.problem === 'spooling')));
    const answer = await citizen.submit();
    assert.equal(answer.status, 503);
    assert.equal(answer.body.code, 'spool_full');
    assert.match(hotline.engine.said(), /spool_numbers_discarded/);
    await back();
    await reserved();
});

test('a used-up block and a full stream are refused, with when to come again; nothing is trimmed', async () => {
    await away();
    const kept = await citizen.submit();
    assert.equal(kept.status, 202);
    await spool('RENAME', 'spool:numbers', 'aside');
    const none = await citizen.submit();
    assert.equal(none.status, 503);
    assert.equal(none.body.code, 'spool_full');
    assert.equal(none.headers.get('retry-after'), '30');
    await spool('RENAME', 'aside', 'spool:numbers');

    const filler = await Promise.all(Array.from({ length: 420 }, () => citizen.submit()));
    assert.equal(filler.filter((a) => a.status === 202).length, 399);
    for (const full of filler.filter((a) => a.status !== 202)) {
        assert.equal(full.status, 503);
        assert.equal(full.headers.get('retry-after'), '30');
    }
    assert.equal(await length(), 400);
    assert.equal((await citizen.follow(kept.body)).body.state, 'received', 'the first is still there');
    await back();
    assert.equal((await citizen.follow(kept.body)).body.state, 'pending_accept');
});

test('a spool that would lose or evict what it was given is not used, and says so', async () => {
    await away();
    for (const [name, bad, good] of [['appendfsync', 'everysec', 'always'], ['maxmemory-policy', 'allkeys-lru', 'noeviction']]) {
        await spool('CONFIG', 'SET', name, bad);
        await spool('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await until('it is noted', async () => (await ready()).notes.some((n) => n.part === 'spool' && n.problem.includes(name)));
        assert.equal((await citizen.submit()).status, 503);
        await spool('CONFIG', 'SET', name, good);
        await spool('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await until('it is used again', async () => (await citizen.submit()).status === 202);
    }
    assert.match(hotline.engine.said(), /ev=spool_unfit/);
    await back();
});

test('a word of the reference data that is gone by the time of the drain is left out, and the ticket says so', async () => {
    await away();
    const name = key();
    const { body } = await put(name, { division: '440507' });
    const [id] = (await spool('XREVRANGE', 'spool', '+', '-', 'COUNT', '1')).split('\n');
    const row = (await spool('XRANGE', 'spool', id, id)).split('\n');
    const call = JSON.parse(row.find((line) => line.startsWith('{')));

    // As if the place had been abolished meanwhile.
    await spool('EVAL', `redis.call('XDEL', 'spool', ARGV[1])
        local id = redis.call('XADD', 'spool', '*', 'number', ARGV[2], 'key', ARGV[3], 'call', ARGV[4])
        redis.call('HSET', 'spool:index', ARGV[2], id)`, '0', id, body.number, `public POST /v1/tickets ${name}`,
    JSON.stringify({ ...call, division: '440599' }));
    await back();
    const operator = await hotline.as('acceptor1');
    const ticket = await operator.find(body.number);
    assert.equal(ticket.state, 'pending_accept');
    assert.equal(ticket.division, null);
    assert.deepEqual(ticket.flags, ['spool_surprise']);
    assert.deepEqual(ticket.events[0].data.spooled?.surprises ?? [], ['unknown_division']);
});

test('what was put aside is listed without its words, and goes back where it came from', async () => {
    await away();
    const names = [key(), key()];
    const filed = [];
    for (const name of names)
        filed.push((await put(name, { title: '放在一边的诉求' })).body);
    // As the engine does with what the database refuses again and again.
    for (const { number } of filed)
        await spool('EVAL', `local id = redis.call('HGET', 'spool:index', ARGV[1])
            redis.call('HSET', 'spool:aside', ARGV[1], redis.call('XRANGE', 'spool', id, id)[1][2][6])
            redis.call('XDEL', 'spool', id)
            redis.call('HDEL', 'spool:index', ARGV[1])`, '0', number);
    await back();
    const ctl = async (...words) => (await run(process.env.HOTLINECTL, ['spool', ...words, '--config', join(hotline.dir, 'hotlined.conf')])).stdout;
    const listed = await ctl('list');

    assert.match(listed, /^0 wait for the database, \d+ numbers in reserve, 2 put aside\n/);
    for (const { number } of filed)
        assert.match(listed, new RegExp(`^${number}  20\\d\\d-.*web +complaint$`, 'm'));
    assert.doesNotMatch(listed, /诉求|138/);
    assert.equal((await citizen.follow(filed[0])).body.state, 'received');

    // One has been sent again meanwhile, and has become a ticket under another number.
    const again = await until('every worker takes it', async () => {
        const answer = await put(names[1], { title: '放在一边的诉求' });
        return answer.status === 201 && answer;
    });
    await assert.rejects(ctl('retry', a_number('18010220000017')), /not among those put aside/);
    assert.match(await ctl('retry', filed[0].number), /^1 put back/);
    assert.match(await ctl('retry'), /^1 put back/);
    await back();
    const rows = await tickets_of(names);
    assert.deepEqual(rows.map((r) => `${r.key} ${r.ticket_no}`).sort(),
        [`${names[0]} ${filed[0].number}`, `${names[1]} ${filed[1].number}`, `${names[1]} ${again.body.number}`].sort());
    assert.equal(new Set(rows.map((r) => r.id)).size, 2);
    assert.equal(await spool('HLEN', 'spool:keys'), '0', 'nothing of them is left behind');
    assert.match(await ctl('list'), / 0 put aside\n$/);
});

test('a worker that has no numbers yet uses the reserve', async () => {
    await reserved();
    await hotline.engine.term();
    await hotline.sql('alter function api.numbers(jsonb) rename to numbers_later');
    await hotline.startEngine();
    const early = await until('the reserve is known', async () => {
        const answer = await citizen.submit();
        return answer.status !== 503 && answer;
    });
    assert.equal(early.status, 202, early.text);
    await hotline.sql('alter function api.numbers_later(jsonb) rename to numbers');
    await back();
    assert.equal((await citizen.follow(early.body)).body.state, 'pending_accept');
    await until('it has its own', async () => (await citizen.submit()).status === 201);
});

test('without the spool and without the database nothing is promised', async () => {
    await away();
    await cluster.stop('spool');
    const answer = await citizen.submit();

    assert.equal(answer.status, 503);
    assert.equal(answer.body.code, 'database_away');
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    await cluster.start('spool');
    await back();
    await until('every worker serves again', async () => {
        const answers = await Promise.all(Array.from({ length: 6 }, () => citizen.submit()));
        return answers.every((a) => a.status === 201);
    });
});

test('a further word on a complaint that still waits is put behind it, and stands on the ticket afterwards', async () => {
    await away();
    const name = key(), word = key();
    const { body: filed } = await put(name, { title: '还有话说' });
    const say = (text, more = {}, code = filed.query_code) => citizen.post(`/v1/tickets/${filed.number}/followups`, { kind: 'supplement', text },
        { headers: { 'X-Query-Code': code, 'Idempotency-Key': key(), ...more } });

    const said = await say('工地在学校旁边。', { 'Idempotency-Key': word });
    assert.equal(said.status, 202, said.text);
    assert.deepEqual(said.body, { number: filed.number, state: 'received' });
    assert.deepEqual((await say('工地在学校旁边。', { 'Idempotency-Key': word })).body, said.body, 'once under its key');
    assert.equal((await say('别的话', { 'Idempotency-Key': word })).body.code, 'key_reused');
    assert.equal((await say('请尽快。')).status, 202);
    assert.equal((await say('冒名的话', {}, '00000000')).status, 503, 'another code says nothing here');
    assert.equal(await length(), 3);
    assert.equal((await citizen.follow(filed)).body.state, 'received');
    await back();
    const words = await hotline.sql(`select n.body, f.at >= t.submitted_at as later from hotline.ticket t join hotline.followup f on f.ticket_id = t.id
        join hotline.event_note n on n.ticket_id = t.id and n.event_id = f.event_id and n.name = 'text' where t.ticket_no = $1 order by f.event_id`, [filed.number]);
    assert.deepEqual(words, [{ body: '工地在学校旁边。', later: true }, { body: '请尽快。', later: true }]);
    const again = await say('工地在学校旁边。', { 'Idempotency-Key': word });
    assert.equal(again.status, 200, again.text);
    assert.equal((await hotline.sql('select contact_count from hotline.ticket where ticket_no = $1', [filed.number]))[0].contact_count, 2, 'and still once');
});
