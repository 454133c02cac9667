-- A timer's work ended in an error: it is put off, longer each time, and /readyz says so: {"timer"}.
create or replace function api.sweep_failed(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    update hotline.timer set failures = failures + 1, retry_at = hotline.now() + interval '1 minute' * 2 ^ least(failures, 10)
    where id = (x->>'timer')::bigint;
    return row(204, null)::api.answer;
end $$;
