-- A file of a ticket, for its citizen: {"number","code_hash","attachment"} → {"file","type","size","name"}.  A wrong code and an unknown
-- number give the same 404.
create or replace function api.follow_file(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    t hotline.ticket;
    a hotline.attachment;
begin
    perform hotline.begin(x);
    select k.* into t from hotline.ticket_ref r join hotline.ticket k on k.id = r.ticket_id where r.ticket_no = (x->>'number')::bpchar;
    if not found or t.query_code_hash is distinct from x->>'code_hash' then
        return hotline.nothing_found();
    end if;
    select * into a from hotline.attachment where ticket_id = t.id and id = (x->>'attachment')::bigint;
    if not hotline.shows_file_to_citizen(t, a) then
        a := null;
    end if;
    return hotline.file_answer(t, a);
end $$;
