-- A complaint that was answered 202 while the database was away becomes a ticket: the call of api.intake with "number", the one it was
-- answered with, and "at", the moment of the answer, where its clocks start.  Always 200 {"number","ticket","alias"}: it was accepted
-- already, so nothing refuses it.  What does not fit is left out, and the ticket waits for acceptance with "surprises" that name it.
--
-- Any number of times the same: by the number; and by the key, when a retry or a lost reply has made the ticket under another number,
-- to which the answered one then becomes an alias.  Locks nothing: it only inserts.
create or replace function api.drain(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    number_ text := x->>'number';
    stored_at timestamptz := hotline.begin_at(x, hotline.moment_or_null(x->>'at'));
    was hotline.idem;
    known bigint;
    surprises text[] := '{}';
    c hotline.call;
begin
    select ticket_id into known from ticket_ref where ticket_no = number_;
    if known is not null then
        if (select query_code_hash from ticket where id = known) is not distinct from x->>'query_code_hash' then
            return hotline.drained(number_, known, false, '{}');
        end if;
        -- Not ours: a reserve of numbers was used twice.  The ticket gets another number, and somebody has to look.
        surprises := surprises || 'number_taken'::text;
        number_ := null;
        x := x || jsonb_build_object('seq', nextval('hotline.ticket_no_seq'));
    end if;
    select * into was from idem where principal = x->>'principal' and route = x->>'route' and key = x->>'key';
    if found and was.digest = x->>'digest' then
        select ticket_id into known from ticket_ref where ticket_no = was.body->>'number';
        if known is not null then
            if number_ is not null then
                insert into ticket_ref (ticket_no, ticket_id) values (number_, known);
            end if;
            return hotline.drained(was.body->>'number', known, true, '{}');
        end if;
    end if;
    if found then
        -- Another complaint under the same key: both were answered, both are tickets.  No client's key has a blank.
        surprises := surprises || 'key_reused'::text;
        x := x || jsonb_build_object('key', (x->>'key') || ' ' || (x->>'number'));
    end if;
    c := hotline.drain_ticket(x, number_, stored_at, surprises);
    perform hotline.idem_put(x->>'principal', x, hotline.answer(201, jsonb_build_object('number', (c.t).ticket_no,
        'query_code_enc', x->>'query_code_enc', 'state', hotline.name_of('state', (c.t).state),
        'promise_due_at', hotline.time_text((c.t).promise_due_at))));
    return hotline.drained((c.t).ticket_no, (c.t).id, false, (c.t).route->'surprises');
end $$;
