-- Open a session after the helper compared the password: {"user","session":hash,"ok"}.  200 with the person; 401 bad_login the same for
-- an unknown login and a wrong password; 429 locked after too many failures in a row.  Locks the person's row.
create or replace function api.session_open(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    p hotline.person;
begin
    perform hotline.begin(x);
    select * into p from hotline.person where id = (x->>'user')::int for update;
    if p.locked_until > hotline.now() then
        return hotline.problem(429, 'locked', '密码多次错误，账号暂时锁定，请稍后再试。', 'Too many wrong passwords; the account is locked for a while.',
            jsonb_build_object('retry_after', ceil(extract(epoch from p.locked_until - hotline.now()))));
    end if;
    if p.id is null or not coalesce((x->>'ok')::boolean, false) then
        update hotline.person set failed = failed + 1, locked_until = case when failed + 1 >= hotline.setting_int('login.failures')
            then hotline.now() + make_interval(mins => hotline.setting_int('login.lock_minutes')) end
        where id = p.id;
        update hotline.person set failed = 0 where id = p.id and locked_until is not null;
        return hotline.problem(401, 'bad_login', '账号或密码不对。', 'Wrong account or password.');
    end if;
    update hotline.person set failed = 0, locked_until = null where id = p.id and (failed > 0 or locked_until is not null);
    insert into hotline.session (hash, person_id, opened_at, expires_at)
    values (x->>'session', p.id, hotline.now(), hotline.now() + make_interval(hours => hotline.setting_int('session.hours')))
    on conflict (hash) do nothing;
    return hotline.session_answer(x);
end $$;
