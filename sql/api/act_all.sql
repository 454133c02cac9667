-- api.act for all calls of a commit: each gets its answer under its place in the array.  What the tickets are is read together, and what
-- becomes of them is written together.  Locks: the ticket rows (the batch holds them already).
create or replace function api.act_all(calls jsonb[]) returns table (i bigint, status int, body json)
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    return query select * from hotline.act_all(calls);
end $$;
