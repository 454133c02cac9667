-- What has fallen due: {"limit"} → {"due":[{"timer","ticket"}…],"upto"}.  Locks nothing; each is then taken by api.sweep.
create or replace function api.sweep_due(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    n int := least(coalesce((x->>'limit')::int, 500), 5000);
    upto timestamptz;
    due jsonb;
begin
    perform hotline.begin(x);
    upto := hotline.now();
    select coalesce(jsonb_agg(jsonb_build_object('timer', id::text, 'ticket', ticket_id::text) order by at, id), '[]') into due
    from (select * from hotline.timer where at <= upto and (retry_at is null or retry_at <= upto) order by at, id limit n) t;
    return hotline.answer(200, jsonb_build_object('due', due, 'upto', case when jsonb_array_length(due) < n then upto::text end));
end $$;
