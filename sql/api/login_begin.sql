-- The stored hash of a login, or null for one that does not exist; the engine verifies against a dummy then, so that both take as long.
create or replace function api.login_begin(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    p hotline.person;
begin
    perform hotline.begin(x);
    select * into p from hotline.person where login = x->>'login' and disabled_at is null;
    return hotline.answer(200, jsonb_build_object('user', p.id, 'hash', p.password_hash));
end $$;
