// The acceptance scenarios that begin or end with the citizen, told as the table tells them: given, then.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { key, start, until } from './harness.mjs';
import { happy, Office, plain, reply, unhappy } from './office.mjs';

const hotline = await start();
const { citizen } = hotline;
const office = new Office(hotline);

const says = (ticket, what, body, headers = {}) => citizen.post(`/v1/tickets/${ticket.number}/${what}`, body,
    { headers: { 'X-Query-Code': ticket.query_code, ...headers } });
const fields = (answer) => answer.body.fields.map((f) => `${f.name} ${f.code}`);
const figure = async () => (await (await hotline.as('leader1')).get(`/v1/metrics/closure?from=${day(0)}&to=${day(1)}`)).body;
const day = (n) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const [{ id: unit }] = await hotline.sql("select id from hotline.unit where code = 'ST-GAJ'");

// The link that a citizen is sent, made as the engine makes it: the round, and what only its key can make of number and round.
const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
function token(number, round) {
    const master = Buffer.from(readFileSync(join(hotline.dir, 'hash'), 'utf8').trim(), 'hex');
    const use = createHmac('sha256', master).update('hotline rating v1').digest();
    const mac = createHmac('sha256', use).update(`${number}/${round}`).digest();
    const letters = (bytes) => {
        const bits = bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
        return Array.from({ length: 8 }, (_, i) => crockford[Number(bits >> BigInt(5 * (7 - i)) & 31n)]).join('');
    };

    return `${round}-${letters([...mac.subarray(0, 5)])}${letters([...mac.subarray(5, 10)])}`;
}

// ---- the table ----------------------------------------------------------------------------------------------------------

test('1: a caller asks about a form and is answered on the spot: T01 T03, accepted and direct, no unit clock', async () => {
    const before = await figure();
    const operator = await hotline.as('operator1');
    const { body: t } = await operator.post('/v1/desk/tickets', { channel: 'phone', phone: '13800138011', type: 'consult', title: '社保卡补办', content: '社保卡丢了，怎么补办？' });

    await office.done('operator1', t, 'answer_on_spot', { category: '010501', answer_text: '请持身份证到任一社保网点办理。', kb_article_ids: ['KB-12'], appellant_ack: true });
    assert.equal(await office.story(t), 'T01 T03');
    assert.deepEqual(await hotline.sql("select kind from hotline.clock where ticket_id = $1 and kind in ('sign', 'unit')", [t.id]), []);
    const after = await figure();
    for (const count of ['accepted', 'direct'])
        assert.equal(after.total.counts[count], before.total.counts[count] + 1, count);
});

test('2: the same caller repeats an open noise complaint: T13, no new ticket; the third time urges', async () => {
    const t = await office.at('handling');
    const count = async () => (await hotline.sql('select count(*)::int as n from hotline.ticket'))[0].n;
    const before = await count();

    assert.equal((await says(t, 'followups', { kind: 'query', text: '请问办到哪一步了？' })).status, 200);
    await office.done('operator1', t, 'followup', { kind: 'urge', text: '来电人再次催问。' });
    assert.equal(await office.story(t), 'T05 T06 T18 T30 T13 T13');
    assert.equal((await says(t, 'followups', { kind: 'urge', text: '还没有人联系我。' })).status, 200);
    assert.equal(await office.story(t), 'T05 T06 T18 T30 T13 T13 T13 T74');
    assert.equal(await count(), before);
    const { overlays } = await office.read('st-gaj.h', t);
    assert.equal(overlays.urges.length, 1);
    await office.done('st-gaj.h', t, 'answer_urge', { text: '明天上午到现场。' });
    assert.match((await citizen.follow(t)).body.timeline.map((l) => l.text).join(), /已催办/);
});

