-- Look for an earlier open complaint before this one is sent (T04), and remember that it was done: {"session","id"} →
-- {"dup_check","hits":[row + why, similarity]}.  The same caller first, then the same place in like words.  For those who may search by
-- caller; only the draft's own operator changes the words it is found by.  The same key gets the first answer again.
create or replace function api.dup_check(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    t hotline.ticket;
    hits jsonb;
    said api.answer;
    made bigint;
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
    select * into t from hotline.ticket where id = (x->>'id')::bigint;
    if not found or not hotline.sees(who, t) then
        return hotline.no_such_ticket();
    end if;
    if not hotline.has_right(who, 'ticket.find') then
        return hotline.forbidden();
    end if;
    if x ? 'grams' and t.state = 10 and t.created_by = who.id then
        perform hotline.put_grams(t.id, x->'grams');
    end if;
    hits := hotline.similar_open(t, who, x->'contact'->>'phone_hmac');
    made := hotline.new_id();
    insert into hotline.dup_check (id, ticket_id, by_person, at, hits) values (made, t.id, who.id, hotline.now(),
        (select coalesce(jsonb_agg(h->'id'), '[]') from jsonb_array_elements(hits) h));
    return hotline.idem_put('p' || who.id, x, hotline.answer(200, jsonb_build_object('dup_check', made::text, 'hits', hits)));
end $$;
