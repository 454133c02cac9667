-- Lock the tickets that a batch will touch, in id order, before its statement: so two batches never wait for each other.
create or replace function api.lock(ids bigint[]) returns void
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    tid bigint;
begin
    for tid in select distinct unnest(ids) order by 1 loop
        perform from hotline.ticket where id = tid for update;
    end loop;
end $$;
