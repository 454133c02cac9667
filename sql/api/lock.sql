-- Lock the tickets that a batch will touch, in id order, before its statement: so two batches never wait for each other.
create or replace function api.lock(ids bigint[]) returns void
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform from (select distinct unnest(ids) as id order by 1) u
    cross join lateral (select from hotline.ticket t where t.id = u.id for update) held;
end $$;
