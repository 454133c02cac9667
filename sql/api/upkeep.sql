-- What must be done now and then: what was kept only for a while is deleted, and a partition of the months ahead that is still missing
-- is made: {} → {"made"}.  1: there may be more, call again; 0 when all are there or another call makes them.  Locks one parent against
-- other changes of its shape, and its empty default partition for a moment.
create or replace function api.upkeep(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    made int := 0;
begin
    perform hotline.begin(x);
    if pg_try_advisory_xact_lock(hashtext('hotline.upkeep')) then
        made := hotline.partitions_ahead(1);
        perform hotline.forget_old();
    end if;
    return hotline.answer(200, jsonb_build_object('made', made));
end $$;
