-- The citizen's view: {"number","code_hash"}.  A wrong code and an unknown number give the same 404.
create or replace function api.follow(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    t hotline.ticket;
begin
    perform hotline.begin(x);
    select k.* into t from hotline.ticket_ref r join hotline.ticket k on k.id = r.ticket_id where r.ticket_no = (x->>'number')::bpchar;
    if not found or t.query_code_hash is distinct from x->>'code_hash' then
        return hotline.nothing_found();
    end if;
    return hotline.answer(200, hotline.citizen_json(t));
end $$;