test('3: forty callers, one power cut: a group, one lead ticket, one reply, forty callbacks by link', async () => {
    const callers = [];

    for (let i = 0; i < 40; i++)
        callers.push(await office.filed({ phone: `138002${String(10000 + i)}`, title: '小区停电', content: '整个小区突然停电，电梯也停了。' }));
    const [lead] = callers;
    const alert = await until('the hotspot is noticed', async () => (await hotline.sql(
        "select g.id from hotline.case_group g where g.alert and g.lead_ticket_id = any ($1::bigint[])", [callers.map((t) => t.id)]))[0], 120);
    assert.ok(alert);
    await until('all belong to the group', async () => (await hotline.sql(
        'select count(*)::int as n from hotline.case_group_member where group_id = $1', [alert.id]))[0].n === 40, 30);
    const [{ seconds }] = await hotline.sql(`select extract(epoch from g.made_at - (select max(e.at) from hotline.event e where e.ticket_id = any ($2::bigint[]) and e.n = 1))::int as seconds
        from hotline.case_group g where id = $1`, [alert.id, callers.map((t) => t.id)]);
    assert.ok(seconds <= 120, `noticed after ${seconds} s`);
    assert.equal((await hotline.sql("select count(*)::int as n from hotline.outbox where kind = 'group_alert' and args->>'group' = $1", [alert.id]))[0].n, 1);
    const seen = (await office.read('operator1', lead)).overlays.group;
    assert.deepEqual([seen.alert, seen.size], [true, 40], 'every operator reads on each of them that it is one matter');
    const first = callers.find((t) => t.id === seen.lead);
    // The directory sends it to the power company by itself; then the company answers once.
    const accepted = await office.done('acceptor1', first, 'accept', { title: '小区停电', category: '040201', division: '440507', urgency: 'urgent' });
    if (accepted.state === 'pending_dispatch')
        await office.done('dispatcher1', first, 'dispatch', { main_unit: 'ST-GD', instruction: '请立即抢修。' });
    assert.equal((await office.read('leader1', first)).unit.id, String(await office.unit('ST-GD')));
    await office.done('st-gd.d', first, 'sign');
    await office.done('st-gd.h', first, 'first_contact', { contacted: true, way: 'phone' });
    await office.done('st-gd.h', first, 'submit_reply', { ...reply, content: '经查，该小区配电房进线电缆故障，已于当日抢修完毕并恢复供电，后续将更换老旧电缆。' });
    await office.done('st-gd.a', first, 'unit_approve', { opinion: '同意' });
    await office.bring(first, 'pending_audit', 'pending_callback');
    for (const t of callers.filter((t) => t !== first))
        await until('the reply is everybody\'s', async () => (await office.read('leader1', t)).state === 'pending_callback', 30);
    assert.match((await citizen.follow(callers.find((t) => t !== first))).body.timeline.map((l) => l.text).join(), /许多人反映了同一件事/);
    const [{ n }] = await hotline.sql("select count(*)::int as n from hotline.outbox where kind = 'rating_link' and ticket_id = any ($1::bigint[])", [callers.map((t) => t.id)]);
    const quiet = (await hotline.sql('select hotline.in_quiet_hours(now()) as yes'))[0].yes;
    assert.ok(quiet || n >= 39, `${n} links`);
});

test('9: "nobody contacted me", while the unit claims a call: T69, rework, an order, an integrity case', async () => {
    const t = await office.at('reached');
    const contradiction = { ...unhappy, contacted_by_unit: false, integrity_kind: 'not_contacted', contradiction: '从来没有人给我打过电话', must_do: ['当面联系诉求人'] };

    const done = await office.done('callback1', t, 'flag_integrity', contradiction);
    assert.deepEqual([done.state, done.assignment_state], ['pending_sign', 'pending_sign']);
    const { overlays, round } = await office.read('efficiency1', t);
    assert.equal(round, 1);
    assert.deepEqual(overlays.integrity.map((c) => c.kind), ['not_contacted']);
    assert.deepEqual(overlays.orders.map((o) => o.cause), ['integrity']);
    assert.equal((await office.read('st-gaj.h', t)).overlays.integrity, undefined, 'the case itself is the centre\'s');
});

