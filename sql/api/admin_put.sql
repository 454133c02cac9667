-- Change reference data: {"session","kind","code","inputs":{…},"version"?,"password_hash"?,"dry_run"?,"key"…} → {"before","after","effect",
-- "version"}.  A dry run says the same and changes nothing; of a directory item it says which of the last 1,000 tickets would go
-- elsewhere.  Due times come earlier by a changed calendar only when another person confirms the change: {"confirm": its id}.  409 stale_version, in_use, own_account; 422 with the fields at fault.  Locks: other changes of reference data.
create or replace function api.admin_put(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    said api.answer;
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    elsif not x->>'kind' = any (hotline.admin_kinds()) then
        return hotline.problem(404, 'no_such_kind', '没有这类数据。', 'There is no such kind.');
    elsif not hotline.has_right(who, case when x->>'kind' = 'calendar' and x->'inputs' ? 'confirm' then 'calendar.confirm' else 'admin.' || (x->>'kind') end) then
        return hotline.forbidden();
    end if;
    said := hotline.idem_get('p' || who.id, x);
    if said is not null then
        return said;
    end if;
    said := hotline.admin_put(who, x->>'kind', x->>'code', coalesce(x->'inputs', '{}'), (x->>'version')::int, x->>'password_hash', coalesce((x->>'dry_run')::boolean, false));
    return case when x->'dry_run' = 'true' then said else hotline.idem_put('p' || who.id, x, said) end;
end $$;
