-- Look for many complaints of one matter: {} → {"told"}, the tickets that the sweep will put into a group.  One looks at a time; another
-- answers 0.  Locks nothing: it only inserts.
create or replace function api.find_groups(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    told int := 0;
begin
    perform hotline.begin(x);
    if pg_try_advisory_xact_lock(hashtext('hotline.find_groups')) then
        told := hotline.find_groups();
    end if;
    return hotline.answer(200, jsonb_build_object('told', told));
end $$;