test('11: a whistle-blower against bureau X: X never sees it, another body gets it', async () => {
    const t = await office.filed({ type: 'report', secrecy: 2 });

    await office.done('acceptor1', t, 'accept', { title: plain.title, category: '010501', division: '440507', conflict_units: [unit] });
    const refused = await office.do('dispatcher1', t, 'dispatch', { main_unit: 'ST-GAJ', instruction: '请办理并答复。' });
    assert.equal(refused.status, 422);
    assert.equal(refused.body.code, 'conflict_unit');
    await office.done('dispatcher1', t, 'dispatch', { main_unit: 'ST-JJZD', instruction: '请办理并答复。' });
    for (const login of ['st-gaj.d', 'st-gaj.h', 'st-gaj.a'])
        assert.equal((await (await hotline.as(login)).get(`/v1/desk/tickets/${t.id}`)).status, 404);
    assert.equal((await office.read('st-jjzd.h', t)).overlays.conflicts, undefined, 'nor does the other unit read who is complained about');
});

test('12: fire on a web form: called back and passed to 119, with what is left as a ticket', async () => {
    const t = await office.filed({ title: '楼下着火', content: '楼下商铺着火了，楼道还堆满杂物。' });

    assert.deepEqual((await office.read('operator1', t)).flags, ['danger']);
    const passed = await office.done('operator1', t, 'urgent_transfer', { agency: 'fire_119', mode: 'one_key', agency_agent_no: '119-3', rest: '楼道长期堆满杂物，请清理。' });
    assert.equal(passed.state, 'referred_out');
    const { overlays } = await office.read('leader1', t);
    assert.equal(overlays.transfers[0].agency, 'fire_119');
    const rest = overlays.links.find((l) => l.kind === 'rest_of');
    const child = (await citizen.follow({ number: rest.number, query_code: t.query_code })).body;
    assert.equal(child.state, 'pending_dispatch');
    const operator = await hotline.as('operator1');
    const arrived = await operator.post(`/v1/desk/tickets/${t.id}/transfer-check`, { transfer: overlays.transfers[0].id, arrived: true });
    assert.equal(arrived.status, 200, arrived.text);
    assert.equal((await operator.post(`/v1/desk/tickets/${t.id}/transfer-check`, { transfer: overlays.transfers[0].id, arrived: true })).body.code, 'checked_already');
});

test('13: a province ticket with three workdays, our policy with five: the smaller one', async () => {
    const [{ outer }] = await hotline.sql("select hotline.time_text((hotline.clock_due(1, now(), 3, 'workday')).due_at) as outer");
    const [{ body }] = await hotline.sql('select body from api.receive_province($1)', [{ external_id: key(), outer_due_at: outer, type: 'complaint', title: plain.title, content: plain.content, division: '440507' }]);
    const [{ id }] = await hotline.sql('select ticket_id::text as id from hotline.ticket_ref where ticket_no = $1', [body.number]);

    assert.equal(body.state, 'pending_dispatch');
    assert.equal(new Date(body.promise_due_at).getTime(), new Date(outer).getTime());
    await office.done('dispatcher1', { id }, 'dispatch', { main_unit: 'ST-GAJ', policy: 'H1', instruction: '请办理并答复。' });
    const { clocks } = await office.read('leader1', { id });
    const due = clocks.find((c) => c.kind === 'unit').due_at;
    assert.ok(new Date(due) < new Date(outer), `${due} before ${outer}`);
});

test('15: a citizen withdraws after the unit\'s visit: identity, the question about pressure, and somebody looks', async () => {
    const t = await office.at('contacted');
    const operator = (inputs) => office.do('operator1', t, 'withdraw', { reason: '单位让我撤的', recording_id: 'R-1', pressed: true, ...inputs });

    const stranger = await operator({ phone: '13900139000' });
    assert.deepEqual([stranger.status, stranger.body.code], [422, 'identity_not_proved']);
    assert.equal((await operator({ query_code: 'WRNG0000' })).body.code, 'identity_not_proved');
    assert.deepEqual(fields(await operator({ phone: '13800138000', pressed: undefined })), ['pressed required']);
    assert.equal((await (await hotline.as('st-gaj.h')).post(`/v1/desk/tickets/${t.id}/actions`, { action: 'withdraw', reason: '已沟通', pressed: false })).status, 403);
    const done = await operator({ phone: '138-0013-8000' });
    assert.equal(done.status, 200, done.text);
    assert.equal(done.body.state, 'withdrawn');
    const cases = await hotline.sql('select kind, unit_id from hotline.integrity_case where ticket_id = $1', [t.id]);
    assert.deepEqual(cases, [{ kind: 3, unit_id: unit }]);
    const codes = await hotline.sql('select body from hotline.event_note where ticket_id = $1', [t.id]);
    assert.ok(!codes.some((note) => note.body.includes('13800138000')));
});

