-- Look for an earlier open complaint before this one is sent (T04), and remember that it was done: {"session","id"} →
-- {"dup_check","hits":[row + why, similarity]}.  The same caller first, then the same place in like words.
create or replace function api.dup_check(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    t hotline.ticket;
    hits jsonb;
    made bigint := hotline.new_id();
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    end if;
    select * into t from hotline.ticket where id = (x->>'id')::bigint;
    if not found or not hotline.sees(who, t) then
        return hotline.no_such_ticket();
    end if;
    if x ? 'grams' then
        perform hotline.put_grams(t.id, x->'grams');
    end if;
    hits := hotline.similar_open(t, who, x->'contact'->>'phone_hmac');
    insert into hotline.dup_check (id, ticket_id, by_person, at, hits) values (made, t.id, who.id, hotline.now(),
        (select coalesce(jsonb_agg(h->'id'), '[]') from jsonb_array_elements(hits) h));
    return hotline.answer(200, jsonb_build_object('dup_check', made::text, 'hits', hits));
end $$;
