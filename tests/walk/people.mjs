// Who would do what next to a ticket: a choice by chance, leaning towards what moves it on.

const OWN_WORDS = ['unit_approve', 'approve_return', 'approve_extension'];

const leaning = {
    submit: 8, accept: 8, dispatch: 6, sign: 6, first_contact: 5, submit_reply: 5, unit_approve: 7, unit_reject: 1.5, audit_pass: 5, audit_reject: 1.5,
    callback_attempt: 4, callback_ok: 4, decide: 6, claim: 1, unclaim: 1.5, dispatch_to_district: 0.7, open_consultation: 0.6, send_back_to_intake: 0.4,
    amend: 0.7, redispatch: 0.5, request_return: 2.2, approve_return: 4, reject_return: 3, reopen_return: 0.6, sub_dispatch: 1.5, sub_sign: 6, sub_reply: 3,
    sub_return: 1, request_co_unit: 1, co_reply: 3, change_main: 1.2, progress_note: 0.8, request_extension: 1.3, approve_extension: 5,
    reject_extension: 1.2, request_suspend: 1.2, resume: 0.7, waive_extension: 0.4, request_park: 1.5, park_progress: 1, unpark: 1.2,
    request_terminate: 0.3, rework: 1.2, close_unsatisfied: 1.5, flag_integrity: 0.5, request_supplement: 0.5, supplement: 4, urgent_transfer: 0.06,
    urgent_part: 0.1, followup: 0.7, merge: 0.25, group: 0.3, object: 1, late_rating: 2, reopen: 0.15, reopen_to_unit: 0.15, void: 0.03, urge: 0.4,
    answer_urge: 2, supervise: 0.3, answer_supervision: 3, close_supervision: 1.5, withdraw: 0.06, refer_out: 0.06, recuse: 0.12, name_conflict: 0.15,
    watch: 0.25, unwatch: 0.25, save_draft: 1, answer_on_spot: 1, refuse: 0.7,
};

export class People {
    constructor(city, chance) {
        this.city = city;
        this.chance = chance;
    }

    // How likely an action is where the table allows it; 0 where it is plainly not the time.
    weight(action, v) {
        const open = v.waits.filter((w) => !OWN_WORDS.includes(w.action));
        switch (action) {
            case 'claim': return v.claimed_by ? 0.1 : leaning.claim;
            case 'unclaim': return v.claimed_by ? leaning.unclaim : 0.02;
            case 'first_contact': return v.main?.contacted ? 0.2 : leaning.first_contact;
            case 'submit_reply': return v.main?.contacted || v.anonymous ? leaning.submit_reply : 0.3;
            case 'sub_sign': return v.parts.some((p) => p.role === 3 && p.state === 1) ? leaning.sub_sign : 0.02;
            case 'sub_reply': case 'sub_return': return v.parts.some((p) => p.role === 3 && p.state === 3) ? leaning[action] : 0.02;
            case 'co_reply': return v.parts.some((p) => p.role === 2 && p.state < 5) ? leaning.co_reply : 0.02;
            case 'change_main': return v.parts.some((p) => p.role === 2) ? leaning.change_main : 0.02;
            case 'callback_ok': case 'rework': case 'flag_integrity': return v.called && v.waits.length === 0 ? leaning[action] : 0.05;
            case 'close_unsatisfied': return v.unhappy ? leaning[action] : 0.05;
            case 'request_park': return v.parkable ? 3 : 0.1;
            case 'answer_urge': return v.urged ? leaning[action] : 0.02;
            case 'answer_supervision': return v.orders.some((o) => !o.replied) ? leaning[action] : 0.02;
            case 'close_supervision': return v.orders.length > 0 ? leaning[action] : 0.02;
            case 'unwatch': return v.watched.length > 0 ? leaning[action] : 0.01;
            case 'approve_extension': case 'reject_extension':
                return v.waits.some((w) => w.action === 'approve_extension') ? leaning[action] : 0.02;
            default: return leaning[action] ?? 0.3;
        }
    }

    holder(right, action, v) {
        const { city, chance } = this;
        const parts = (role) => v.parts.filter((p) => p.role === role).map((p) => p.unit);
        const from = (list) => (list.length > 0 ? chance.pick(list) : undefined);

        switch (right.scope) {
            case 'all': return from(city.of_role(right.role));
            case 'own': return city.people.find((p) => p.id === v.made_by) ?? from(city.of_role(right.role));
            case 'unit': return from(city.of_unit(v.main?.unit, right.role));
            case 'part': {
                const units = parts(3);
                return from(units.length > 0 && chance.is(0.5) ? city.in_unit(chance.pick(units), right.role) : city.of_unit(v.main?.unit, right.role));
            }
            case 'sub': return from(parts(3).length > 0 ? city.in_unit(chance.pick(parts(3)), right.role) : []);
            case 'co': return from(parts(2).length > 0 ? city.of_unit(chance.pick(parts(2)), right.role) : []);
            default: return undefined;
        }
    }

    // → {action, by, approval?} or undefined where nobody comes.
    choose(v) {
        const { city, chance } = this;
        const waiting = v.waits.filter((w) => !OWN_WORDS.includes(w.action));

        if (waiting.length > 0 && chance.is(0.6)) {
            const w = chance.pick(waiting);
            const list = (w.role === 'UAP' ? city.of_unit(v.main?.unit, 'UAP') : city.of_role(w.role)).filter((p) => p.id !== w.by || chance.is(0.1));
            if (list.length > 0)
                return { action: chance.is(0.8) ? 'approve' : 'reject', by: chance.pick(list), approval: w.id };
        }
        const list = (city.by_state.get(v.state) ?? []).map(({ r }) => r)
            .filter((r) => (r.assignments === null || r.assignments.includes(v.main?.state)) && city.rights.has(r.action))
            .map((r) => [r.action, this.weight(r.action, v)]);
        if (list.length === 0)
            return undefined;
        const action = chance.weighed(list);
        let by = this.holder(chance.pick(city.rights.get(action)), action, v);
        if (action === 'unclaim' && v.claimed_by)
            by = city.people.find((p) => p.id === v.claimed_by);
        if (action === 'close_supervision' && v.orders[0]?.by)
            by = city.people.find((p) => p.id === v.orders[0].by);
        if (action === 'unwatch' && v.watched.length > 0)
            by = city.people.find((p) => p.id === v.watched[0]);
        return by && { action, by };
    }
}
