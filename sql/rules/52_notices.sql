-- Delivery of what is in the outbox.

-- The links of these units, which hear of a step.  Asked at every step, so a table of a few rows is all that it reads.
create or replace function hotline.links_of(units_ int[]) returns int[]
language plpgsql stable as $$
begin
    return (select array_agg(id order by id) from hotline.link where active and unit_id = any (units_));
end $$;

-- The way by which the citizen of this ticket hears of it, among those that are on; null: none.
create or replace function hotline.citizen_way(tid bigint, ways text[]) returns text
language plpgsql stable as $$
begin
    return (select 'sms' from hotline.ticket_contact where ticket_id = tid and phone_enc is not null and 'sms' = any (ways));
end $$;

-- What waits in the outbox becomes messages: to the citizen one a commit and ticket, to the links of the units one a step, to the
-- centre's mailboxes what it must not miss.  What is
-- older than notice.stale_hours is passed over, so that a city that switches delivery on does not hear of last year.
create or replace function hotline.plan_deliveries(ways text[]) returns void
language plpgsql as $$
declare
    ids bigint[] := array(select id from hotline.outbox where sent_at is null order by id limit 500);
    fresh_from timestamptz := hotline.now() - make_interval(hours => hotline.setting_int('notice.stale_hours'));
begin
    if ids = '{}' then
        return;
    end if;
    insert into hotline.delivery (id, outbox_id, ticket_id, kind, args, way, quiet, made_at, due_at)
    select hotline.new_id(), id, ticket_id, kind, args, way, quiet, hotline.now(), case when quiet then hotline.after_quiet(hotline.now()) else hotline.now() end
    from (select o.*, k.quiet, hotline.citizen_way(o.ticket_id, ways) as way, row_number() over (partition by o.ticket_id, o.at order by k.rank desc, o.id desc) as nth
          from hotline.outbox o join hotline.notice_text k on k.kind = o.kind and k.audience = 'citizen'
          where o.id = any (ids) and o.at >= fresh_from) told
    where nth = 1 and way is not null
    on conflict do nothing;
    insert into hotline.delivery (id, outbox_id, ticket_id, kind, args, way, link_id, n, quiet, made_at, due_at)
    select hotline.new_id(), o.id, o.ticket_id, o.args->>'action', o.args, l.way, l.id, (o.args->>'n')::int, false, hotline.now(), hotline.now()
    from hotline.outbox o cross join lateral jsonb_array_elements_text(o.args->'links') e join hotline.link l on l.id = e::int
    where o.id = any (ids) and o.kind = 'step' and o.at >= fresh_from and l.active and l.way = any (ways)
      and (l.way = 'webhook' or exists (select from hotline.notice_text k where k.kind = o.args->>'action' and k.audience = 'unit'))
    order by o.id
    on conflict do nothing;
    insert into hotline.delivery (id, outbox_id, ticket_id, kind, args, way, link_id, quiet, made_at, due_at)
    select hotline.new_id(), o.id, o.ticket_id, o.kind, o.args, l.way, l.id, false, hotline.now(), hotline.now()
    from hotline.outbox o join hotline.notice_text k on k.kind = o.kind and k.audience = 'centre'
    cross join hotline.link l join hotline.unit u on u.id = l.unit_id
    where o.id = any (ids) and o.at >= fresh_from and u.level = 1 and l.active and l.way = 'email' and 'email' = any (ways)
    on conflict do nothing;
    update hotline.outbox set sent_at = hotline.now() where id = any (ids);
end $$;

-- The words of a message, for {code} and {link} as the engine fills them.
create or replace function hotline.delivery_text(d hotline.delivery, t hotline.ticket, audience_ text) returns text
language plpgsql stable as $$
declare
    words text := (select zh from hotline.notice_text where kind = d.kind and audience = audience_);
    own text := (select body from hotline.template where kind = 'notice' and code = d.kind and (valid_to is null or valid_to > hotline.day_of(hotline.now()))
                 order by version desc limit 1);
    a hotline.assignment := hotline.main_of(t);
    f record;
begin
    words := case when audience_ = 'citizen' then coalesce(own, words) else words end;
    for f in select * from (values
            ('{number}', coalesce(t.ticket_no::text, '')),
            ('{unit}', coalesce((select name from hotline.unit where id = coalesce(a.unit_id, t.unit_id)), '承办单位')),
            ('{due}', coalesce(to_char(t.promise_due_at at time zone 'Asia/Shanghai', 'FMMM月FMDD日'), '规定时限')),
            ('{sign_due}', coalesce(to_char(a.sign_due_at at time zone 'Asia/Shanghai', 'FMMM月FMDD日HH24:MI'), '规定时限')),
            ('{unit_due}', coalesce(to_char(a.unit_due_at at time zone 'Asia/Shanghai', 'FMMM月FMDD日'), '规定时限'))) as v(name, value) loop
        words := replace(words, f.name, f.value);
    end loop;
    return words;
end $$;

-- A message as the engine sends it.
create or replace function hotline.delivery_json(d hotline.delivery) returns jsonb
language plpgsql stable as $$
declare
    t hotline.ticket;
    l hotline.link;
    k hotline.ticket_contact;
    e hotline.event;
    told jsonb := jsonb_build_object('id', d.id::text, 'try', d.tries, 'way', d.way, 'kind', d.kind, 'provider', d.provider);
