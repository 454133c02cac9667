-- Everything due up to here has had its effects: {"upto"}.  Due-type figures are exact as of this moment, timers aside
-- that were put off.
create or replace function api.swept(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    insert into hotline.sweep (swept_to) select (x->>'upto')::timestamptz
    -- the first of all timers: found by its index, whatever the plan
    where (x->>'upto')::timestamptz < coalesce((select at from hotline.timer where retry_at is null order by at, id limit 1), 'infinity')
    on conflict (only_one) do update set swept_to = greatest(sweep.swept_to, excluded.swept_to);
    return row(204, null)::api.answer;
end $$;
