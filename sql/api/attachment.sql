-- A file of a ticket, for staff who may see both: {"session","id","attachment"} → {"file","type","size","name"}.
create or replace function api.attachment(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    t hotline.ticket;
    a hotline.attachment;
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
    select * into a from hotline.attachment where ticket_id = t.id and id = (x->>'attachment')::bigint;
    if not hotline.shows_file(who, t, a) then
        a := null;
    end if;
    return hotline.file_answer(t, a);
end $$;
