// The reckoning: what people were answered, held against what the database has.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { until } from '../http/harness.mjs';

const run = promisify(execFile);
const some = (list) => `${list.slice(0, 5).join(', ')}${list.length > 5 ? ` and ${list.length - 5} more` : ''}`;

// All that waited has become tickets; else why not, as far as it shows.
export async function drained(place, seconds) {
    const spool = (...words) => place.homes.kv.redis('spool', ...words);

    await until('the spool is drained', async () => (await spool('XLEN', 'spool')) === '0', seconds).catch(async (error) => {
        throw new Error(`${error.message}: ${await spool('XLEN', 'spool')} wait, lock ${await spool('GET', 'spool:lock')} for ${
            await spool('PTTL', 'spool:lock')} ms, first ${await spool('XRANGE', 'spool', '-', '+', 'COUNT', '1')}; ${
            JSON.stringify([...(await place.readiness()).values()])}; ${JSON.stringify(await place.sql(
            "select state, wait_event, query_start, left(query, 80) as query from pg_stat_activity where usename = 'hotline_engine'"))}`);
    });
}

// → { keys, lost, doubled, … }; tells of everything that is wrong.
export async function verify(place, people, finding) {
    const tell = (kind, what, list) => list.length > 0 && finding(kind, `${what}: ${list.length} (${some(list)})`);
    const spool = (...words) => place.homes.kv.redis('spool', ...words);

    await drained(place, 60);
    const aside = Number(await spool('HLEN', 'spool:aside'));
    if (aside > 0)
        finding('lost', `${aside} complaints were put aside`);

    // Complaints: every key answered is one ticket, to which every number leads that was answered for it.
    const answered = people.complaints.filter((c) => c.numbers.size > 0);
    const byKey = new Map(people.complaints.map((c) => [c.key, c]));
    const tickets = new Map((await place.sql('select id::text as id, title from hotline.ticket')).map((t) => [t.id, t.title]));
    const refs = new Map((await place.sql('select ticket_no, ticket_id::text as id from hotline.ticket_ref')).map((r) => [r.ticket_no, r.id]));
    const keys = await place.sql(`select key, body->>'number' as number from hotline.idem where route in ('POST /v1/tickets', 'POST /open311/v2/requests.json')`);
    const idOf = new Map(keys.map((k) => [k.key, refs.get(k.number)]));

    tell('lost', 'keys that were answered and are not stored', answered.filter((c) => !idOf.has(c.key)).map((c) => c.key));
    tell('unanswered', 'keys that are stored and were never answered', keys.filter((k) => !byKey.get(k.key)?.numbers.size).map((k) => k.key));
    tell('unanswered', 'keys that nobody answered', people.complaints.filter((c) => c.numbers.size === 0).map((c) => c.key));
    const unresolved = answered.flatMap((c) => [...c.numbers].filter((n) => !refs.has(n)));
    tell('lost', 'numbers that lead nowhere', unresolved);
    const astray = answered.flatMap((c) => [...c.numbers].filter((n) => refs.has(n) && refs.get(n) !== idOf.get(c.key)));
    tell('doubled', 'numbers that lead to another ticket than their key', astray);
    const extra = tickets.size - new Set(idOf.values()).size;
    if (extra !== 0)
        finding('doubled', `${tickets.size} tickets of ${keys.length} keys`);
    tell('lost', 'complaints whose ticket holds other words', answered.filter((c) => idOf.has(c.key) &&
        ![c.title, c.title.replace(/ \d+$/, '')].includes(tickets.get(idOf.get(c.key)))).map((c) => c.key));
    tell('doubled', 'complaints with two query codes', answered.filter((c) => c.codes.size > 1).map((c) => c.key));

    // By HTTP too, as the citizen does it: every alias, and some of the others.
    const aliases = answered.filter((c) => c.numbers.size > 1);
    const asked = [...aliases, ...answered.filter((c, i) => i % 50 === 0)].slice(0, 400);
    for (const c of asked)
        for (const number of c.numbers) {
            const { status } = await place.citizen.follow({ number, query_code: [...c.codes][0] });
            if (status !== 200)
                finding('lost', `number ${number} asked by its citizen: ${status}`);
        }

    // Actions: what people did is what happened, each once, in that order.
    const done = new Map((await place.sql(`select ticket_id::text as id, array_agg(action order by n) as actions from hotline.event
        where actor_role not in ('SYS', 'CIT') group by 1`)).map((r) => [r.id, r.actions]));
    let undone = 0, twice = 0, acts = 0;
    for (const c of people.complaints.filter((one) => one.id)) {
        const happened = done.get(c.id) ?? [];

        acts += c.actions.length;
        done.delete(c.id);
        if (happened.join() === c.actions.join())
            continue;
        if (happened.length < c.actions.length)
            undone += c.actions.length - happened.length;
        else
            twice += happened.length - c.actions.length;
        finding(happened.length < c.actions.length ? 'lost' : 'doubled', `ticket ${[...c.numbers]}: answered ${c.actions}; happened ${happened}`);
    }
    tell('doubled', 'tickets that somebody moved whom nobody asked', [...done.keys()]);

    // The chain of events and the figures.
    await run(process.env.HOTLINECTL, ['metrics', 'verify'], { env: { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${place.host} user=postgres dbname=hotline` },
        maxBuffer: 1 << 26 }).catch((error) => finding('figures', `metrics verify: ${error.stdout}${error.stderr}`));
    tell('invariant', 'broken', (await place.sql('select * from hotline.check_invariants() limit 20')).map((row) => JSON.stringify(row)));
    const [{ strays }] = await place.sql('select hotline.partition_strays()::int as strays');
    if (strays > 0)
        finding('figures', `${strays} default partitions are used`);

    const statuses = answered.flatMap((c) => c.answers);
    return {
        keys: answered.length, answers: statuses.length, spooled: statuses.filter((s) => s === 202).length, aliases: aliases.length, actions: acts,
        lost: answered.filter((c) => !idOf.has(c.key)).length + unresolved.length + undone + aside,
        doubled: Math.max(extra, 0) + astray.length + twice,
    };
}
