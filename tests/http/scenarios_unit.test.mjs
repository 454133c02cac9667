// The acceptance scenarios of the dispatch side and the unit's side, told as the table tells them: given, then.  A simulation's clock is the
// test's, so that days pass.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { start, until } from './harness.mjs';
import { happy, Office, reply } from './office.mjs';

const hotline = await start();
const office = new Office(hotline);
const sim = (...args) => execFileSync(process.env.HOTLINECTL, ['sim', ...args], { encoding: 'utf8', env: { ...process.env,
    HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` } });

// Sessions outlive the months that pass.
sim('on', '2026-02-13T16:00:00+08:00');
await hotline.sql("update hotline.setting set value = '90000' where name = 'session.hours'");
await hotline.engine.term();
await hotline.startEngine();

const at = (moment) => sim('set', moment + '+08:00');
const swept = async (moment) => {
    at(moment);
    await until(`all that is due by ${moment} has happened`, async () =>
        (await hotline.sql('select swept_to >= $1::timestamptz as done from hotline.sweep', [moment + '+08:00']))[0]?.done, 30);
};
const clock = (ticket, kind) => ticket.clocks.filter((k) => k.kind === kind && !k.met_at && !k.stopped_at).map((k) => k.due_at.slice(0, 10)).join();
const at_minute = (ticket, kind) => ticket.clocks.find((k) => k.kind === kind).due_at.slice(0, 16).replace('T', ' ');
const rate = async (name) => (await (await hotline.as('leader1')).get('/v1/metrics/closure?from=2026-01-01&to=2027-01-01')).body.total.rates[name];
const refused = (answer, status, code) => assert.deepEqual([answer.status, answer.body.code], [status, code], answer.text);
const decide = async (login, ticket, verdict = 'approve') => {
    const question = await office.question('leader1', ticket);
    return office.done(login, ticket, verdict, { approval: question.id, opinion: '情况属实' });
};
const returning = { return_code: 'R01', legal_basis: '市容环境卫生管理条例', explain: '不属本单位执法权限。' };
const gives_back = async (unit, ticket, suggested) => {
    await office.done(`${unit}.d`, ticket, 'request_return', { ...returning, suggested_unit: await office.unit(suggested) });
    return decide(`${unit}.a`, ticket);
};

test('14: Friday, four o\'clock, before Spring Festival: five workdays end after it, nobody is late for the holiday', async () => {
    const t = await office.at('pending_sign');
    let whole = await office.read('leader1', t);

    assert.equal(at_minute(whole, 'sign'), '2026-02-14 23:59', 'the Saturday is worked');
    assert.equal(at_minute(whole, 'unit'), '2026-02-27 23:59', '15 to 23 February are off');
    assert.equal(whole.promise_due_at, '2026-03-05T23:59:59+08:00', 'and the Saturday after it is worked');
    at('2026-02-13T16:30:00');
    const question = await office.at('pending_dispatch', { type: 'consult' });
    assert.equal(at_minute(await office.read('leader1', question), 'dispatch'), '2026-02-14 09:30', 'an hour on Friday, an hour on Saturday');
    await office.done('st-gaj.d', t, 'sign');
    await swept('2026-02-23T12:00:00');
    whole = await office.read('leader1', t);
    assert.equal(whole.light, 'green', 'the matter has its time');
    assert.equal(whole.clocks.find((k) => k.kind === 'contact').breached_at, '2026-02-14T23:59:59+08:00', 'but the citizen was to be called on Saturday');
    await office.done('st-gaj.h', t, 'first_contact', { contacted: true, way: 'phone' });
    await swept('2026-02-27T12:00:00');
    assert.equal((await office.read('leader1', t)).light, 'yellow');
    await office.bring(t, 'contacted', 'closed');
    const done = await office.read('leader1', t);
    assert.equal(done.clocks.find((k) => k.kind === 'unit').breached_at, null);
    assert.equal(done.promise_state, 'kept');
    await office.done('dispatcher1', question, 'dispatch', { main_unit: 'ST-GAJ', instruction: '请答复。' });
    await office.bring(question, 'pending_sign', 'closed');
    await swept('2026-03-02T10:00:00');
});

test('4: a street returns what it may not enforce and names the bureau: not charged, the directory is looked at, the promise runs on', async () => {
    const [street] = await hotline.sql("select id, code from hotline.unit where code = 'ST-440507001'");
    const [{ code }] = await hotline.sql("select min(code) as code from hotline.category where scheme = 'local' and level = 3 and not hotline.is_department_duty(id)");
    const t = await office.filed();
    await office.done('acceptor1', t, 'accept', { title: '占道经营', category: code, division: '440507' });
    const promised = (await office.read('leader1', t)).promise_due_at;
    const before = await rate('return_rate');

    await office.done('dispatcher1', t, 'dispatch', { main_unit: street.id, instruction: '请处理占道经营。' });
    refused(await office.do('st-440507001.d', t, 'request_return', { ...returning, legal_basis: undefined }), 422, 'bad_inputs');
    refused(await office.do('st-440507001.d', t, 'request_return', returning), 422, 'bad_inputs');
    const asked = await gives_back('st-440507001', t, 'ST-CGJ');
    assert.deepEqual([asked.state, asked.assignment_state], ['return_review', 'return_req']);
    assert.equal(clock(await office.read('leader1', t), 'unit'), '2026-03-09', 'the unit clock is not paused');
    at('2026-03-02T11:00:00');
    const granted = await office.done('auditor1', t, 'approve_return', { blame: 'directory' });
    assert.equal(granted.state, 'pending_dispatch');
    assert.equal(await office.story(t), 'T05 T06 T18 ASK T32 T33');

    at('2026-03-05T10:00:00');
    await office.done('dispatcher1', t, 'dispatch', { main_unit: 'ST-CGJ', instruction: '请依法处理。' });
    const whole = await office.read('leader1', t);
    assert.equal(clock(whole, 'unit'), '2026-03-12', 'the next unit has its full time');
    assert.equal(whole.promise_due_at, promised, 'and the citizen the promise that was made');
    assert.deepEqual(whole.assignments.map((a) => a.state), ['returned', 'pending_sign']);
    assert.deepEqual(whole.overlays.returns.map((r) => [r.unit.short_name, r.code, r.suggested_unit.short_name, r.verdict, r.blame]),
        [[whole.assignments[0].unit.short_name, 'R01', '市城管局', 'approved', 'directory']]);
    assert.deepEqual(await hotline.sql('select blame, done_at from hotline.directory_feedback where ticket_id = $1', [t.id]), [{ blame: 'directory', done_at: null }]);
    await swept('2026-03-10T00:00:00');
    assert.equal((await hotline.sql("select count(*)::int as n from hotline.fact_delta where ticket_id = $1 and unit_id = $2 and fact in ('due', 'sign_due')", [t.id, street.id]))[0].n, 0);
    const after = await rate('return_rate');
    assert.deepEqual([after.num - before.num, after.den - before.den], [1, 2], 'one return asked for, two dispatches');
    assert.equal((await hotline.citizen.follow(t)).body.unit, '汕头市城市管理和综合执法局');
});

test('5: two units return it: a consultation within a workday, and who is decided on may not return it', async () => {
    at('2026-03-11T10:00:00');
    const t = await office.at('pending_sign');

    await gives_back('st-gaj', t, 'ST-CGJ');
    await office.done('leader1', t, 'approve_return', { blame: 'dispatcher' });
    await office.done('dispatcher1', t, 'dispatch', { main_unit: 'ST-JJZD', instruction: '请办理。' });
    await gives_back('st-jjzd', t, 'ST-CGJ');
    await office.done('auditor1', t, 'approve_return', { blame: 'facts' });
    let whole = await office.read('leader1', t);
    assert.equal(whole.state, 'in_consultation');
    assert.match(await office.story(t), /T33 T36$/);
    assert.equal(clock(whole, 'consultation'), '2026-03-12');
    assert.deepEqual(whole.overlays.consultations[0].participants.map((u) => u.short_name).sort(), ['市交警支队', '市公安局', '市城管局'].sort());

    const decision = { main_unit: 'ST-CGJ', legal_basis: '市政府令第 5 号', decision_text: '由市城管局主办。' };
    refused(await office.do('leader1', t, 'decide', decision), 422, 'bad_inputs');
    await office.done('leader1', t, 'decide', { ...decision, opinions: ['市公安局：不属本局职责', '市交警支队：不属道路', '市城管局：同意承办'] });
    whole = await office.read('leader1', t);
    assert.deepEqual([whole.state, whole.unit.short_name, whole.assignments.at(-1).forbid_return], ['pending_sign', '市城管局', true]);
    refused(await office.do('st-cgj.d', t, 'request_return', { ...returning, suggested_unit: await office.unit('ST-GAJ') }), 409, 'return_forbidden');

    // The next one of the category: the dispatcher reads what was decided.
    const next = await office.at('pending_dispatch');
    assert.deepEqual((await office.read('dispatcher1', next)).overlays.precedents.map((p) => [p.unit.short_name, p.decision, p.ticket]), [['市城管局', '由市城管局主办。', t.id]]);
});

test('7: illegal construction, sixty days by law: an extension with its legal basis, or a suspension; the citizen is told; not late', async () => {
    at('2026-03-16T10:00:00');
    const longer = await office.at('contacted');
    const paused = await office.at('contacted');
    const ask = { ext_code: 'statutory', new_due: '2026-06-17T23:59:59+08:00', measures: '已立案，进入公告程序', told_citizen: true };

    refused(await office.do('st-gaj.d', longer, 'request_extension', ask), 422, 'bad_inputs');
    refused(await office.do('st-gaj.d', longer, 'request_extension', { ...ask, legal_basis: '城乡规划法第六十八条', told_citizen: false }), 422, 'bad_inputs');
    await office.done('st-gaj.d', longer, 'request_extension', { ...ask, legal_basis: '城乡规划法第六十八条' });
    await decide('st-gaj.a', longer);
    refused(await office.do('leader1', longer, 'approve_extension', { opinion: '同意' }), 403, 'forbidden');
    await office.done('supervisor1', longer, 'approve_extension', { opinion: '依法办理' });
    assert.match((await hotline.citizen.follow(longer)).body.timeline.at(-1).text, /延长/);

    await office.done('st-gaj.d', paused, 'request_suspend', { pause_code: 'pause_3', until: '2026-06-01T09:00:00+08:00', evidence: '公告', legal_basis: '城乡规划法第六十八条' });
    await decide('st-gaj.a', paused);
    assert.equal((await decide('leader1', paused)).light, 'blue');
    assert.equal((await hotline.citizen.follow(paused)).body.promise_state, 'statutory');

    await swept('2026-06-01T10:00:00');
    assert.equal((await office.read('leader1', longer)).light, 'green');
    const resumed = await office.read('leader1', paused);
    assert.equal(resumed.state, 'handling', 'it goes on by itself when the term is over');
    for (const t of [longer, paused]) {
        await office.bring(t, 'contacted', 'closed');
        const done = (await office.read('leader1', t)).clocks.find((k) => k.kind === 'unit');
        assert.equal(done.breached_at, null, 'not late');
    }
});

test('8: a reply that says "passed to the department" says nothing: rejected as A2', async () => {
    const t = await office.at('contacted');
    const empty = { ...reply, content: '您反映的问题我单位高度重视，已转相关部门处理，感谢您的理解和支持。', measures: '已转相关部门' };

    await office.done('st-gaj.h', t, 'submit_reply', empty);
    await office.done('st-gaj.a', t, 'unit_approve', { opinion: '同意' });
    const sent = await office.done('auditor1', t, 'audit_reject', { reject_code: 'A2', comment: '没有措施' });
    assert.deepEqual([sent.state, sent.assignment_state], ['handling', 'audit_rejected']);
    assert.equal((await office.read('leader1', t)).replies[0].reject_code, 'A2');
});

test('the unit works with others: a section below, a bureau beside it, and what each of them did is there to read', async () => {
    const t = await office.at('contacted');
    const co = await office.unit('ST-FGJ');

    const due = (await office.read('leader1', t)).assignments[0].unit_due_at;
    await office.done('st-gaj.h', t, 'request_co_unit', { unit: co, question: '请说明该项目的审批情况。' });
    assert.deepEqual((await office.could('dispatcher1', t)).filter((a) => /approve|reject/.test(a)), ['approve', 'reject']);
    await decide('dispatcher1', t);
    await office.done('st-fgj.h', t, 'co_reply', { opinion: '该项目已依法审批。' });
    await office.bring(t, 'contacted', 'pending_audit');
    const whole = await office.read('auditor1', t);
    assert.deepEqual(whole.overlays.parts.map((p) => [p.role, p.unit.short_name, p.state, p.due_at, p.content]), [['co', '市发展改革局', 'replied', due, '该项目已依法审批。']]);
});

test('what cannot be solved for now is parked with a plan, turns yellow when nobody reports, and is called back when it is over', async () => {
    at('2027-01-04T10:00:00');
    const t = await office.at('contacted');
    const plan = { obstacle_code: 'funding', plan: '列入明年改造计划', milestones: ['立项', '开工'], responsible_leader: '陈局长', next_review: '2027-03-01T09:00:00+08:00', told_citizen: true };

    refused(await office.do('st-gaj.d', t, 'request_park', plan), 409, 'extension_first');
    await office.done('leader1', t, 'waive_extension', { reason: '延期无助于解决' });
    await office.done('st-gaj.d', t, 'request_park', plan);
    await decide('st-gaj.a', t);
    assert.deepEqual([(await decide('supervisor1', t)).state, (await office.read('leader1', t)).light], ['parked', 'blue']);
    assert.deepEqual(await office.could('st-gaj.h', t), ['park_progress', 'watch']);
    await swept('2027-02-10T09:00:00');
    assert.equal((await office.read('leader1', t)).light, 'yellow');
    await office.done('st-gaj.h', t, 'park_progress', { text: '已完成立项。', milestone_state: '立项完成' });
    assert.equal((await office.read('leader1', t)).light, 'blue');
    await office.done('st-gaj.d', t, 'unpark', { evidence: '已开工' });
    await decide('st-gaj.a', t);
    await decide('supervisor1', t);
    await office.bring(t, 'contacted', 'closed');
    assert.equal((await office.read('leader1', t)).callbacks[0].sat_result, happy.sat_result);
});

test('nothing of all this is wrong with any ticket, and every figure is what the events say', async () => {
    assert.deepEqual(await hotline.sql('select * from hotline.check_invariants()'), []);
    assert.deepEqual(await hotline.sql('select problem, what, key, expected, found from hotline.metrics_verify()'), []);
});
