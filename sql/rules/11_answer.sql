-- Answers, words and the memory of keys.

-- (make_runners writes it again with the states in it, which every answer names.)
create or replace function hotline.name_of(kind_ text, code_ smallint) returns text
language plpgsql stable as $$
begin
    return (select name from hotline.word where kind = kind_ and code = code_);
end $$;

create or replace function hotline.code_of(kind_ text, name_ text) returns smallint
language plpgsql stable as $$
begin
    return (select code from hotline.word where kind = kind_ and name = name_);
end $$;

create or replace function hotline.label_of(kind_ text, code_ smallint) returns text
language plpgsql stable as $$
begin
    return (select case hotline.lang() when 'en' then en else zh end from hotline.word where kind = kind_ and code = code_);
end $$;

-- Codes of several words; used by the data below and by filters.
create or replace function hotline.codes_of(kind_ text, names text[]) returns smallint[]
language plpgsql stable as $$
begin
    return (select coalesce(array_agg(code order by code), '{}') from hotline.word where kind = kind_ and name = any (names));
end $$;

create or replace function hotline.say(zh text, en text) returns text
language sql stable as $$ select case hotline.lang() when 'en' then en else zh end $$;

create or replace function hotline.answer(status int, body jsonb) returns api.answer
language sql stable as $$ select row(status, body::json)::api.answer $$;

-- A problem document (RFC 9457) with a code for programs and a sentence for people; more is merged into it.
create or replace function hotline.problem(status int, code text, zh text, en text, more jsonb default '{}') returns api.answer
language sql stable as $$
    select row(status, (jsonb_build_object('type', 'urn:hotline:problem:' || code, 'status', status, 'code', code,
        'title', case when status = 401 then 'Unauthorized' when status = 403 then 'Forbidden' when status = 404 then 'Not Found'
            when status = 409 then 'Conflict' when status = 422 then 'Unprocessable Content' when status = 429 then 'Too Many Requests'
            else 'Refused' end,
        'detail', hotline.say(zh, en)) || coalesce(more, '{}'))::json)::api.answer
$$;

create or replace function hotline.field(name text, code text, zh text, en text) returns jsonb
language sql stable as $$ select jsonb_build_object('name', name, 'code', code, 'detail', hotline.say(zh, en)) $$;

-- 422 bad_inputs with the fields at fault.
create or replace function hotline.bad_inputs(fields jsonb) returns api.answer
language sql stable as $$
    select hotline.problem(422, 'bad_inputs', '有的内容填写不对，请按提示修改。', 'Some fields need to be corrected.',
        jsonb_build_object('fields', fields))
$$;

create or replace function hotline.time_text(at timestamptz) returns text
language sql stable as $$
    select to_char(at at time zone 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS') || '+08:00'
$$;

-- The first answer to this key, or null.  Another body under the same key is 422 key_reused.  A refused call changed nothing
-- and is not remembered: asking again is safe.
create or replace function hotline.idem_get(principal_ text, x jsonb) returns api.answer
language plpgsql as $$
declare
    was hotline.idem;
begin
    if x->>'key' is null then
        return null;
    end if;
    select * into was from hotline.idem where principal = principal_ and route = x->>'route' and key = x->>'key';
    if not found then
        return null;
    end if;
    return hotline.repeated(was, x);
end $$;

create or replace function hotline.repeated(was hotline.idem, x jsonb) returns api.answer
language plpgsql stable as $$
begin
    if was.digest <> coalesce(x->>'digest', '') then
        return hotline.problem(422, 'key_reused', '这个提交编号已用于另一份内容。', 'This Idempotency-Key was used with another body.');
    end if;
    return row(was.status, was.body)::api.answer;
end $$;

-- Remember a 2xx answer.  A concurrent twin in another transaction makes this fail with a unique violation; the engine then sends
-- the batch again, which finds the twin's answer.
create or replace function hotline.idem_put(principal_ text, x jsonb, given api.answer) returns api.answer
language plpgsql as $$
begin
    if x->>'key' is not null and given.status between 200 and 299 then
        insert into hotline.idem (principal, route, key, digest, status, body, at)
        values (principal_, x->>'route', x->>'key', coalesce(x->>'digest', ''), given.status, given.body, hotline.now());
    end if;
    return given;
end $$;
