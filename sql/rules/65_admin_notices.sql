-- What administrators do about notices and units' systems: links, keys, dead letters.

create or replace function hotline.link_json(key_ text) returns jsonb
language plpgsql stable as $$
begin
    return (select jsonb_build_object('unit', l.unit_id::text, 'name', u.name, 'way', l.way, 'address', l.address, 'active', l.active,
            'key', case l.way when 'webhook' then l.code || '.' || l.secret_n end,
            'waiting', (select count(*) from (select from hotline.delivery d where d.link_id = l.id and d.state = 'waiting' limit 1000) w))
        from hotline.link l join hotline.unit u on u.id = l.unit_id where l.code = key_);
end $$;

-- A webhook or a mailbox of a unit.  effect.key names the secret that signs a webhook, when it is a new one; the engine adds the secret.
create or replace function hotline.put_link(key_ text, x jsonb) returns api.answer
language plpgsql as $$
declare
    l hotline.link;
    is_new boolean;
begin
    select * into l from hotline.link where code = key_;
    is_new := l.id is null;
    if is_new then
        if key_ !~ '^[a-z0-9][a-z0-9-]{1,29}$' then
            return hotline.bad_code();
        elsif hotline.missing_fields(x, 'unit', 'way', 'address') is not null then
            return hotline.missing_fields(x, 'unit', 'way', 'address');
        end if;
        l.id := nextval('hotline.added_id');
        l.code := key_;
        l.secret_n := 1;
        l.active := true;
    elsif x->>'way' <> l.way or (x->>'unit')::int <> l.unit_id then
        return hotline.problem(422, 'not_changeable', '单位和方式不能改，请停用后新建。', 'Unit and way stay; end it and make a new one.');
    end if;
    l.unit_id := coalesce((x->>'unit')::int, l.unit_id);
    l.way := coalesce(x->>'way', l.way);
    l.address := coalesce(x->>'address', l.address);
    l.active := coalesce((x->>'active')::boolean, l.active);
    if l.way = 'webhook' and l.address !~ '^https?://[^\s/@]+(/[^\s]*)?$' or l.way = 'email' and l.address !~ '^[^\s@<>]{1,64}@[^\s@<>]{3,200}$' then
        return hotline.bad_field('address', 'bad_address', '地址格式不对。', 'This is no address of that kind.');
    end if;
    if not is_new and coalesce((x->>'new_secret')::boolean, false) then
        l.secret_n := l.secret_n + 1;
    end if;
    insert into hotline.link values (l.*)
    on conflict (id) do update set address = excluded.address, active = excluded.active, secret_n = excluded.secret_n;
    if not l.active then
        update hotline.delivery set state = 'dropped', ended_at = hotline.now(), why = 'link ended' where link_id = l.id and state = 'waiting';
    end if;
    return hotline.answer(200, jsonb_strip_nulls(jsonb_build_object('key',
        case when l.way = 'webhook' and (is_new or x->>'new_secret' = 'true') then l.code || '.' || l.secret_n end)));
end $$;

create or replace function hotline.notice_json(key_ text) returns jsonb
language plpgsql stable as $$
begin
    return (select jsonb_build_object('number', t.ticket_no, 'kind', d.kind, 'way', d.way, 'to', coalesce(l.code, (select phone_mask from hotline.ticket_contact where ticket_id = t.id)),
            'state', d.state, 'tries', d.tries, 'provider', d.provider, 'status', d.status, 'why', d.why, 'made_at', hotline.time_text(d.made_at),
            'ended_at', hotline.time_text(d.ended_at))
        from hotline.delivery d join hotline.ticket t on t.id = d.ticket_id left join hotline.link l on l.id = d.link_id
        where d.id = case when key_ ~ '^[0-9]{1,18}$' then key_::bigint end);
end $$;

-- A dead letter is tried again from the beginning, under the same id, or given up.
create or replace function hotline.settle_notice(id_ bigint, do_ text) returns boolean
language plpgsql as $$
begin
    if do_ = 'retry' then
        update hotline.delivery set state = 'waiting', tries = 0, ended_at = null, provider = null, due_at = hotline.now() where id = id_ and state = 'dead';
    else
        update hotline.delivery set state = 'dropped' where id = id_ and state = 'dead';
    end if;
    return found;
end $$;

create or replace function hotline.put_notice(key_ text, x jsonb) returns api.answer
language plpgsql as $$
begin
    if key_ !~ '^[0-9]{1,18}$' or hotline.notice_json(key_) is null then
        return hotline.problem(404, 'no_such_item', '没有这一条。', 'There is no such item.');
    elsif hotline.missing_fields(x, 'do') is not null then
        return hotline.missing_fields(x, 'do');
    elsif not hotline.settle_notice(key_::bigint, x->>'do') then
        return hotline.problem(409, 'not_dead', '这条通知不在死信中。', 'This notice is no dead letter.');
    end if;
    return hotline.answer(200, '{}');
end $$;