// ---- the citizen's own routes -------------------------------------------------------------------------------------------

test('facts that were asked for are given on the web, and the work goes on', async () => {
    const t = await office.at('handling');

    await office.done('st-gaj.h', t, 'request_supplement', { missing_items: ['工地的门牌号', '施工的时间'] });
    const seen = (await citizen.follow(t)).body;
    assert.equal(seen.state, 'need_supplement');
    assert.equal(seen.promise_state, 'paused');
    assert.equal(seen.wanted.items, '工地的门牌号\n施工的时间');
    assert.ok(seen.may.includes('supplement'));
    assert.deepEqual(fields(await says(t, 'supplement', {})), ['text required']);
    assert.deepEqual(fields(await says(t, 'supplement', { text: '金砂路 100 号', colour: 'red' })), ['colour unknown_field']);
    const same = { 'Idempotency-Key': key() };
    const given = await says(t, 'supplement', { text: '金砂路 100 号，夜里十二点以后。' }, same);
    assert.equal(given.body.state, 'handling');
    assert.deepEqual((await says(t, 'supplement', { text: '金砂路 100 号，夜里十二点以后。' }, same)).body, given.body);
    assert.equal((await says(t, 'supplement', { text: '还有一件事' })).body.code, 'not_allowed_now');
    assert.equal(await office.story(t), 'T05 T06 T18 T30 T07h T08');
});

test('without the code, or with another\'s, nothing can be said', async () => {
    const t = await office.filed();
    const other = await office.filed();

    for (const code of [other.query_code, '$$$', undefined])
        for (const what of ['followups', 'supplement', 'withdrawal', 'rating', 'objection']) {
            const answer = await citizen.post(`/v1/tickets/${t.number}/${what}`, { text: '喂' }, { headers: code ? { 'X-Query-Code': code } : {} });
            assert.ok([404, 429].includes(answer.status), answer.text);
        }
    assert.equal(await office.story(t), 'T05');
});

test('a withdrawal on the web asks whether anybody pressed for it', async () => {
    const t = await office.filed({ type: 'report' });

    assert.deepEqual(fields(await says(t, 'withdrawal', { reason: '不想追究了' })), ['pressed required']);
    assert.equal((await says(t, 'withdrawal', { reason: '不想追究了', pressed: false })).body.state, 'withdrawn');
    const [goes_on] = (await office.read('leader1', t)).overlays.links;
    assert.equal(goes_on.kind, 'continues');
    const next = await office.read('leader1', { id: goes_on.ticket });
    assert.deepEqual([next.state, next.anonymous, next.contact.has_phone], ['pending_dispatch', true, false]);
});

