// The calls as the engine makes them, for pgbench to make without it.

import { complaint } from '../../http/harness.mjs';

export const filing = ['POST /v1/tickets', null, complaint()];

// One life after acceptance by the web acceptor: who, which action, with what.
export const life = [
    ['acceptor1', 'accept', { title: complaint().title, category: '010501', division: '440507' }],
    ['dispatcher1', 'dispatch', { main_unit: 101, instruction: '请依法办理并答复诉求人。' }],
    ['st-gaj.d', 'sign', {}],
    ['st-gaj.h', 'first_contact', { contacted: true, way: 'phone' }],
    ['st-gaj.h', 'submit_reply', {
        result: 'resolved', fact_finding: 'true', measures: '责令停止夜间施工',
        content: '经现场核查，工地确有夜间施工，我局已责令其停止并将持续巡查，感谢您的监督。',
    }],
    ['st-gaj.a', 'unit_approve', { opinion: '已阅，照此办理' }],
    ['auditor1', 'audit_pass', { quality_score: 90 }],
    ['callback1', 'callback_attempt', { outcome: 'connected' }],
    ['callback1', 'callback_ok', { contacted_by_unit: true, resolved: 'yes', sat_process: 'satisfied', sat_result: 'satisfied' }],
];

// pgbench takes a colon before a letter or digit for a variable, in quotes too.
const quoted = (value) => `'${JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ').replace(/:(?=\w)/g, '\\u003a').replaceAll("'", "''")}'::jsonb`;

// What the engine sends for this complaint, read back from what it stored.
async function stored(hotline, id) {
    const [call] = await hotline.sql(`
        select jsonb_build_object('principal', 'bench', 'route', 'POST /v1/tickets', 'digest', repeat('d', 64), 'channel', 'web',
            'type', 'complaint', 'title', title, 'content', content, 'division', division,
            'contact', jsonb_build_object('phone_enc', phone_enc, 'phone_hmac', phone_hmac, 'phone_mask', phone_mask),
            'query_code_enc', query_code_enc, 'query_code_hash', query_code_hash, 'grams', to_jsonb(grams),
            'hits', route->'hits', 'found', route->'found') as x
        from hotline.ticket t join hotline.ticket_contact c on c.ticket_id = t.id join hotline.ticket_gram g on g.ticket_id = t.id
        where t.id = $1`, [id]);

    return call.x;
}

// pgbench gives each client its number; the random part keeps the keys of several runs apart.
const freshKey = "'bench-' || :client_id || '-' || clock_timestamp()::text || random()::text";

export const intakeScript = (call) => `
    select a.status from bench.seq() s, api.intake(${quoted(call)} || jsonb_build_object('seq', s, 'key', ${freshKey})) a;\n`;

export function lifeScript(call, sessions) {
    const words = { grams: call.grams, hits: call.hits, found: call.found };

    return `select bench.next_ticket() as id \\gset\n${life.map(([login, action, inputs]) => `
        select a.status from api.act(${quoted({ principal: 'p', route: 'POST /v1/desk/tickets/{id}/actions', digest: 'd'.repeat(64),
        session: sessions[login], action, inputs, ...(inputs.title ? words : {}) })}
            || jsonb_build_object('id', :id::text, 'key', ${freshKey})) a;`.replace(/\n +/g, ' ').trim()).join('\n')}\n`;
}

// What pgbench needs beside the api: numbers, and the next ticket that waits for acceptance.
const helpers = `
    create schema bench;
    create table bench.ticket (n bigint primary key generated always as identity, id bigint);
    create sequence bench.turn;
    create function bench.seq() returns text language sql volatile security definer as
        $$ select nextval('hotline.ticket_no_seq')::text $$;
    create function bench.next_ticket() returns bigint language sql volatile security definer as
        $$ select id from bench.ticket where n = (select nextval('bench.turn')) $$;
    grant usage on schema bench to hotline_engine;
    grant execute on all functions in schema bench to hotline_engine;`;

// Ready a fresh database for pgbench.  → the call that its first complaint was stored by
export async function prepare(hotline) {
    await hotline.sql(helpers);
    const first = await hotline.citizen.submit();
    const [{ id }] = await hotline.sql('select ticket_id as id from hotline.ticket_ref where ticket_no = $1', [first.body.number]);

    return stored(hotline, id);
}

export const count = async (hotline) => Number((await hotline.sql('select count(*) as n from hotline.ticket_ref'))[0].n);
