// Inputs for an action as its description wants them (type, limits, choices), and where the rules tie one input to another or to the
// ticket, as those want them.

const HOUR = 3600, DAY = 24 * HOUR;
export const moment = (seconds) => `${new Date(Math.round(seconds * 1000) + 8 * HOUR * 1000).toISOString().slice(0, 23)}+08:00`;
const within = (at, least, most, chance) => moment(at + least + chance.next() * (most - least));

const SIGNS = '本市道路施工噪声扰民反映情况属实已责令整改今后每日巡查请依法办理并及时答复群众关于供水停电垃圾清运车位井盖树木路灯社保医保学位';
const must_be_true = ['appellant_ack', 'readback', 'told_citizen', 'explanation_given'];
const happy = ['satisfied', 'very_satisfied', 'basic', 'understood'];

export class Inputs {
    // city: {units, categories, divisions, districts, workdays}; described: action → its inputs with choices.
    constructor(city, chance, described) {
        Object.assign(this, { city, chance, described });
    }

    text(min, max) {
        const { chance } = this;
        const least = Math.max(min ?? 1, 1), most = max ?? 1000;
        const n = chance.is(0.02) ? most : chance.is(0.1) ? least : chance.from(least, Math.min(most, least + 40));
        let said = '';
        while (said.length < n)
            said += chance.pick(SIGNS);
        return said;
    }

    // A unit that may have this ticket, but for those.
    unit(v, ...but) {
        const { chance, city } = this;
        const conflicts = v.conflicts ?? [];
        for (;;) {
            const unit = chance.is(0.1) ? chance.pick(city.streets) : chance.is(0.6) ? chance.pick(city.busy) : chance.pick(city.members);
            if (!but.includes(unit.id) && !(unit.grassroots && v.duty) && !unit.path.some((id) => conflicts.includes(id)))
                return unit.id;
        }
    }

    units(v, min, max, ...but) {
        const found = new Set();
        for (let n = this.chance.from(min ?? 0, Math.min(max ?? 3, Math.max(min ?? 0, 2))); found.size < n;)
            found.add(this.unit(v, ...but));
        return [...found];
    }

    // So many workdays after a due time, at the end of that day.
    workdays_after(due, n, calendar) {
        const days = this.city.workdays.get(calendar);
        let day = Math.floor((due + 8 * HOUR) / DAY);
        while (n > 0)
            n -= days.get(++day) ? 1 : 0;
        return (day + 1) * DAY - 8 * HOUR - 1;
    }

    one(v, i, at) {
        const { chance, city } = this;
        const choices = i.choices?.map((c) => c.value ?? c);
        switch (i.type) {
            case 'bool': return chance.is(0.5);
            case 'int': return chance.from(i.min ?? 0, i.max ?? 9);
            case 'number': return Math.round((i.min + chance.next() * (i.max - i.min)) * 100) / 100;
            case 'text': return this.text(i.min, i.max);
            case 'list': return Array.from({ length: chance.from(Math.max(i.min ?? 1, 1), Math.min(i.max ?? 3, 3)) }, () => this.text(1, 60));
            case 'category': return chance.pick(city.categories);
            case 'division': return chance.pick(city.divisions);
            case 'unit': return this.unit(v);
            case 'units': return this.units(v, i.min, i.max);
            case 'phone': return `1380013${chance.from(1000, 9999)}`;
            case 'time': return within(at, 60, 20 * HOUR, chance);
            default: return choices?.length > 0 ? chance.pick(choices) : undefined;
        }
    }

    // Inputs of this action on a ticket as it is seen (walk.look), at a moment in seconds.  list: what GET …/actions says of them.
    make(action, v, at, list = this.described.get(action) ?? [], approval) {
        const x = {};
        for (const i of list) {
            if (must_be_true.includes(i.name)) {
                x[i.name] = true;
                continue;
            }
            if (!i.must && !this.chance.is(0.4))
                continue;
            const value = this.one(v, i, at);
            if (value !== undefined)
                x[i.name] = value;
        }
        this.special[action]?.call(this, x, v, at, { list, approval });
        return x;
    }

