-- What another platform has not heard yet, oldest first: {"system","after"?,"limit"?} → {"records":[…],"last"}.  Its own tickets come back
-- with each step; tickets of ours that were passed to it as data come as transfers.  Idempotent for the reader by source_no and event.
-- Contact data goes out only as a mask; whoever sends a transfer on asks api.reveal with a purpose.
create or replace function api.exchange(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    first_ bigint := coalesce((x->>'after')::bigint, 0);
    most int := least(coalesce((x->>'limit')::int, 200), 1000);
    rows_ jsonb;
begin
    perform hotline.begin(x);
    select coalesce(jsonb_agg(hotline.exchange_record(x->>'system', h.id, h.kind) order by h.id), '[]') into rows_
    from (
        (select e.id, 'step' as kind from hotline.external_ref r join hotline.event e on e.ticket_id = r.ticket_id
         where r.system = x->>'system' and e.id > first_)
        union all
        (select id, 'transfer' from hotline.transfer
         where id > first_ and mode = 3 and agency = hotline.code_of('agency', x->>'system'))
        order by id limit most) h;
    return hotline.answer(200, jsonb_build_object('records', rows_, 'last', coalesce(rows_->-1->>'event', first_::text)));
end $$;