begin
    select * into t from hotline.ticket where id = d.ticket_id;
    if hotline.is_code(d) then
        return told || jsonb_build_object('number', '', 'text', hotline.delivery_text(d, t, 'citizen'), 'round', 0,
            'phone_enc', d.args->'phone_enc', 'query_code_enc', d.args->'code_enc');
    elsif d.link_id is null then
        select * into k from hotline.ticket_contact where ticket_id = d.ticket_id;
        return told || jsonb_build_object('number', t.ticket_no, 'text', hotline.delivery_text(d, t, 'citizen'), 'round', coalesce((d.args->>'round')::int, t.round),
            'phone_enc', k.phone_enc, 'query_code_enc', k.query_code_enc);
    end if;
    select * into l from hotline.link where id = d.link_id;
    told := told || jsonb_build_object('to', l.address);
    if d.way = 'email' then
        return told || jsonb_build_object('text', hotline.delivery_text(d, t, (select audience from hotline.notice_text where kind = d.kind and audience <> 'citizen')), 'subject', '12345热线工单 ' || t.ticket_no);
    end if;
    select * into e from hotline.event where id = (d.args->>'event')::bigint;
    return told || jsonb_build_object('key', l.code || '.' || l.secret_n, 'body', jsonb_build_object('id', d.id::text, 'ticket', t.id::text, 'number', t.ticket_no, 'n', e.n,
        'event', e.id::text, 'action', e.action, 'at', hotline.time_text(e.at), 'state', hotline.name_of('state', e.to_state),
        'assignment_state', hotline.name_of('assignment_state', e.assignment_to), 'unit', (select code from hotline.unit where id = l.unit_id)));
end $$;

-- Take up to `most` messages for so many seconds; null where another worker is at it.
create or replace function hotline.claim_deliveries(ways text[], most int, lease int) returns jsonb
language plpgsql as $$
declare
    taken jsonb;
begin
    if not pg_try_advisory_xact_lock(hashtext('hotline.notice')) then
        return null;
    end if;
    perform hotline.plan_deliveries(ways);
    perform hotline.drop_late_codes();
    with next_ as (
        select d.id from hotline.delivery d
        where d.state = 'waiting' and d.due_at <= hotline.now() and d.way = any (ways)
          and not (d.way = 'webhook' and exists (
              select from hotline.delivery e where e.ticket_id = d.ticket_id and e.link_id = d.link_id and e.state = 'waiting' and (e.n, e.id) < (d.n, d.id)))
        order by d.due_at, d.id limit most
    ), mine as (
        update hotline.delivery d set tries = d.tries + 1, due_at = hotline.now() + make_interval(secs => lease) from next_ where d.id = next_.id returning d
    )
    select coalesce(jsonb_agg(hotline.delivery_json(d) order by (d).id), '[]') into taken from mine;
    return taken;
end $$;

-- What became of a try.  A message that somebody took is sent, whoever says so and however late; other news of a try that is not the
-- last one is old.
create or replace function hotline.end_delivery(x jsonb) returns text
language plpgsql as $$
declare
    d hotline.delivery;
    end_ text := x->>'end';
    wait interval;
begin
    select * into d from hotline.delivery where id = (x->>'id')::bigint for update;
    if d.id is null or d.state in ('sent', 'dropped') or end_ <> 'sent' and (d.state <> 'waiting' or d.tries <> (x->>'try')::int) then
        return d.state;
    end if;
    d.status := (x->>'status')::int;
    d.why := left(x->>'why', 200);
    d.provider := case when end_ in ('sent', 'unknown') then x->>'provider' end;
    d.state := case when end_ in ('sent', 'dropped') then end_ when end_ = 'refused' or d.tries >= hotline.setting_int('notice.tries') then 'dead' else 'waiting' end;
    if d.state = 'waiting' then
        wait := make_interval(secs => least(hotline.setting_int('notice.backoff_seconds') * power(2, least(d.tries - 1, 20)), 3600));
        d.due_at := hotline.now() + greatest(wait, make_interval(secs => least(coalesce((x->>'retry_after')::int, 0), 86400)));
        d.due_at := case when d.quiet then hotline.after_quiet(d.due_at) else d.due_at end;
    end if;
    if hotline.is_code(d) and (d.state = 'dead' or d.state = 'waiting' and d.due_at > (d.args->>'until')::timestamptz) then
        d.state := 'dropped';
    end if;
    if d.state <> 'waiting' then
        d.ended_at := hotline.now();
        d.reference := left(x->>'reference', 100);
    end if;
    update hotline.delivery set state = d.state, status = d.status, why = d.why, provider = d.provider, due_at = d.due_at, ended_at = d.ended_at,
        reference = d.reference, args = case when hotline.is_code(d) and d.state <> 'waiting' then '{}' else args end where id = d.id;
    return d.state;
end $$;

-- How many wait and how many are dead, for /metrics and /readyz.
create or replace function hotline.delivery_counts() returns jsonb
language plpgsql stable as $$
begin
    return jsonb_build_object('waiting', (select count(*) from (select from hotline.delivery where state = 'waiting' limit 100000) w),
        'dead', (select count(*) from (select from hotline.delivery where state = 'dead' limit 100000) d));
end $$;

create or replace function hotline.forget_deliveries() returns void
language plpgsql as $$
declare
    until timestamptz := hotline.now() - make_interval(days => hotline.setting_int('keep.notices_days'));
begin
    delete from hotline.delivery where state in ('sent', 'dropped') and ended_at < until;
    delete from hotline.outbox where sent_at < until;
end $$;
