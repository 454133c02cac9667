-- End a session: {"session":hash} → 204, also when it was ended before.
create or replace function api.session_close(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    update hotline.session set closed_at = hotline.now() where hash = x->>'session' and closed_at is null;
    return row(204, null)::api.answer;
end $$;
