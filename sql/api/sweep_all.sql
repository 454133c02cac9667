-- api.sweep for all timers of a commit: each gets its answer under its place in the array.  Locks: the ticket rows (the batch holds
-- them already).
create or replace function api.sweep_all(calls jsonb[]) returns table (i bigint, status int, body json)
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    return query select * from hotline.sweep_all(calls);
end $$;