test('a link rates once, its own ticket and round; satisfied, it closes', async () => {
    const t = await office.at('pending_callback');
    const other = await office.at('pending_callback');
    const rate = (ticket, link, body = { resolved: 'yes', sat_result: 'satisfied' }) =>
        citizen.post(`/v1/tickets/${ticket.number}/rating`, body, { headers: { 'X-Rating-Token': link } });

    const ask = (ticket, link) => citizen.get(`/v1/tickets/${ticket.number}/rating`, { headers: { 'X-Rating-Token': link } });
    assert.equal((await ask(t, token(t.number, 0))).body.unit, '汕头市公安局');
    assert.deepEqual([(await ask(other, token(t.number, 0))).status, (await ask(t, token(t.number, 1))).status], [404, 404]);
    assert.equal((await rate(other, token(t.number, 0))).status, 404);
    assert.equal((await rate(t, token(t.number, 1))).status, 404);
    assert.equal((await rate(t, `${token(t.number, 0)}0`)).status, 404);
    assert.equal((await citizen.post(`/v1/tickets/${t.number}/withdrawal`, { reason: '不办了', pressed: false }, { headers: { 'X-Rating-Token': token(t.number, 0) } })).status, 404);
    assert.deepEqual(fields(await rate(t, token(t.number, 0), { resolved: 'yes' })), ['sat_result required']);
    const rated = await rate(t, token(t.number, 0));
    assert.equal(rated.body.state, 'closed', rated.text);
    assert.equal((await rate(t, token(t.number, 0))).body.code, 'rated_already');
    assert.equal((await ask(t, token(t.number, 0))).body.code, 'rated_already');
    assert.equal(await office.story(t), 'T05 T06 T18 T30 T43 T52 T53 T60 T63 T64');
    assert.equal((await rate(other, token(other.number, 0), { resolved: 'no', sat_result: 'unsatisfied' })).body.state, 'pending_callback');
    assert.ok((await office.could('callback1', other)).includes('rework'));
});

test('an objection is read by the shift lead, and why it was rejected by the citizen', async () => {
    const t = await office.at('closed');
    const again = await office.at('closed');

    assert.ok((await citizen.follow(t)).body.may.includes('object'));
    assert.equal((await says(t, 'objection', { text: '夜里还在施工，没有解决。' })).status, 200);
    assert.equal((await office.question('leader1', t)).asked_by.role, 'CIT');
    const waits = async () => (await (await hotline.as('leader1')).get('/v1/desk/tickets?waits=decision')).body.tickets.filter((row) => row.id === t.id).map((row) => row.state);
    assert.deepEqual(await waits(), ['closed'], 'though closed, it is among what waits for the lead');
    await office.done('leader1', t, 'reject', { approval: (await office.question('leader1', t)).id, opinion: '经复核，已依法办理。' });
    assert.deepEqual(await waits(), []);
    assert.equal((await citizen.follow(t)).body.objection.opinion, '经复核，已依法办理。');
    assert.equal((await says(t, 'objection', { text: '夜里还在施工，没有解决。' })).body.code, 'objected_already');
    await says(again, 'objection', { text: '夜里还在施工，没有解决。' });
    const reopened = await office.done('leader1', again, 'approve', { approval: (await office.question('leader1', again)).id, opinion: '同意重办' });
    assert.deepEqual([reopened.state, reopened.assignment_state], ['pending_sign', 'pending_sign']);
    await office.bring(again, 'pending_sign', 'closed');
});

test('a refusal is objected to as well, once; where the objection stands the matter is accepted after all', async () => {
    const t = await office.filed();

    await office.done('acceptor1', t, 'refuse', { refuse_code: 'N02', told_text: '此事须经诉讼解决。' });
    assert.deepEqual((await citizen.follow(t)).body.may, ['object']);
    assert.equal((await says(t, 'objection', { text: '此事没有进入诉讼。' })).body.state, 'refused');
    assert.equal((await says(t, 'objection', { text: '此事没有进入诉讼。' })).body.code, 'already_asked');
    const again = await office.done('leader1', t, 'approve', { approval: (await office.question('leader1', t)).id, opinion: '请受理' });
    assert.equal(again.state, 'pending_accept');
    await office.bring(t, 'pending_accept', 'closed');
    assert.match(await office.story(t), /^T05 T10 ASK T71n T06 T18/);
    assert.match((await citizen.follow(t)).body.timeline.map((l) => l.text).join(), /异议成立，诉求重新受理/);
});

test('how often units looked at the number is the citizen\'s to know', async () => {
    const t = await office.at('handling');
    const handler = await hotline.as('st-gaj.h');

    assert.deepEqual((await citizen.follow(t)).body.reveals, []);
    for (const purpose of ['联系诉求人', '再次联系'])
        assert.equal((await handler.post(`/v1/desk/tickets/${t.id}/reveal`, { purpose })).status, 200);
    assert.deepEqual((await citizen.follow(t)).body.reveals, [{ unit: '汕头市公安局', count: 2 }]);
});

