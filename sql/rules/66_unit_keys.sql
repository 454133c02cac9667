-- Keys of units' own systems.

create or replace function hotline.key_json(key_ text) returns jsonb
language plpgsql stable as $$
begin
    return (select jsonb_build_object('unit', p.unit_id::text, 'name', u.name, 'active', p.disabled_at is null,
            'roles', (select jsonb_agg(role order by role) from hotline.person_role where person_id = p.id),
            'expires', hotline.day_of(k.expires_at), 'renewed_at', hotline.time_text(k.renewed_at))
        from hotline.unit_key k join hotline.person p on p.id = k.person_id join hotline.unit u on u.id = p.unit_id where k.code = key_);
end $$;

-- Make, renew, restrict or end a key.  hash_: of the key that the engine would hand out; effect.new_key says that it does.  An old key is
-- void the moment there is a new one.
create or replace function hotline.put_key(key_ text, x jsonb, hash_ text) returns api.answer
language plpgsql as $$
declare
    k hotline.unit_key;
    p hotline.person;
    roles_ text[];
    new_key boolean;
    is_new boolean;
begin
    select * into k from hotline.unit_key where code = key_;
    is_new := k.code is null;
    if is_new then
        if key_ !~ '^[a-z0-9][a-z0-9-]{1,29}$' then
            return hotline.bad_code();
        elsif hotline.missing_fields(x, 'unit') is not null then
            return hotline.missing_fields(x, 'unit');
        end if;
        k.code := key_;
        k.made_at := hotline.now();
        p.unit_id := (x->>'unit')::int;
        if (select level = 1 from hotline.unit where id = p.unit_id) then
            return hotline.bad_field('unit', 'centre', '热线中心不用对接密钥。', 'The centre itself has no such key.');
        end if;
    else
        select * into p from hotline.person where id = k.person_id;
        if (x->>'unit')::int <> p.unit_id then
            return hotline.problem(422, 'not_changeable', '单位不能改，请停用后新建。', 'The unit stays; end it and make a new one.');
        end if;
    end if;
    roles_ := case when x ? 'roles' then hotline.texts(x->'roles') when is_new then '{UDP,UHD}' end;
    if not roles_ <@ '{UDP,UHD,UAP}' then
        return hotline.bad_field('roles', 'unknown', '只能是单位的角色 UDP、UHD、UAP。', 'Only the roles of a unit: UDP, UHD, UAP.');
    elsif coalesce(x->>'expires', '') <> '' and (not hotline.is_date(x->>'expires') or (x->>'expires')::date <= hotline.day_of(hotline.now())) then
        return hotline.bad_field('expires', 'bad_date', '须为今天以后的日期。', 'A date after today.');
    end if;
    new_key := is_new or x->>'renew' = 'true';
    if new_key and hash_ is null then
        return hotline.problem(422, 'not_changeable', '密钥由引擎生成。', 'The engine makes the key.');
    end if;
    k.expires_at := coalesce((nullif(x->>'expires', '')::date)::timestamp at time zone 'Asia/Shanghai', k.expires_at, hotline.now() + interval '1 year');
    if is_new then
        insert into hotline.person (login, name, unit_id, password_hash) values ('key:' || key_, '系统对接 ' || key_, p.unit_id, '!') returning id into k.person_id;
        k.renewed_at := hotline.now();
        insert into hotline.unit_key values (k.*);
    end if;
    update hotline.unit_key set expires_at = k.expires_at, renewed_at = case when new_key then hotline.now() else renewed_at end where code = key_;
    update hotline.person set disabled_at = case when x->>'active' = 'false' then hotline.now() when x->>'active' = 'true' then null else disabled_at end where id = k.person_id;
    if roles_ is not null then
        delete from hotline.person_role where person_id = k.person_id;
        insert into hotline.person_role (person_id, role) select k.person_id, r from unnest(roles_) r;
    end if;
    if new_key then
        delete from hotline.session where person_id = k.person_id;
        insert into hotline.session (hash, person_id, opened_at, expires_at) values (hash_, k.person_id, hotline.now(), k.expires_at);
    else
        update hotline.session set expires_at = k.expires_at where person_id = k.person_id;
    end if;
    return hotline.answer(200, case when new_key then '{"new_key": true}'::jsonb else '{}' end);
end $$;
