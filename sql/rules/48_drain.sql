-- What api.drain needs to take in everything that was answered.

-- A moment as text; null when it is none.
create or replace function hotline.moment_or_null(s text) returns timestamptz
language plpgsql stable as $$
begin
    return s::timestamptz;
exception when data_exception then
    return null;
end $$;

create or replace function hotline.drained(number text, ticket bigint, alias boolean, surprises jsonb) returns api.answer
language sql stable as $$
    select hotline.answer(200, jsonb_build_object('number', number, 'ticket', ticket::text, 'alias', alias)
        || case when jsonb_array_length(coalesce(nullif(surprises, '{}'), '[]')) > 0 then jsonb_build_object('surprises', surprises) else '{}' end)
$$;

-- References that were good when it was answered and are not any more; the call without them.
create or replace function hotline.drop_unknown(inout x jsonb, inout surprises text[])
language plpgsql stable as $$
begin
    if x->>'division' is not null and not exists (select from hotline.division where code = x->>'division') then
        x := x - 'division';
        surprises := surprises || 'unknown_division'::text;
    end if;
    if x->>'category' is not null and not exists (select from hotline.category where scheme = 'local' and code = x->>'category') then
        x := x - 'category';
        surprises := surprises || 'unknown_category'::text;
    end if;
    if x->>'channel' is not null and hotline.code_of('channel', x->>'channel') is null then
        x := x - 'channel';
        surprises := surprises || 'unknown_channel'::text;
    end if;
    if x->>'type' is not null and hotline.code_of('appeal_type', x->>'type') is null then
        x := x - 'type';
        surprises := surprises || 'unknown_type'::text;
    end if;
end $$;

-- The least that is still the citizen's complaint: words, contact and code, as far as they are what they should be.
create or replace function hotline.bare_call(x jsonb) returns jsonb
language sql stable as $$
    select jsonb_strip_nulls(jsonb_build_object('principal', x->'principal', 'route', x->'route', 'key', x->'key', 'digest', x->'digest',
        'seq', x->'seq', 'title', left(coalesce(x->>'title', ''), 200), 'content', left(coalesce(x->>'content', x->>'unreadable', x::text), 10000),
        'contact', case when jsonb_typeof(x->'contact') = 'object' then x->'contact' end,
        'query_code_enc', x->'query_code_enc', 'query_code_hash', x->'query_code_hash', 'origin', x->'origin'))
$$;

-- The ticket; when something in the call makes that fail, the ticket of what is sure.  What is no fault of the call (a conflict, a full
-- disk, a twin with the same key) goes on to the engine, which comes again.
create or replace function hotline.drain_ticket(x jsonb, number_ text, stored_at timestamptz, surprises text[]) returns hotline.call
language plpgsql as $$
declare
    spooled jsonb;
begin
    if x ? 'unreadable' then
        x := hotline.bare_call(x);
        surprises := surprises || 'unfit'::text;
    end if;
    select d.x, d.surprises into x, surprises from hotline.drop_unknown(x, surprises) d;
    spooled := jsonb_strip_nulls(jsonb_build_object('number', number_, 'surprises', to_jsonb(surprises),
        'stored_at', case when hotline.is_simulation() then hotline.now() else stored_at end));
    begin
        return hotline.new_ticket(x, hotline.system_actor(), 'T05', 'CIT', spooled);
    exception
        when data_exception or check_violation or not_null_violation or foreign_key_violation or raise_exception or cardinality_violation then
            return hotline.new_ticket(hotline.bare_call(x), hotline.system_actor(), 'T05', 'CIT',
                spooled || jsonb_build_object('surprises', to_jsonb(surprises || 'unfit'::text)));
    end;
end $$;

-- The ticket that this complaint had become by another request at its time, of which only the reply was lost; null when it is too young for
-- its answer to be forgotten.  The code tells: it comes from key and body.  Reads two days of tickets.
create or replace function hotline.drained_before(x jsonb, stored_at timestamptz) returns bigint
language plpgsql stable as $$
declare
    at timestamptz := hotline.now();
begin
    if at > stored_at - make_interval(days => hotline.setting_int('keep.answers_days') - 1) then
        return null;
    end if;
    return (select id from hotline.ticket where id >= hotline.id_at(at - interval '1 day') and id < hotline.id_at(at + interval '1 day')
            and query_code_hash = x->>'query_code_hash' limit 1);
end $$;

-- What a citizen still said while the complaint waited, as of then.  It was answered already: what the ticket does not allow any more is
-- left to people.
create or replace function hotline.drain_word(x jsonb) returns api.answer
language plpgsql as $$
declare
    t hotline.ticket;
    said api.answer;
begin
    t := hotline.known_ticket(x);
    if t.id is null then
        return hotline.nothing_found();
    end if;
    perform from hotline.ticket where id = t.id for update;
    said := hotline.idem_get('c' || t.id, x);
    if said is null then
        said := hotline.citizen_acts(t, x->>'action', coalesce(x->'inputs', '{}'), x->>'code_hash', jsonb_strip_nulls(jsonb_build_object('private', x->'private')));
        if said.status = 200 then
            said := hotline.citizen_answer(t.id);
        end if;
        said := hotline.idem_put('c' || t.id, x, said);
    end if;
    return hotline.drained(x->>'number', t.id, false, case when said.status = 200 then '[]' else '["word_refused"]' end::jsonb);
end $$;
