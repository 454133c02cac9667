-- T16: a record of the provincial platform, its signature checked by whoever calls: {"external_id","outer_due_at","title","content",
-- "type"?,"division"?,"urgency"?,"contact"?,"seq", …as api.intake}.  201 {"number","state","promise_due_at"}; the same external_id gets the
-- ticket it has already.  The province's limit is the promise, and the unit's due time lies before it.  Locks nothing: it only inserts.
create or replace function api.receive_province(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    if not hotline.is_time(coalesce(x->>'outer_due_at', '')) or (x->>'outer_due_at')::timestamptz <= hotline.now() then
        return hotline.input_fault('outer_due_at', 'bad_value', '省平台的办理时限不对。', 'The province''s due time is missing or past.');
    end if;
    return hotline.receive(x || '{"channel": "province"}', 'province', 'T16');
end $$;
