// The people of the demonstration, and what each of them does to a complaint on its way.

import assert from 'node:assert/strict';

// Words that fit no entry of the dispatch directory: a person chooses the unit.
export const plain = { title: '一件小事', content: '这件事情不大，请了解一下，谢谢。' };
export const reply = {
    result: 'resolved',
    fact_finding: 'true',
    content: '经现场核查，反映情况属实，已要求责任单位当场整改，并安排人员每日巡查，防止再次发生。',
    measures: '当场整改，每日巡查',
    public_text: '反映情况属实，已整改，今后每日巡查。',
};
export const happy = { contacted_by_unit: true, resolved: 'yes', sat_process: 'satisfied', sat_result: 'very_satisfied' };
export const unhappy = { contacted_by_unit: true, resolved: 'no', sat_process: 'satisfied', sat_result: 'unsatisfied' };
export const rework = { ...unhappy, rework_reason: '夜里仍在施工', must_do: ['再到现场一次', '书面答复'] };

// Who takes the next step from a state, and with what.
const steps = {
    pending_accept: ['acceptor1', 'accept', { title: plain.title, category: '010501', division: '440507' }],
    pending_dispatch: ['dispatcher1', 'dispatch', { main_unit: 'ST-GAJ', instruction: '请依法处理并答复诉求人。' }],
    pending_sign: ['st-gaj.d', 'sign', {}],
    handling: ['st-gaj.h', 'first_contact', { contacted: true, way: 'phone' }],
    contacted: ['st-gaj.h', 'submit_reply', reply],
    unit_approval: ['st-gaj.a', 'unit_approve', { opinion: '同意' }],
    pending_audit: ['auditor1', 'audit_pass', { quality_score: 90 }],
    pending_callback: ['callback1', 'callback_attempt', { outcome: 'connected' }],
    reached: ['callback1', 'callback_ok', happy],
};
const order = [...Object.keys(steps), 'closed'];

export class Office {
    constructor(hotline) {
        this.hotline = hotline;
    }

    // One action by its doer's name; the version is left out unless the test gives one.
    async do(login, ticket, action, inputs = {}, options) {
        const staff = await this.hotline.as(login);
        const { main_unit: unit, ...rest } = inputs;
        const whole = unit ? { ...rest, main_unit: await this.unit(unit) } : rest;

        return staff.post(`/v1/desk/tickets/${ticket.id}/actions`, { action, ...whole }, options);
    }

    // The same, and it must succeed.
    async done(login, ticket, action, inputs, options) {
        const answer = await this.do(login, ticket, action, inputs, options);

        assert.equal(answer.status, 200, `${login} ${action}: ${answer.text}`);
        return answer.body;
    }

    async unit(code) {
        if (typeof code !== 'string')
            return code;
        const [{ id }] = await this.hotline.sql('select id from hotline.unit where code = $1', [code]);
        return id;
    }

    // A complaint as its citizen has it, with the id that the staff knows.
    async filed(change, options) {
        const answer = await this.hotline.citizen.submit({ ...plain, ...change }, options);

        assert.equal(answer.status, 201, answer.text);
        const [{ id }] = await this.hotline.sql('select ticket_id::text as id from hotline.ticket_ref where ticket_no = $1', [answer.body.number]);
        return { ...answer.body, id };
    }

    // A complaint brought to where the story begins: pending_accept … closed.
    async at(state, change) {
        const ticket = await this.filed(change);
        return this.bring(ticket, 'pending_accept', state);
    }

    async bring(ticket, from, to) {
        for (const at of order.slice(order.indexOf(from), order.indexOf(to)))
            ticket.last = await this.done(steps[at][0], ticket, steps[at][1], steps[at][2]);
        return ticket;
    }

    async read(login, ticket) {
        return (await (await this.hotline.as(login)).get(`/v1/desk/tickets/${ticket.id}`)).body;
    }

    // The transitions of a ticket so far, in words: T05 T06 …
    async story(ticket) {
        const rows = await this.hotline.sql('select transition from hotline.event where ticket_id = $1 order by n', [ticket.id]);
        return rows.map((row) => row.transition).join(' ');
    }

    // What this person could do with it now.
    async could(login, ticket) {
        const { body } = await (await this.hotline.as(login)).get(`/v1/desk/tickets/${ticket.id}/actions`);
        return body.actions?.map((a) => a.action) ?? body.code;
    }

    // The one question that waits for a decision.
    async question(login, ticket) {
        const { approvals } = await this.read(login, ticket);
        return approvals.find((a) => a.verdict === null);
    }
}
