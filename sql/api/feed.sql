-- Events after one, oldest first, for the event stream: {"after":"<event id>","limit"}.  Ids are handed out before they are committed,
-- so the engine reads again what is younger than its longest statement.
create or replace function api.feed(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    first_ bigint := (x->>'after')::bigint;
    most int := least(coalesce((x->>'limit')::int, 500), 2000);
    rows_ jsonb;
begin
    perform hotline.begin(x);
    if first_ is null then
        return hotline.answer(200, jsonb_build_object('events', '[]'::jsonb, 'last', (hotline.id_at(hotline.now() - interval '15 seconds'))::text));
    end if;
    select coalesce(jsonb_agg(jsonb_build_object('id', e.id::text, 'ticket', e.ticket_id::text, 'number', t.ticket_no, 'action', e.action,
        'state', hotline.name_of('state', e.to_state), 'version', t.version, 'at', hotline.time_text(e.at),
        'sealed', t.secrecy = 3, 'units', e.units) order by e.id), '[]')
    into rows_
    from (select * from hotline.event where id > first_ order by id limit most) e join hotline.ticket t on t.id = e.ticket_id;
    return hotline.answer(200, jsonb_build_object('events', rows_, 'last', coalesce(rows_->-1->>'id', first_::text)));
end $$;
