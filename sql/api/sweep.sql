-- Do what one timer is for: {"timer","ticket"}.  Effects are dated the due time, whenever the sweep gets to it; 204 when another
-- was faster.  Locks: the ticket row (the batch holds it already).
create or replace function api.sweep(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    return (select row(s.status, s.body)::api.answer from hotline.sweep_all(array[x]) s);
end $$;
