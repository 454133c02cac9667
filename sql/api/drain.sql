-- A complaint that was answered 202 while the database was away becomes a ticket: the call of api.intake with "number", the one it was
-- answered with, and "at", the moment of the answer, where its clocks start.  Always 200 {"number","ticket","alias"}: it was accepted
-- already, so nothing refuses it.  What does not fit is left out, and the ticket waits for acceptance with "surprises" that name it.
--
-- A further word that was taken on such a complaint is a call with "action", "inputs" and "code_hash": it becomes the step that it asks for;
-- 404 as long as its ticket is not there, and it is tried again.
--
-- Any number of times the same: by the number; and by the key, when a retry or a lost reply has made the ticket under another number,
-- to which the answered one then becomes an alias.  Locks nothing but the ticket of a further word.
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
    if x ? 'action' then
        return hotline.drain_word(x);
    end if;
    select ticket_id into known from ticket_ref where ticket_no = number_::bpchar;
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
        select ticket_id into known from ticket_ref where ticket_no = (was.body->>'number')::bpchar;
        if known is not null then
            if number_ is not null then
                insert into ticket_ref (ticket_no, ticket_id) values (number_, known);
            end if;
            return hotline.drained(was.body->>'number', known, true, '{}');
        end if;
    end if;
    if was.key is null then
        -- Away for longer than answers are kept: what the key had made is found by its code alone.
        known := hotline.drained_before(x, stored_at);
        if known is not null then
            if number_ is not null then
                insert into ticket_ref (ticket_no, ticket_id) values (number_, known);
            end if;
            return hotline.drained((select ticket_no from ticket where id = known), known, true, '{}');
        end if;
    else
        -- Another complaint under the same key: both were answered, both are tickets.  No client's key has a blank.
        surprises := surprises || 'key_reused'::text;
        x := x || jsonb_build_object('key', (x->>'key') || ' ' || (x->>'number'));
    end if;
    c := hotline.drain_ticket(x, number_, stored_at, surprises);
    perform hotline.idem_put(x->>'principal', x, hotline.intake_answer(c));
    -- Kept from today on, like any other: who was answered long ago may repeat it only now.
    update idem set at = greatest(at, stored_at) where principal = x->>'principal' and route = x->>'route' and key = x->>'key';
    return hotline.drained((c.t).ticket_no, (c.t).id, false, (c.t).route->'surprises');
end $$;