    dispatched(x, v, ...but) {
        x.main_unit = this.unit(v, ...but);
        if (this.city.unit.get(x.main_unit).grassroots)
            delete x.item; // which may be a department's alone
        if (x.co_units)
            x.co_units = this.units(v, 0, 2, x.main_unit);
    }

    answered(x) {
        if (!x.kb_article_ids)
            x.no_kb_reason = this.text(2, 20);
        x.type = this.chance.pick(['consult', 'praise', 'suggestion', 'help']);
        x.title = this.text(4, 20);
    }

    unhappy(x) {
        if (this.chance.is(0.5))
            x.resolved = 'no';
        else
            x.sat_result = 'unsatisfied';
    }

    content(x) {
        x.resolved = this.chance.pick(['yes', 'partly']);
        x.sat_result = this.chance.pick(happy);
    }

    order(x, v, test) {
        x.order ??= v.orders.find(test)?.id ?? '1';
    }

    special = {
        answer_on_spot(x) { this.answered(x); },
        submit(x) { delete x.conflict_units; },
        accept(x, v) {
            if (x.conflict_units)
                x.conflict_units = this.units(v, 0, 1);
        },
        refuse() {},
        dispatch(x, v) { this.dispatched(x, v); },
        redispatch(x, v) { this.dispatched(x, v, v.main?.unit); },
        decide(x, v) {
            this.dispatched(x, v);
            x.opinions ??= [this.text(4, 30)];
        },
        dispatch_to_district(x, v) {
            const fit = this.city.districts.filter((d) => !v.conflicts.includes(d.id));
            const district = this.chance.pick(fit.length > 0 ? fit : this.city.districts);
            x.district = district.division;
            if (x.co_units)
                x.co_units = this.units(v, 0, 2, district.id);
        },
        open_consultation(x, v, at) {
            if (x.due)
                x.due = within(at, HOUR, 5 * DAY, this.chance);
        },
        amend(x) { x.address = this.text(5, 30); },
        request_return(x, v) { x.suggested_unit = this.unit({ ...v, duty: false }, v.main?.unit); },
        sub_dispatch(x, v, at, { by }) {
            const above = v.main?.unit;
            const fit = this.city.units.filter((u) => u.path.includes(by ?? above) && u.id !== (by ?? above) &&
                !v.parts.some((p) => p.unit === u.id) && !u.path.some((id) => v.conflicts.includes(id)));
            if (fit.length > 0)
                x.sub_unit = this.chance.pick(fit).id;
            x.due = moment(at + 1);
            if (v.main && v.main.due - at > 6 * DAY && this.chance.is(0.8))
                x.due = within(at, HOUR, v.main.due - at - 5.5 * DAY, this.chance);
        },
        request_co_unit(x, v) { x.unit = this.unit(v, v.main?.unit, ...v.parts.map((p) => p.unit)); },
        change_main(x, v) {
            x.new_main = this.chance.pick(v.parts.filter((p) => p.role === 2))?.unit ?? x.new_main;
            if (!v.decided)
                x.basis = 'agreed';
        },
        request_extension(x, v) {
            const due = v.main?.due ?? 0;
            const policy = this.city.policies.get(`${v.main?.policy} ${v.main?.version}`);
            const allowed = policy?.[v.main.extensions];
            const calendar = this.city.unit.get(v.main?.unit)?.calendar;
            if (allowed?.unit === 'hour')
                x.new_due = moment(due + HOUR * this.chance.from(1, allowed.budget));
            else if (v.main)
                x.new_due = moment(this.workdays_after(due, this.chance.from(1, allowed?.budget ?? 1), calendar));
            if (v.outer_due && Date.parse(x.new_due) / 1000 > v.outer_due)
                x.new_due = moment(v.outer_due);
            if (x.ext_code === 'statutory')
                x.legal_basis ??= this.text(4, 20);
        },
        approve_extension(x, v) {
            const asked = v.waits.find((w) => w.kind === 'extension');
            delete x.new_due;
            if (asked?.due && Date.parse(asked.due) / 1000 > v.main?.due && this.chance.is(0.3)) // the due time may have moved meanwhile
                x.new_due = asked.due;
        },
        request_suspend(x, v, at) {
            const used = (code, times) => v.pauses.filter((c) => c === code).length >= times;
            const codes = ['pause_3', 'pause_4', 'pause_5', 'pause_7', ...(used('pause_6', 1) ? [] : ['pause_6', 'pause_6', 'pause_6'])];
            x.pause_code = this.chance.pick(codes);
            x.until = within(at, HOUR, this.chance.is(0.7) ? DAY : x.pause_code === 'pause_6' ? 3 * DAY : 60 * DAY, this.chance);
            if (x.pause_code === 'pause_3')
                x.legal_basis ??= this.text(4, 20);
        },
        request_park(x, v, at) { x.next_review = within(at, 5 * DAY, 300 * DAY, this.chance); },
        first_contact(x, v, at) {
            x.contacted = this.chance.is(0.8);
            if (!x.contacted) {
                x.attempts = this.chance.from(2, 5);
                x.fail_reason = this.text(2, 20);
            }
            if (x.at)
                x.at = moment(Math.max(at - HOUR, Math.min((v.main?.dispatched ?? 0) + 1, at)));
        },
        submit_reply(x, v, at) {
            if (x.told_at)
                x.told_at = within(at, -DAY, -1, this.chance);
        },
        callback_attempt(x) {
            if ('resolved' in x || 'sat_result' in x || 'sat_process' in x) {
                if (this.chance.is(0.5)) {
                    for (const name of ['resolved', 'sat_result', 'sat_process'])
                        delete x[name];
                } else {
                    x.outcome = 'connected';
                    x.resolved ??= 'no';
                    x.sat_result ??= 'unsatisfied';
                }
            }
        },
        callback_ok(x) { this.content(x); },
        late_rating() {},
        rework(x) { this.unhappy(x); },
        flag_integrity(x, v) {
            if (x.integrity_kind === 'not_contacted')
                x.contacted_by_unit = false;
            if (x.integrity_kind === 'not_contacted' && !v.main?.reached)
                x.integrity_kind = 'not_done';
            if (x.integrity_kind === 'not_done' && x.resolved === 'yes')
                x.resolved = 'no';
        },
        request_supplement(x, v, at) {
            if (x.deadline)
                x.deadline = within(at, 60, 20 * HOUR, this.chance);
        },
        urgent_transfer(x) { x.agency_agent_no ??= this.text(3, 10); },
        urgent_part(x) { x.agency_agent_no ??= this.text(3, 10); },
        merge(x, v) { x.master ??= v.same_caller ?? '1'; },
        group(x, v) { x.lead ??= v.similar ?? v.id; },
        supervise(x, v, at) {
            x.due = within(at, HOUR, 5 * DAY, this.chance);
            if (x.kind === 'leader')
                x.kind = 'listed';
        },
        answer_supervision(x, v) { this.order(x, v, (o) => !o.replied); },
        close_supervision(x, v) { this.order(x, v, (o) => o.mine); },
        withdraw(x) {
            x.recording_id = this.text(4, 20);
            delete x.phone;
        },
        name_conflict(x, v) {
            const own = this.city.unit.get(v.main?.unit)?.path ?? [];
            do
                x.unit = this.unit({ conflicts: [], duty: false });
            while (own.includes(x.unit));
        },
        approve(x, v, at, { approval }) { x.approval = approval ?? v.waits[0]?.id ?? '1'; },
        reject(x, v, at, { approval }) { x.approval = approval ?? v.waits[0]?.id ?? '1'; },
    };
}
