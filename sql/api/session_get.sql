-- Who a session belongs to: {"session":hash} → the person, 401 when it is unknown, ended or expired.
create or replace function api.session_get(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    return hotline.session_answer(x);
end $$;
