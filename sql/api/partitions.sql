-- Make the months ahead that are still missing: {} → {"made"}.  0 when all are there or another call makes them.  Locks the parents
-- against other changes of their shape, and their empty default partitions for a moment.
create or replace function api.partitions(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    made int := 0;
begin
    perform hotline.begin(x);
    if pg_try_advisory_xact_lock(hashtext('hotline.partitions')) then
        made := hotline.partitions_ahead();
    end if;
    return hotline.answer(200, jsonb_build_object('made', made));
end $$;
