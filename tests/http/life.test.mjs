// The life of a complaint through every role, and what none of them may do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { key, start } from './harness.mjs';
import { Office, happy, plain, reply, rework, unhappy } from './office.mjs';

const hotline = await start();
const { citizen } = hotline;
const office = new Office(hotline);
const refused = (answer, status, code) => {
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.body.code, code, answer.text);
};
const events_of = async (ticket) => (await hotline.sql('select count(*)::int as n from hotline.event where ticket_id = $1', [ticket.id]))[0].n;

test('from the citizen through seven hands and back to the citizen', async () => {
    const t = await office.at('closed');
    const whole = await office.read('leader1', t);

    assert.equal(await office.story(t), 'T05 T06 T18 T30 T43 T52 T53 T60 T63 T64');
    assert.equal(whole.state, 'closed');
    assert.equal(whole.close_kind, 'resolved');
    assert.deepEqual(whole.events.map((e) => e.n), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.deepEqual(whole.events.map((e) => e.actor.role), ['CIT', 'ACC', 'DSP', 'UDP', 'UHD', 'UHD', 'UAP', 'AUD', 'CBK', 'CBK']);
    assert.ok(whole.clocks.every((c) => c.met_at || c.stopped_at), 'no clock runs on');
    assert.equal(whole.promise_state, 'kept');
    const seen = (await citizen.follow(t)).body;
    assert.equal(seen.state, 'closed');
    assert.equal(seen.reply, reply.content);
    assert.equal(seen.unit, '汕头市公安局');
    assert.match(seen.timeline.at(-1).text, /已办结/);
    assert.ok(!JSON.stringify(seen).includes(reply.measures), 'internal notes stay inside');
});

// What brings a ticket on, among all that somebody could do with it.
const steps = new Set(['first_contact', 'submit_reply', 'unit_approve', 'unit_reject', 'sign', 'dispatch', 'audit_pass', 'callback_ok']);
const onward = async (login, ticket) => (await office.could(login, ticket)).filter((action) => steps.has(action));

test('each of them is offered what would succeed, and nothing else', async () => {
    const t = await office.at('handling');

    assert.deepEqual(await onward('st-gaj.h', t), ['first_contact']); // no reply before the first contact
    assert.deepEqual(await onward('st-gaj.d', t), []);
    assert.deepEqual(await onward('dispatcher1', t), []);
    await office.bring(t, 'handling', 'contacted');
    assert.deepEqual(await onward('st-gaj.h', t), ['first_contact', 'submit_reply']);
    await office.bring(t, 'contacted', 'unit_approval');
    assert.deepEqual(await onward('st-gaj.a', t), ['unit_approve', 'unit_reject']);
    assert.deepEqual(await onward('st-gaj.h', t), []);
    assert.deepEqual((await office.could('callback1', await office.at('pending_callback'))).filter((a) => a === 'callback_ok'), []);
});

test('an operator writes down a call: a draft, a duplicate check, and off it goes', async () => {
    const operator = await hotline.as('operator1');
    const { body: t, status } = await operator.post('/v1/desk/tickets', { channel: 'phone', phone: '13800138001', title: '来电', content: '来电人说了一件事情。' });
    const inputs = { ...plain, type: 'complaint', category: '010501', division: '440507', urgency: 'normal', secrecy: 0, reply_wanted: true, publish: 'not_asked', readback: true };

    assert.equal(status, 201);
    assert.equal(t.state, 'draft');
    await office.done('operator1', t, 'save_draft', { title: '来电人反映', address: '金砂路' });
    const unchecked = await office.do('operator1', t, 'submit', { ...inputs, dup_check: t.id });
    assert.deepEqual(unchecked.body.fields.map((f) => `${f.name} ${f.code}`), ['dup_check no_dup_check']);
    const { body: checked } = await operator.post(`/v1/desk/tickets/${t.id}/dup-check`, {});
    const unread = await office.do('operator1', t, 'submit', { ...inputs, readback: false, dup_check: checked.dup_check });
    assert.deepEqual(unread.body.fields.map((f) => f.name), ['readback']);
    const sent = await office.done('operator1', t, 'submit', { ...inputs, dup_check: checked.dup_check });
    assert.equal(sent.state, 'pending_dispatch');
    assert.equal(sent.query_code, t.query_code);
    assert.equal((await citizen.follow(sent)).body.state, 'pending_dispatch');
    assert.equal(await office.story(t), 'T01 T02 T04');
});

test('the duplicate check finds the earlier complaint of the same caller and of the same place', async () => {
    const operator = await hotline.as('operator1');
    const words = { title: '华山路口的红绿灯坏了', content: '华山路口的红绿灯坏了两天，车辆很多，非常危险。' };
    const earlier = await office.filed({ ...words, phone: '13800138111', division: '440507' });
    const { body: t } = await operator.post('/v1/desk/tickets', { channel: 'phone', phone: '13800138111', ...words, division: '440507' });
    const { body: other } = await operator.post('/v1/desk/tickets', { channel: 'phone', phone: '13900139222', ...words, division: '440507' });
    const hits = async (id) => (await operator.post(`/v1/desk/tickets/${id}/dup-check`, {})).body.hits.find((h) => h.number === earlier.number);

    assert.equal((await hits(t.id)).why, 'same caller');
    assert.equal((await hits(other.id)).why, 'same place');
    assert.ok((await hits(other.id)).similarity > 0.8);
});

test('a duplicate check repeated under its key is the same check', async () => {
    const operator = await hotline.as('operator1');
    const { body: t } = await operator.post('/v1/desk/tickets', { channel: 'phone', ...plain });
    const same = { headers: { 'Idempotency-Key': key() } };
    const [a, b] = [await operator.post(`/v1/desk/tickets/${t.id}/dup-check`, {}, same), await operator.post(`/v1/desk/tickets/${t.id}/dup-check`, {}, same)];

    assert.equal(a.body.dup_check, b.body.dup_check);
    assert.notEqual((await operator.post(`/v1/desk/tickets/${t.id}/dup-check`, {})).body.dup_check, a.body.dup_check);
});

test('another\'s draft is not to be touched', async () => {
    const operator = await hotline.as('operator1');
    const { body: t } = await operator.post('/v1/desk/tickets', { channel: 'phone' });

    refused(await office.do('operator2', t, 'save_draft', { title: '改一改' }), 404, 'no_such_ticket');
    assert.equal((await (await hotline.as('operator2')).get('/v1/desk/tickets?state=draft')).body.tickets.some((row) => row.id === t.id), false);
    assert.equal((await operator.get('/v1/desk/tickets?state=draft&mine=1')).body.tickets.some((row) => row.id === t.id), true);
});

test('what the directory knows for certain is dispatched by itself', async () => {
    const t = await office.filed({ title: '夜间施工噪声', content: '工地夜间施工，打桩声很大，半夜施工扰民。', division: '440507' });
    const accepted = await office.done('acceptor1', t, 'accept', { title: '夜间施工噪声扰民', category: '030402', division: '440507' });
    const whole = await office.read('dispatcher1', t);

    assert.equal(accepted.state, 'pending_sign');
    assert.equal(await office.story(t), 'T05 T06 T18');
    assert.equal(whole.events.at(-1).actor.role, 'SYS');
    assert.match(whole.assignments[0].instruction, /自动派单.*施工噪声/);
    assert.match(whole.unit.name, /龙湖区/);
    assert.equal(whole.route.candidates[0].auto, true);
});

test('a department\'s duty is not handed to a street', async () => {
    const t = await office.filed();
    await office.done('acceptor1', t, 'accept', { title: plain.title, category: '070101', division: '440507' });
    const [street] = await hotline.sql('select id from hotline.unit where grassroots order by id limit 1');

    refused(await office.do('dispatcher1', t, 'dispatch', { main_unit: street.id, instruction: '请处理' }), 422, 'department_duty');
    refused(await office.do('dispatcher1', t, 'dispatch', { main_unit: 1, instruction: '请处理' }), 422, 'bad_inputs');
});

test('a question may be answered on the spot, a complaint may not', async () => {
    const answer = { category: '020401', answer_text: '请携带身份证到区住建局窗口办理。', no_kb_reason: '知识库暂无此条', appellant_ack: true };
    const question = await office.filed({ type: 'consult' });
    const complaint = await office.filed();

    refused(await office.do('acceptor1', complaint, 'answer_on_spot', answer), 422, 'type_not_answerable');
    refused(await office.do('acceptor1', question, 'answer_on_spot', { ...answer, appellant_ack: false }), 422, 'bad_inputs');
    refused(await office.do('acceptor1', question, 'answer_on_spot', { ...answer, no_kb_reason: undefined }), 422, 'bad_inputs');
    assert.equal((await office.done('acceptor1', question, 'answer_on_spot', answer)).state, 'closed');
    assert.match((await citizen.follow(question)).body.answer, /区住建局/);
    assert.equal(await office.story(question), 'T05 T03');
});

test('some reasons to refuse need one person, some two', async () => {
    const told = { told_text: '此事请拨打 110。', alternative_channel: '110' };
    const simple = await office.filed();
    assert.equal((await office.done('acceptor1', simple, 'refuse', { refuse_code: 'N01', ...told })).state, 'refused');
    assert.match((await citizen.follow(simple)).body.answer, /110/);

    const grave = await office.filed();
    const asked = await office.done('acceptor1', grave, 'refuse', { refuse_code: 'N09', ...told });
    assert.equal(asked.state, 'pending_accept');
    refused(await office.do('acceptor1', grave, 'refuse', { refuse_code: 'N09', ...told }), 409, 'already_asked');
    const question = await office.question('leader1', grave);
    refused(await office.do('acceptor1', grave, 'approve', { approval: question.id, opinion: '同意' }), 403, 'forbidden');
    assert.deepEqual((await office.could('leader1', grave)).filter((a) => /approve|reject/.test(a)), ['approve', 'reject']);
    assert.equal((await office.done('leader1', grave, 'approve', { approval: question.id, opinion: '同意' })).state, 'refused');
    refused(await office.do('leader1', grave, 'approve', { approval: question.id, opinion: '同意' }), 409, 'not_open');
    assert.equal(await office.story(grave), 'T05 ASK T10');
});

test('a refusal that the leader does not countersign is none; silence is none either', async () => {
    const t = await office.filed();
    await office.done('acceptor1', t, 'refuse', { refuse_code: 'N10', told_text: '没有具体内容。' });
    const question = await office.question('leader1', t);

    assert.equal((await office.done('leader1', t, 'reject', { approval: question.id, opinion: '有具体内容，请受理' })).state, 'pending_accept');
    assert.equal((await office.read('leader1', t)).approvals[0].verdict, 'rejected');
    assert.equal((await office.done('acceptor1', t, 'accept', { title: plain.title, category: '010501', division: '440507' })).state, 'pending_dispatch');
    assert.equal(await office.story(t), 'T05 ASK REJECT T06');
});

test('who asks does not decide, in whatever role', async () => {
    await hotline.sql('insert into hotline.person_role (person_id, role) select id, \'LDR\' from hotline.person where login = \'acceptor1\'');
    const both = await hotline.signIn('acceptor1');
    const t = await office.filed();
    const post = (body) => both.post(`/v1/desk/tickets/${t.id}/actions`, body);

    assert.equal((await post({ action: 'refuse', refuse_code: 'N05', told_text: '涉及隐私，不能受理。' })).status, 200);
    const question = await office.question('leader1', t);
    refused(await post({ action: 'approve', approval: question.id, opinion: '同意' }), 403, 'same_person');
    await hotline.sql('delete from hotline.person_role r using hotline.person p where p.id = r.person_id and p.login = \'acceptor1\' and r.role = \'LDR\'');
});

test('a unit\'s approver sends the reply back; the handler writes a better one', async () => {
    const t = await office.at('unit_approval');

    assert.equal((await office.done('st-gaj.a', t, 'unit_reject', { opinion: '请补充现场情况' })).assignment_state, 'handling');
    await office.bring(t, 'contacted', 'pending_audit');
    const { replies } = await office.read('auditor1', t);
    assert.deepEqual(replies.map((r) => [r.version, r.verdict]), [[1, 'unit_rejected'], [2, 'approved']]);
});

test('who wrote a reply does not approve it', async () => {
    await hotline.sql('insert into hotline.person_role (person_id, role) select id, \'UAP\' from hotline.person where login = \'st-gaj.h\'');
    const both = await hotline.signIn('st-gaj.h');
    const t = await office.at('contacted');

    await office.done('st-gaj.h', t, 'submit_reply', reply);
    refused(await both.post(`/v1/desk/tickets/${t.id}/actions`, { action: 'unit_approve', opinion: '同意' }), 403, 'same_person');
    await hotline.sql('delete from hotline.person_role r using hotline.person p where p.id = r.person_id and p.login = \'st-gaj.h\' and r.role = \'UAP\'');
});

test('the auditor rejects a reply twice; the third time it is the supervisor\'s', async () => {
    const t = await office.at('pending_audit');
    const no = { reject_code: 'A2', comment: '没有写明措施' };

    for (let i = 0; i < 2; i++) {
        const sent = await office.done('auditor1', t, 'audit_reject', no);
        assert.deepEqual([sent.state, sent.assignment_state], ['handling', 'audit_rejected']);
        await office.bring(t, 'contacted', 'pending_audit');
    }
    refused(await office.do('auditor1', t, 'audit_reject', no), 403, 'supervisor_rejects');
    assert.ok(!(await office.could('auditor1', t)).includes('audit_reject'));
    assert.equal((await office.done('supervisor1', t, 'audit_reject', no)).state, 'handling');
    await office.bring(t, 'contacted', 'pending_callback');
    assert.deepEqual((await office.read('leader1', t)).replies.map((r) => r.verdict), ['rejected', 'rejected', 'rejected', 'passed']);
});

test('who dispatched a ticket does not audit it', async () => {
    await hotline.sql('insert into hotline.person_role (person_id, role) select id, \'AUD\' from hotline.person where login = \'dispatcher1\'');
    const both = await hotline.signIn('dispatcher1');
    const t = await office.at('pending_audit');

    refused(await both.post(`/v1/desk/tickets/${t.id}/actions`, { action: 'audit_pass', quality_score: 80 }), 403, 'dispatcher_cannot_audit');
    await hotline.sql('delete from hotline.person_role r using hotline.person p where p.id = r.person_id and p.login = \'dispatcher1\' and r.role = \'AUD\'');
});

test('an unsatisfied citizen gets rework when the leader agrees: the same unit, a new round', async () => {
    const t = await office.at('reached');

    refused(await office.do('callback1', t, 'callback_ok', unhappy), 422, 'citizen_not_satisfied');
    refused(await office.do('callback1', t, 'rework', { ...rework, ...happy }), 422, 'citizen_satisfied');
    assert.equal((await office.done('callback1', t, 'rework', rework)).state, 'pending_callback');
    const question = await office.question('leader1', t);
    assert.equal(question.kind, 'rework');
    const again = await office.done('leader1', t, 'approve', { approval: question.id, opinion: '同意重办' });
    assert.deepEqual([again.state, again.assignment_state], ['pending_sign', 'pending_sign']);
    const whole = await office.read('leader1', t);
    assert.equal(whole.round, 1);
    assert.deepEqual(whole.flags, ['rework']);
    assert.deepEqual(whole.assignments.map((a) => [a.round, a.state, a.policy]), [[0, 'done', 'H1'], [1, 'pending_sign', 'W1']]);
    assert.equal(whole.assignments[1].instruction, rework.must_do.join('\n'));
    await office.bring(t, 'pending_sign', 'closed');
    assert.equal(await office.story(t), 'T05 T06 T18 T30 T43 T52 T53 T60 T63 ASK T65 T30 T43 T52 T53 T60 T63 T64');
});

test('two rounds of rework are the most', async () => {
    const t = await office.at('reached');

    for (let i = 0; i < 2; i++) {
        await office.done('callback1', t, 'rework', rework);
        await office.done('leader1', t, 'approve', { approval: (await office.question('leader1', t)).id, opinion: '同意' });
        await office.bring(t, 'pending_sign', 'reached');
    }
    refused(await office.do('callback1', t, 'rework', rework), 409, 'rounds_used_up');
});

test('rework that the leader refuses ends, by the leader, as an unsatisfied closing', async () => {
    const t = await office.at('reached');
    const why = { why_no_rework: '诉求超出法定标准', legal_basis: '《物业管理条例》' };

    refused(await office.do('leader1', t, 'close_unsatisfied', why), 409, 'no_unsatisfied_verdict');
    await office.done('callback1', t, 'rework', rework);
    refused(await office.do('leader1', t, 'close_unsatisfied', why), 409, 'decision_open');
    await office.done('leader1', t, 'reject', { approval: (await office.question('leader1', t)).id, opinion: '已尽力办理' });
    refused(await office.do('callback1', t, 'close_unsatisfied', why), 403, 'forbidden');
    assert.equal((await office.done('leader1', t, 'close_unsatisfied', why)).state, 'closed');
    assert.equal((await office.read('leader1', t)).close_kind, 'unsat_closed');
    assert.equal(await office.story(t), 'T05 T06 T18 T30 T43 T52 T53 T60 T63 ASK REJECT T66');
});

test('who wants no reply is not called: passed by the auditor, closed in the same commit', async () => {
    for (const change of [{ reply_wanted: false }, { anonymous: true, phone: undefined }]) {
        const t = await office.at('pending_sign', change);
        await office.done('st-gaj.d', t, 'sign');
        await office.done('st-gaj.h', t, 'submit_reply', reply); // no first contact is asked for either
        await office.bring(t, 'unit_approval', 'pending_audit');

        assert.equal((await office.done('auditor1', t, 'audit_pass', { quality_score: 100 })).state, 'closed');
        assert.equal(await office.story(t), 'T05 T06 T18 T30 T52 T53 T60 T68');
    }
});

test('nobody is closed without having been reached', async () => {
    const t = await office.at('pending_callback');

    refused(await office.do('callback1', t, 'callback_ok', happy), 409, 'not_reached');
    await office.done('callback1', t, 'callback_attempt', { outcome: 'no_answer' });
    refused(await office.do('callback1', t, 'callback_ok', happy), 409, 'not_reached');
    await office.done('callback1', t, 'callback_attempt', { outcome: 'connected' });
    assert.equal((await office.done('callback1', t, 'callback_ok', happy)).state, 'closed');
});

test('a first contact that failed needs two attempts and a reason', async () => {
    const t = await office.at('handling');
    const failed = await office.do('st-gaj.h', t, 'first_contact', { contacted: false, way: 'phone' });

    assert.deepEqual(failed.body.fields.map((f) => f.name).sort(), ['attempts', 'fail_reason']);
    refused(await office.do('st-gaj.h', t, 'submit_reply', reply), 409, 'no_first_contact');
    await office.done('st-gaj.h', t, 'first_contact', { contacted: false, way: 'phone', attempts: 2, fail_reason: '无人接听' });
    await office.done('st-gaj.h', t, 'submit_reply', reply);
});

// ---- what none may do -------------------------------------------------------------------------------------------------

test('the same key twice is one event and one answer; another body under it is refused', async () => {
    const t = await office.at('pending_sign');
    const same = { headers: { 'Idempotency-Key': key() } };
    const before = await events_of(t);
    const first = await office.do('st-gaj.d', t, 'sign', {}, same);
    const second = await office.do('st-gaj.d', t, 'sign', {}, same);

    assert.deepEqual([first.status, second.status], [200, 200]);
    assert.deepEqual(second.body, first.body);
    assert.equal(await events_of(t), before + 1);
    refused(await office.do('st-gaj.d', t, 'sign', { version: 3 }, same), 422, 'key_reused');
});

test('ten repeats of one key at once are one event', async () => {
    const t = await office.at('handling');
    const same = { headers: { 'Idempotency-Key': key() } };
    const before = await events_of(t);
    const answers = await Promise.all(Array.from({ length: 10 }, () => office.do('st-gaj.h', t, 'first_contact', { contacted: true, way: 'visit' }, same)));

    assert.deepEqual(new Set(answers.map((a) => a.text)).size, 1, answers.map((a) => a.text).join('\n'));
    assert.equal(answers[0].status, 200);
    assert.equal(await events_of(t), before + 1);
});

test('the keys of two people do not meet', async () => {
    const [a, b] = [await office.at('pending_accept'), await office.at('pending_dispatch')];
    const same = { headers: { 'Idempotency-Key': key() } };

    await office.done('acceptor1', a, 'accept', { title: plain.title, category: '010501', division: '440507' }, same);
    await office.done('dispatcher1', b, 'dispatch', { main_unit: 'ST-GAJ', instruction: '请处理' }, same);
});

test('whoever read an older version is told the present one', async () => {
    const t = await office.at('pending_sign');
    const stale = await office.do('st-gaj.d', t, 'sign', { version: 1 });

    refused(stale, 409, 'stale_version');
    assert.deepEqual([stale.body.state, stale.body.version], ['pending_sign', t.last.version]);
    await office.done('st-gaj.d', t, 'sign', { version: t.last.version });
});

test('of two who act on the same version at once one succeeds', async () => {
    const t = await office.at('pending_dispatch');
    const inputs = { version: t.last.version, main_unit: await office.unit('ST-GAJ'), instruction: '请处理' };
    const answers = await Promise.all(['dispatcher1', 'dispatcher2'].map((who) => office.do(who, t, 'dispatch', inputs)));

    assert.deepEqual(answers.map((a) => a.status).sort(), [200, 409]);
    assert.equal(await office.story(t), 'T05 T06 T18');
});

test('what the state does not allow is a conflict that names the state', async () => {
    const t = await office.at('handling');
    const late = await office.do('acceptor1', t, 'accept', { title: plain.title, category: '010501', division: '440507' });

    refused(late, 409, 'not_allowed_now');
    assert.equal(late.body.state, 'handling');
    refused(await office.do('st-gaj.d', t, 'sign'), 409, 'not_allowed_now');
});

test('a role without the right is refused, a unit\'s ticket is unknown to another unit', async () => {
    const t = await office.at('pending_sign');

    refused(await office.do('auditor1', t, 'sign'), 403, 'forbidden');
    refused(await office.do('st-gaj.h', t, 'sign'), 403, 'forbidden');
    refused(await office.do('dispatcher1', t, 'sign'), 403, 'forbidden');
    for (const [method, path, body] of [['GET', ''], ['GET', '/actions'], ['POST', '/actions', { action: 'sign' }], ['POST', '/reveal', { purpose: '办案需要' }], ['POST', '/dup-check', {}]])
        refused(await (await hotline.as('st-jyj.d')).ask(method, `/v1/desk/tickets/${t.id}${path}`, { body }), 404, 'no_such_ticket');
    refused(await (await hotline.as('media1')).get(`/v1/desk/tickets/${t.id}`), 404, 'no_such_ticket');
    refused(await (await hotline.as('media1')).get('/v1/desk/tickets'), 403, 'forbidden');
    refused(await (await hotline.as('auditor1')).post('/v1/desk/tickets', { channel: 'phone' }), 403, 'forbidden');
});

test('what the system does by itself no person may do', async () => {
    const t = await office.at('pending_sign');

    for (const action of ['deemed_sign', 'audit_timeout', 'close_unreachable', 'close_waived', 'archive', 'lapse', 'submit_online', 'create_draft', 'ask'])
        assert.ok([403, 422].includes((await office.do('leader1', t, action)).status), action);
    assert.equal(await events_of(t), 3);
});

test('a refused action changes nothing at all', async () => {
    const t = await office.at('pending_sign');
    const before = await office.read('leader1', t);

    await office.do('auditor1', t, 'sign');
    await office.do('st-gaj.d', t, 'sign', { version: 1 });
    await office.do('st-gaj.d', t, 'sign', { handler: 'x' });
    await office.do('dispatcher1', t, 'dispatch', { main_unit: 1, instruction: '再派' });
    assert.deepEqual(await office.read('leader1', t), before);
});

// ---- many at once -------------------------------------------------------------------------------------------------------

test('many actions at once: each has its own result, in the order given', async () => {
    const dispatcher = await hotline.as('dispatcher1');
    const tickets = await Promise.all(Array.from({ length: 12 }, () => office.at('pending_dispatch')));
    const unit = await office.unit('ST-GAJ');
    const list = tickets.map((t) => ({ id: t.id, action: 'dispatch', main_unit: unit, instruction: '请处理' }));
    list[3] = { ...list[3], instruction: undefined };
    list[5] = { ...list[5], version: 1 };
    list[7] = { ...list[7], id: '4611686018427387904' };
    list[9] = { ...list[9], action: 'sign' };
    list[11] = { ...list[0] }; // again: it is no longer waiting
    const name = { headers: { 'Idempotency-Key': key() } };
    const { body } = await dispatcher.post('/v1/desk/actions', list, name);

    assert.deepEqual(body.results.map((r) => r.status), [200, 200, 200, 422, 200, 409, 200, 404, 200, 403, 200, 409]);
    assert.deepEqual(body.results.filter((r) => r.status === 200).map((r) => r.body.id), [0, 1, 2, 4, 6, 8, 10].map((i) => tickets[i].id));
    const again = await dispatcher.post('/v1/desk/actions', list, name);
    assert.deepEqual(again.body.results.filter((r) => r.status === 200), body.results.filter((r) => r.status === 200));
    assert.equal(await events_of(tickets[0]), 3);
});

test('two hundred at once are done, and so are their repeats', async () => {
    const t = await office.at('handling');
    const handler = await hotline.as('st-gaj.h');
    const list = Array.from({ length: 200 }, (_, i) => ({ id: t.id, action: 'first_contact', contacted: true, way: i % 2 ? 'phone' : 'visit' }));
    const name = { headers: { 'Idempotency-Key': key() } };
    const before = await events_of(t);

    for (let i = 0; i < 2; i++) {
        const { body } = await handler.post('/v1/desk/actions', list, name);
        assert.ok(body.results.every((r) => r.status === 200));
        assert.deepEqual(body.results.map((r) => r.body.version), Array.from({ length: 200 }, (_, k) => t.last.version + 1 + k));
    }
    assert.equal(await events_of(t), before + 200);
});

test('bulks that touch the same tickets in opposite orders all end', async () => {
    const handler = await hotline.as('st-gaj.h');
    const tickets = await Promise.all(Array.from({ length: 8 }, () => office.at('handling')));
    const list = tickets.map((t) => ({ id: t.id, action: 'first_contact', contacted: true, way: 'phone' }));
    const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => handler.post('/v1/desk/actions', i % 2 ? list : list.toReversed())));

    for (const answer of answers)
        assert.ok(answer.body.results.every((r) => r.status === 200), answer.text.slice(0, 300));
    assert.doesNotMatch(hotline.engine.said(), /level=error/);
});