test('two who merge two tickets into each other at once: one is told that it cannot be', async () => {
    const pairs = await Promise.all(Array.from({ length: 10 }, async (_, i) => {
        const phone = `1370013${String(8000 + i)}`;
        return [await office.filed({ phone }), await office.filed({ phone })];
    }));
    const merge = (a, b) => office.do('operator1', a, 'merge', { master: b.id, reason: '同一件事' });
    const answers = await Promise.all(pairs.map(([a, b]) => Promise.all([merge(a, b), merge(b, a)])));

    for (const [one, two] of answers)
        assert.deepEqual([one.status, two.status].sort(), [200, 422]);
    await until('each open one has heard of the other', async () => (await hotline.sql(
        "select count(*)::int as n from hotline.followup where from_ticket is not null"))[0].n === 10);
});

test('happy citizens are not asked twice', async () => {
    const t = await office.at('closed');

    assert.deepEqual((await citizen.follow(t)).body.may, ['object']);
    assert.equal((await says(t, 'rating', { resolved: 'no', sat_result: 'unsatisfied' })).body.code, 'rated_already');
    assert.equal((await office.read('leader1', t)).callbacks[0].sat_result, happy.sat_result);
});

// ---- what only time brings: an engine of its own, whose clock the test moves -------------------------------------------------

