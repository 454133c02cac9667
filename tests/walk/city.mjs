// What the walkers know of their city beforehand: its people, units, words, the calendar and the table of the workflow.

const group = (rows, key) => rows.reduce((map, row) => map.set(key(row), [...(map.get(key(row)) ?? []), row]), new Map());

// sql: (text, values) → rows, as the database's owner.
export class City {
    constructor(sql) {
        this.sql = sql;
    }

    async read() {
        const { sql } = this;

        this.units = await sql(`select id, path, level, kind, division, grassroots, calendar_id as calendar from hotline.unit order by id`);
        this.unit = new Map(this.units.map((u) => [u.id, u]));
        this.people = await sql(`select p.id, p.login, p.unit_id as unit, array_agg(r.role order by r.role) as roles
            from hotline.person p join hotline.person_role r on r.person_id = p.id where p.disabled_at is null group by p.id order by p.id`);
        this.person = new Map(this.people.map((p) => [p.login, p]));
        this.holders = group(this.people.flatMap((p) => p.roles.map((role) => ({ role, p }))), ({ role }) => role);
        this.at = group(this.people.flatMap((p) => p.roles.map((role) => ({ role, p }))), ({ role, p }) => `${p.unit} ${role}`);
        this.members = this.units.filter((u) => u.level === 2 && u.kind !== 'centre');
        this.streets = this.units.filter((u) => u.kind === 'street');
        this.districts = this.units.filter((u) => u.kind === 'district');
        // Those that have sections, which hand work down.
        this.busy = this.members.filter((u) => this.units.some((w) => w.kind === 'section' && w.path.includes(u.id)));
        this.categories = (await sql(`select code from hotline.category where scheme = 'local' and valid_to is null order by code`)).map((r) => r.code);
        this.divisions = (await sql(`select code from hotline.division where length(code) in (6, 9) and code like '4405%' order by code`)).map((r) => r.code);
        this.items = (await sql(`select id from hotline.directory_item where valid_to is null and share is null order by id`)).map((r) => r.id);
        const rows = await sql(`select id, action, walk.names('state', from_states) as states,
                walk.names('assignment_state', from_assignment) as assignments, effect, guard
            from hotline.transition order by id`);
        this.rows = rows;
        this.by_state = group(rows.flatMap((r) => r.states.map((state) => ({ state, r }))), ({ state }) => state);
        this.actions = [...new Set(rows.map((r) => r.action))].sort();
        this.rights = group(await sql(`select role, action, scope from hotline.role_right where role <> all ('{SYS,CIT,EXT}') order by 1, 2`), (r) => r.action);
        this.described = group((await sql(`select i.*, case when i.words is not null then (select array_agg(name order by code) from hotline.word w where w.kind = i.words)
                when i.type = 'policy' then (select array_agg(distinct code order by code) from hotline.policy where code <> 'W1') end as values
            from hotline.action_input i order by action, ord`)).map(({ values, ...i }) => ({ ...i, choices: values })), (i) => i.action);
        await this.read_changing();
    }

    // What administrators change on the way.
    async read_changing() {
        this.workdays = new Map((await this.sql(`select calendar_id, array_agg(day - date '1970-01-01' order by day) as days from hotline.workday
            where is_work and day between '2025-06-01' and '2029-01-01' group by 1`)).map((r) => [r.calendar_id, new Map(r.days.map((d) => [d, true]))]));
        this.policies = group(await this.sql(`select policy, version, n, budget, unit from hotline.policy_extension order by 1, 2, 3`),
            (r) => `${r.policy} ${r.version}`);
    }

    of_role(role) {
        return (this.holders.get(role) ?? []).map(({ p }) => p);
    }

    // Those who hold a role for a unit: its own people, or those of a unit above it.
    of_unit(unit, role) {
        return (this.unit.get(unit)?.path ?? []).flatMap((id) => this.at.get(`${id} ${role}`) ?? []).map(({ p }) => p);
    }

    in_unit(unit, role) {
        return (this.at.get(`${unit} ${role}`) ?? []).map(({ p }) => p);
    }
}
