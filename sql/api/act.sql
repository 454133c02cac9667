-- One action of a person on one ticket: {"session","id","action","version"?,"inputs":{…},"key"…}.  200 with the ticket's new state;
-- 401, 403, 404, 409 (with the state as it is), 422 (with the fields at fault) change nothing.  The same key gets the first answer
-- again.  Locks: the ticket row (the batch holds it already).
create or replace function api.act(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    said api.answer;
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    end if;
    said := hotline.idem_get('p' || who.id, x);
    if said is not null then
        return said;
    end if;
    said := hotline.step((x->>'id')::bigint, x->>'action', who, coalesce(x->'inputs', '{}'), (x->>'version')::int,
        jsonb_strip_nulls(jsonb_build_object('grams', x->'grams', 'hits', x->'hits', 'found', x->'found', 'contact', x->'contact', 'private', x->'private')));
    return hotline.idem_put('p' || who.id, x, said);
end $$;