const later = await start();
const then = new Office(later);
const sim = (...args) => execFileSync(process.env.HOTLINECTL, ['sim', ...args], { encoding: 'utf8', env: { ...process.env,
    HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${later.database}` } });
const swept = async (moment) => {
    sim('set', moment);
    await until(`all that is due by ${moment} has happened`, async () =>
        (await later.sql('select swept_to >= $1::timestamptz as done from hotline.sweep', [moment]))[0]?.done, 30);
};

// Monday the fifth of March 2018, nine o'clock; sessions outlive what follows.
sim('on', '2018-03-05T09:00:00+08:00');
await later.sql("update hotline.setting set value = '90000' where name = 'session.hours'");
await later.engine.term();
await later.startEngine();

const moments = async (t) => (await later.sql(`select transition || ' ' || to_char(at at time zone 'Asia/Shanghai', 'MM-DD HH24:MI') as text
    from hotline.event where ticket_id = $1 order by n`, [t.id])).map((row) => row.text);

test('6: the unit ignores a ticket: deemed signed, yellow, red, and an order a workday later', async () => {
    const t = await then.at('pending_sign');
    const light = async () => (await then.read('leader1', t)).light;

    await swept('2018-03-07T00:00:00+08:00');
    assert.deepEqual((await moments(t)).at(-1), 'T31 03-06 23:59');
    await swept('2018-03-12T09:00:00+08:00');
    assert.equal(await light(), 'yellow');
    await swept('2018-03-13T00:00:00+08:00');
    assert.equal(await light(), 'red');
    await swept('2018-03-14T00:00:00+08:00');
    assert.deepEqual((await moments(t)).at(-1), 'T75 03-13 23:59');
    const { overlays, flags } = await then.read('st-gaj.a', t);
    assert.deepEqual(overlays.orders.map((o) => [o.cause, o.unit.short_name]), [['overdue', '市公安局']]);
    assert.ok(flags.includes('supervised'));
    await then.done('st-gaj.a', t, 'answer_supervision', { order: overlays.orders[0].id, text: '已约谈承办人，今日办结。' });
    await then.done('supervisor1', t, 'close_supervision', { order: overlays.orders[0].id, opinion: '请继续抓紧。' });
});

test('10: nobody answers three times: closed, not rated, and the coverage shows it; the link still rates', async () => {
    const t = await then.at('pending_callback');
    const figure = async (name) => (await (await then.hotline.as('leader1')).get('/v1/metrics/closure?from=2018-03-01&to=2018-04-01')).body.total.rates.satisfaction_coverage[name];

    for (const at of ['2018-03-14T10:00:00+08:00', '2018-03-14T15:00:00+08:00', '2018-03-15T10:00:00+08:00']) {
        sim('set', at);
        await then.done('callback1', t, 'callback_attempt', { outcome: 'no_answer' });
    }
    await swept('2018-03-18T10:00:00+08:00');
    assert.deepEqual((await moments(t)).at(-1), 'T67 03-18 10:00');
    assert.deepEqual([await figure('num'), await figure('den')], [0, 1]);
    sim('set', '2018-03-20T09:00:00+08:00');
    const rated = await later.citizen.post(`/v1/tickets/${t.number}/rating`, { resolved: 'yes', sat_result: 'satisfied' }, { headers: { 'X-Query-Code': t.query_code } });
    assert.equal(rated.status, 200, rated.text);
    assert.deepEqual([await figure('num'), await figure('den')], [1, 1]);
});

test('facts that never come close the ticket after two reminders; within thirty days they reopen it', async () => {
    const t = await then.at('handling');

    await then.done('st-gaj.h', t, 'request_supplement', { missing_items: ['工地的门牌号'] });
    await swept('2018-03-24T00:00:00+08:00');
    assert.deepEqual((await moments(t)).slice(-3).map((text) => text.slice(0, 4).trim()), ['T09m', 'T09m', 'T09']);
    const closed = (await later.citizen.follow(t)).body;
    assert.deepEqual([closed.state, closed.may], ['closed', ['object']]);
    const objected = await later.citizen.post(`/v1/tickets/${t.number}/objection`, { text: '门牌号是金砂路 100 号。' }, { headers: { 'X-Query-Code': t.query_code } });
    assert.equal(objected.body.state, 'pending_dispatch', objected.text);
});

test('16: the month closes while 2,365 tickets are open: the rates by cohort and by due day differ, and both are printed', async () => {
    sim('set', '2018-04-02T09:00:00+08:00');
    // What 110 hands over in one morning: accepted at once, waiting for a dispatcher.
    await later.sql(`select count(a) from generate_series(1, 2363) n cross join lateral api.receive_from_110(jsonb_build_object(
        'external_id', 'M' || n, 'type', 'complaint', 'title', '占道经营', 'content', '夜市占道经营，第 ' || n || ' 件。', 'at', '2018-04-02T09:00:00+08:00')) a`);
    const [one, two, three, replied, forgotten] = await Promise.all(Array.from({ length: 5 }, () => then.at('contacted')));
    for (const t of [one, two, three])
        await then.bring(t, 'contacted', 'closed');
    await then.bring(replied, 'contacted', 'pending_callback');
    await swept('2018-05-01T00:00:00+08:00');

    const { body } = await (await later.as('leader1')).get('/v1/metrics/closure?from=2018-04-01&to=2018-05-01');
    const { rates, counts } = body.total;
    assert.equal((await later.sql('select count(*)::int as n from hotline.ticket where state < 70 and accepted_at >= $1', ['2018-04-01T00:00:00+08:00']))[0].n, 2365);
    assert.equal(counts.accepted, 2368);
    assert.deepEqual([rates.closure_rate_cohort.num, rates.closure_rate_cohort.den], [3, 2368], 'closed, of those accepted');
    assert.deepEqual([rates.closure_rate_due.num, rates.closure_rate_due.den], [4, 5], 'answered and accepted, of those whose day fell into the month');
    assert.notEqual(rates.closure_rate_cohort.rate, rates.closure_rate_due.rate);
    assert.ok(body.snapshot_at >= '2018-05-01', 'as of when is printed beside them');
    assert.equal((await then.read('leader1', forgotten)).light, 'deep_red');
    // What is closed after the month still moves the cohort's rate, and not the other.
    await then.bring(replied, 'pending_callback', 'closed');
    const after = (await (await later.as('leader1')).get('/v1/metrics/closure?from=2018-04-01&to=2018-05-01')).body.total.rates;
    assert.deepEqual([after.closure_rate_cohort.num, after.closure_rate_due.num], [4, 4]);
});
