-- Open a session after the helper compared the password: {"user","login","session":hash,"ok"}.  200 with the person; 401 bad_login the
-- same for an unknown login and a wrong password; 429 locked after too many failures in a row under one name, whether anybody has it
-- or not.  Locks the name's row.
create or replace function api.session_open(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    name_ text := left(x->>'login', 100);
    f hotline.login_failure;
begin
    perform hotline.begin(x);
    select * into f from hotline.login_failure where login = name_ for update;
    if f.locked_until > hotline.now() then
        return hotline.problem(429, 'locked', '密码多次错误，账号暂时锁定，请稍后再试。', 'Too many wrong passwords; the account is locked for a while.',
            jsonb_build_object('retry_after', ceil(extract(epoch from f.locked_until - hotline.now()))));
    end if;
    if x->>'user' is null or not coalesce((x->>'ok')::boolean, false) then
        perform hotline.count_failure(name_);
        return hotline.problem(401, 'bad_login', '账号或密码不对。', 'Wrong account or password.');
    end if;
    delete from hotline.login_failure where login = name_;
    insert into hotline.session (hash, person_id, opened_at, expires_at)
    values (x->>'session', (x->>'user')::int, hotline.now(), hotline.now() + make_interval(hours => hotline.setting_int('session.hours')))
    on conflict (hash) do nothing;
    return hotline.session_answer(x);
end $$;
