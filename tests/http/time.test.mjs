// What happens by itself when time passes, in a simulation whose clock the test moves.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { start, until } from './harness.mjs';
import { Office, happy, plain, rework } from './office.mjs';

const hotline = await start();
const { citizen } = hotline;
const office = new Office(hotline);
const sim = (...args) => execFileSync(process.env.HOTLINECTL, ['sim', ...args], { encoding: 'utf8', env: { ...process.env,
    HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` } });

// Monday the fifth of March 2018, nine o'clock; sessions outlive what follows.
sim('on', '2018-03-05T09:00:00+08:00');
await hotline.sql('update hotline.setting set value = \'90000\' where name = \'session.hours\'');
await hotline.engine.term();
await hotline.startEngine();

const swept = async (moment) => {
    sim('set', moment);
    await until(`all that is due by ${moment} has happened`, async () =>
        (await hotline.sql('select swept_to >= $1::timestamptz as done from hotline.sweep', [moment]))[0]?.done, 30);
};
const event = async (t, transition) => (await hotline.sql(`select hotline.time_text(at) as at, actor_role, payload
    from hotline.event where ticket_id = $1 and transition = $2 order by n desc limit 1`, [t.id, transition]))[0];
const clock = async (t, kind) => (await hotline.sql(`select hotline.time_text(due_at) as due, hotline.time_text(warn_at) as warn, hotline.time_text(breached_at) as breached,
    met_at is not null as met, stopped_at is not null as stopped from hotline.clock where ticket_id = $1 and kind = $2 order by id desc limit 1`, [t.id, kind]))[0];

const unsigned = await office.at('pending_sign');
const signed = await office.at('handling');
const audited = await office.at('pending_audit');
const asked = await office.at('reached');
const refusal = await office.filed();
const fading = await office.at('pending_callback');
const closed = await office.at('closed');

test('a call may bring its own time; the number carries its day', async () => {
    const filed = await citizen.submit({}, { headers: { 'X-Hotline-Time': '2018-03-05T09:30:00+08:00' } });

    assert.equal(filed.status, 201);
    assert.match(filed.body.number, /^180305/);
    assert.equal(filed.body.promise_due_at, '2018-03-19T23:59:59+08:00'); // ten working days
    for (const bad of ['2018-03-05', '2018-02-30T09:00:00+08:00', '2018-03-05T09:00:00', 'now']) {
        const answer = await citizen.submit({}, { headers: { 'X-Hotline-Time': bad } });
        assert.equal(answer.status, 400, bad);
        assert.equal(answer.body.code, 'bad_time');
    }
});

test('nothing is late while it is Monday morning', async () => {
    await swept('2018-03-05T09:30:00+08:00');

    for (const t of [unsigned, signed, audited])
        assert.equal((await office.read('leader1', t)).events.length, t.last.version, 'no event but those of people');
});

test('work shows yellow before it is late', async () => {
    const row = async () => (await (await hotline.as('st-gaj.d')).get(`/v1/desk/tickets?ids=${unsigned.id}`)).body.tickets[0];

    assert.equal((await row()).light, 'green');
    const { due_at: due, due_kind: kind } = await row();
    assert.equal(kind, 'sign');
    const { warn } = await clock(unsigned, 'sign');
    assert.ok(warn < due);
    await swept(warn);
    assert.equal((await row()).light, 'yellow');
});

test('T31: a unit that does not sign in time has signed, dated the moment it was due', async () => {
    const due = (await clock(unsigned, 'sign')).due;
    await swept('2018-03-07T00:00:30+08:00');
    const whole = await office.read('st-gaj.h', unsigned);

    assert.equal(whole.state, 'handling');
    assert.deepEqual(whole.flags, ['deemed_signed']);
    assert.equal(whole.assignments[0].deemed_signed, true);
    assert.deepEqual([(await event(unsigned, 'T31')).at, (await event(unsigned, 'T31')).actor_role], [due, 'SYS']);
    assert.equal((await clock(unsigned, 'sign')).breached, due);
    assert.equal((await event(signed, 'T31')), undefined, 'who signed is not deemed to have');
    await office.bring(unsigned, 'handling', 'unit_approval'); // and its handler goes on
});

test('T62: an audit that nobody does is on record, and is still to be done', async () => {
    const due = (await clock(audited, 'audit')).due;

    assert.equal((await event(audited, 'T62')).at, due);
    assert.equal((await clock(audited, 'audit')).breached, due);
    assert.equal((await office.read('auditor1', audited)).state, 'pending_audit');
    assert.equal((await office.done('auditor1', audited, 'audit_pass', { quality_score: 60 })).state, 'pending_callback');
});

test('a question that the leader leaves lying goes to the supervisor; silence never approves', async () => {
    await office.done('callback1', asked, 'rework', rework);
    await office.done('acceptor1', refusal, 'refuse', { refuse_code: 'N09', told_text: '超出政府职责范围。' });
    assert.equal((await office.question('leader1', asked)).decider_role, 'LDR');
    await swept('2018-03-07T17:00:00+08:00');

    for (const t of [asked, refusal]) {
        assert.match(await office.story(t), /LAPSE/);
        assert.equal((await office.question('supervisor1', t)).decider_role, 'SUP');
    }
    assert.equal((await office.read('leader1', refusal)).state, 'pending_accept');
    assert.deepEqual((await office.could('leader1', asked)).filter((a) => a === 'approve'), []);
    const question = await office.question('supervisor1', asked);
    assert.equal((await office.do('leader1', asked, 'approve', { approval: question.id, opinion: '同意' })).status, 403);
    assert.equal((await office.done('supervisor1', asked, 'approve', { approval: question.id, opinion: '同意重办' })).state, 'pending_sign');
});

test('T67: three attempts on two days in two parts of the day, and three days of silence', async () => {
    const attempt = () => office.done('callback1', fading, 'callback_attempt', { outcome: 'no_answer' });

    sim('set', '2018-03-08T09:30:00+08:00');
    await attempt();
    await attempt();
    sim('set', '2018-03-08T15:30:00+08:00');
    await attempt(); // three, but all on one day
    await swept('2018-03-12T15:00:00+08:00');
    assert.equal((await office.read('callback1', fading)).state, 'pending_callback');
    await attempt(); // now two days and two parts of the day
    await swept('2018-03-15T14:59:00+08:00');
    assert.equal((await office.read('callback1', fading)).state, 'pending_callback');
    await swept('2018-03-15T15:01:00+08:00');

    assert.equal((await office.read('callback1', fading)).state, 'closed');
    assert.equal((await event(fading, 'T67')).at, '2018-03-15T15:00:00+08:00');
    const [{ rated, resolved }] = await hotline.sql('select rated, resolved from hotline.ticket where id = $1', [fading.id]);
    assert.deepEqual([rated, resolved], [0, null]);
    assert.match((await citizen.follow(fading)).body.timeline.at(-1).text, /未能联系上/);
});

test('who is reached in time is not given up', async () => {
    const t = await office.at('pending_callback');
    const attempt = (outcome) => office.done('callback1', t, 'callback_attempt', { outcome });

    await attempt('busy');
    sim('set', '2018-03-16T09:30:00+08:00');
    await attempt('no_answer');
    await attempt('powered_off');
    await attempt('connected');
    await swept('2018-03-23T09:30:00+08:00');
    assert.equal((await office.read('callback1', t)).state, 'pending_callback');
    await office.done('callback1', t, 'callback_ok', happy);
});

test('what a unit answers too late counts as late, and the promise with it', async () => {
    const whole = await office.read('leader1', signed);

    assert.equal(whole.state, 'handling');
    assert.equal(whole.light, 'deep_red');
    assert.equal(whole.promise_state, 'late');
    assert.equal((await citizen.follow(signed)).body.promise_state, 'late');
    await office.bring(signed, 'handling', 'closed');
    assert.notEqual((await clock(signed, 'unit')).breached, null);
    assert.equal((await office.read('leader1', signed)).promise_state, 'late');
});

test('T79: a hundred days after its closing a ticket is archived, and can still be followed', async () => {
    const [{ at }] = await hotline.sql('select hotline.time_text(closed_at + interval \'100 days\') as at from hotline.ticket where id = $1', [closed.id]);
    await swept('2018-06-20T09:00:00+08:00');

    assert.equal((await office.read('leader1', closed)).state, 'archived');
    assert.equal((await event(closed, 'T79')).at, at);
    assert.deepEqual(await office.could('leader1', closed), []);
    assert.equal((await citizen.follow(closed)).body.state, 'archived');
});

test('an event is never dated before the one it follows', async () => {
    const rows = await hotline.sql(`select e.ticket_id from hotline.event e join hotline.event p on p.ticket_id = e.ticket_id and p.n = e.n - 1
        where e.at < p.at or e.prev_hash is distinct from p.hash`);

    assert.deepEqual(rows, []);
    assert.equal((await office.do('acceptor1', refusal, 'accept', { title: plain.title, category: '010501', division: '440507' },
        { headers: { 'X-Hotline-Time': '2018-03-05T09:00:00+08:00' } })).status, 200);
    const [{ n }] = await hotline.sql(`select count(*)::int as n from hotline.event e join hotline.event p on p.ticket_id = e.ticket_id and p.n = e.n - 1
        where e.ticket_id = $1 and e.at < p.at`, [refusal.id]);
    assert.equal(n, 0);
});

test('the clock of a simulation with tickets only goes forward', () => {
    assert.throws(() => sim('set', '2018-03-05T09:00:00+08:00'), /only goes forward/);
});
