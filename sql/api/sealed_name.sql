-- The citizen's name of a ticket, sealed, for the engine's scan of new words: {"session","id"} → {"name_enc"}.  It does not leave the engine.
create or replace function api.sealed_name(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    t hotline.ticket;
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
    return hotline.answer(200, jsonb_build_object('name_enc', (select name_enc from hotline.ticket_contact where ticket_id = t.id)));
end $$;
