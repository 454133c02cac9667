-- What a citizen still says: {"number","code_hash" or "link_round" or "origin","id","action","inputs","key"…}.  action: followup, supplement, withdraw,
-- object, rate.  200 with the state as citizens read it; 404 for a wrong code; 409 and 422 as for staff.  The same key gets the first
-- answer again.  Locks: the ticket row (the batch holds it already).
create or replace function api.citizen(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    t hotline.ticket;
    said api.answer;
begin
    perform hotline.begin(x);
    t := hotline.known_ticket(x);
    if t.id is null or t.id <> (x->>'id')::bigint then
        return hotline.nothing_found();
    end if;
    said := hotline.idem_get('c' || t.id, x);
    if said is not null then
        return said;
    end if;
    said := hotline.citizen_acts(t, x->>'action', coalesce(x->'inputs', '{}'), coalesce(x->>'code_hash', x->>'origin'),
        jsonb_strip_nulls(jsonb_build_object('private', x->'private', 'files', x->'files')));
    if said.status = 200 then
        said := hotline.citizen_answer(t.id);
    end if;
    return hotline.idem_put('c' || t.id, x, said);
end $$;
