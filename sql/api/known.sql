-- Who has a number and its code, a rating link, or filed it for its citizen: {"number", "code_hash" or "link_round" or "origin"} → {"id"}, for
-- the lock that api.citizen needs.  A wrong code and an unknown number give the same 404.
create or replace function api.known(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    t hotline.ticket;
begin
    perform hotline.begin(x);
    t := hotline.known_ticket(x);
    if t.id is null then
        return hotline.nothing_found();
    end if;
    return hotline.answer(200, jsonb_build_object('id', t.id::text));
end $$;
