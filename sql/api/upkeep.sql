-- What must be done now and then: the months ahead that are still missing are made, and what was kept only for a while is deleted: {} →
-- {"made"}.  0 when all months are there or another call makes them.  Locks the parents against other changes of their shape, and
-- their empty default partitions for a moment.
create or replace function api.upkeep(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    made int := 0;
begin
    perform hotline.begin(x);
    if pg_try_advisory_xact_lock(hashtext('hotline.upkeep')) then
        made := hotline.partitions_ahead();
        perform hotline.forget_old();
    end if;
    return hotline.answer(200, jsonb_build_object('made', made));
end $$;
