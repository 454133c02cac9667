-- How a ticket comes to be, and how open ones are found again.

-- References in an intake that do not exist: 422 with the fields, else null.
create or replace function hotline.check_references(x jsonb) returns api.answer
language plpgsql stable as $$
declare
    bad jsonb := '[]';
begin
    if x->>'division' is not null and not exists (select from hotline.division where code = x->>'division') then
        bad := bad || hotline.field('division', 'unknown_division', '没有这个区域。', 'There is no such place.');
    end if;
    if x->>'category' is not null and not exists (select from hotline.category where scheme = 'local' and code = x->>'category') then
        bad := bad || hotline.field('category', 'unknown_category', '没有这个类别。', 'There is no such category.');
    end if;
    if x->>'channel' is not null and hotline.code_of('channel', x->>'channel') is null then
        bad := bad || hotline.field('channel', 'unknown_channel', '没有这个渠道。', 'There is no such channel.');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) end;
end $$;

-- A new ticket by T01 (a draft) or T05 (filed from outside), with its number, contact, words, clocks, first event and list row.
create or replace function hotline.new_ticket(x jsonb, who hotline.actor, transition_ text, role_ text) returns hotline.call
language plpgsql as $$
declare
    c hotline.call;
begin
    select w into c.rule from hotline.transition w where id = transition_;
    c.actor := who;
    c.role := role_;
    c.x := x;
    c.at := hotline.now();
    c.event := hotline.new_id();
    c.t.id := hotline.new_id();
    c.t.version := 1;
    c.t.state := (c.rule).to_state;
    c.t.channel := hotline.code_of('channel', coalesce(x->>'channel', 'web'));
    c.t.ticket_no := hotline.ticket_no(c.at, (c.t).channel, (x->>'seq')::bigint);
    c.t.appeal_type := coalesce(hotline.code_of('appeal_type', x->>'type'), 7::smallint);
    c.t.urgency := coalesce(hotline.code_of('urgency', x->>'urgency'), 4::smallint);
    c.t.secrecy := coalesce((x->>'secrecy')::smallint, 0::smallint);
    c.t.anonymous := coalesce((x->>'anonymous')::boolean, false);
    c.t.publish := coalesce(hotline.code_of('publish', x->>'publish'), 0::smallint);
    c.t.reply_wanted := coalesce((x->>'reply_wanted')::boolean, true);
    c.t.category_id := (select id from hotline.category where scheme = 'local' and code = x->>'category');
    c.t.division := x->>'division';
    c.t.address := x->>'address';
    c.t.lng := (x->>'lng')::numeric;
    c.t.lat := (x->>'lat')::numeric;
    c.t.title := coalesce(x->>'title', '');
    c.t.content := coalesce(x->>'content', '');
    c.t.created_by := who.id;
    c.t.round := 0;
    c.t.contact_count := 0;
    c.t.rework_count := 0;
    c.t.event_n := 0;
    c.t.query_code_hash := x->>'query_code_hash';
    c.t.route := jsonb_build_object('hits', coalesce(x->'hits', '[]'), 'found', x->'found');
    c.payload := hotline.dimensions(c.t);
    if transition_ <> 'T01' then
        c.t.submitted_at := c.at;
        insert into hotline.outbox (id, ticket_id, kind, args, at) values (hotline.new_id(), (c.t).id, 'received', '{}', c.at);
    end if;
    c := hotline.run_clocks(c);
    if transition_ = 'T01' then
        perform hotline.start_draft_clock(c);
    end if;
    perform hotline.put_contact((c.t).id, coalesce(x->'contact', '{}') || jsonb_build_object('query_code_enc', x->>'query_code_enc'));
    perform hotline.put_grams((c.t).id, coalesce(x->'grams', '[]'));
    c := hotline.record_event(c, null, null, '{}');
    insert into hotline.ticket values ((c.t).*);
    insert into hotline.ticket_ref (ticket_no, ticket_id) values ((c.t).ticket_no, (c.t).id);
    perform hotline.count_ticket(null, c.t);
    perform hotline.refresh_inbox(c.t, null, '{}');
    return c;
end $$;

-- A draft shows yellow after 30 minutes and red after four hours; it is never counted, and nothing happens to it by itself.
create or replace function hotline.start_draft_clock(c hotline.call) returns void
language plpgsql as $$
begin
    insert into hotline.clock (id, ticket_id, kind, calendar_id, start_at, budget, unit, due_at, warn_at, deep_at, provisional)
    values (hotline.new_id(), (c.t).id, 'draft', 1, c.at, 240, 'minute', c.at + interval '4 hours', c.at + interval '30 minutes',
        c.at + interval '1 day', false);
end $$;

-- A closed ticket that cannot be archived yet, for an open decision or a longer term set meanwhile, is asked again a day later.
create or replace function hotline.archive_or_wait(m hotline.timer) returns void
language plpgsql as $$
begin
    if (hotline.step(m.ticket_id, 'archive', hotline.system_actor(), '{}', at_ => m.at)).status <> 200 then
        insert into hotline.timer (id, at, ticket_id, kind)
        select hotline.new_id(), m.at + interval '1 day', id, 'archive' from hotline.ticket where id = m.ticket_id and state = 70;
    end if;
end $$;

-- A timer of a clock came up: mark the breach, and do what follows from it.
create or replace function hotline.clock_fired(m hotline.timer) returns void
language plpgsql as $$
declare
    k hotline.clock;
    t hotline.ticket;
    a_was hotline.assignment;
    a hotline.assignment;
begin
    select * into t from hotline.ticket where id = m.ticket_id for update;
    select * into k from hotline.clock where ticket_id = m.ticket_id and id = m.clock_id;
    if k.kind in ('sign', 'unit') then
        select * into a_was from hotline.assignment where ticket_id = m.ticket_id and id = k.assignment_id;
        a := a_was;
        a.sign_counted := a.sign_counted or k.kind = 'sign' and a.state not in (8, 9);
        a.due_counted := a.due_counted or k.kind = 'unit' and a.state not in (8, 9);
        perform hotline.save_assignment(a_was, a, t, t);
    end if;
    if k.met_at is not null or k.stopped_at is not null then
        return;
    end if;
    update hotline.clock set breached_at = due_at where ticket_id = k.ticket_id and id = k.id;
    if k.kind = 'sign' then
        perform hotline.step(t.id, 'deemed_sign', hotline.system_actor(), '{}', at_ => k.due_at);
    elsif k.kind = 'audit' then
        perform hotline.step(t.id, 'audit_timeout', hotline.system_actor(), '{}', at_ => k.due_at);
    end if;
end $$;

create or replace function hotline.gram_likeness(a int[], b int[]) returns numeric
language plpgsql immutable as $$
begin
    return (
        select round(coalesce(n::numeric / nullif(cardinality(a) + cardinality(b) - n, 0), 0), 3)
        from (select count(*) as n from (select unnest(a) intersect select unnest(b)) s) c
    );
end $$;

-- Open tickets like this one: of the same caller, or of the same place in like words.  At most ten.
create or replace function hotline.similar_open(t hotline.ticket, who hotline.actor, phone_hmac_ text default null) returns jsonb
language plpgsql stable as $$
declare
    phone text := coalesce(phone_hmac_, (select phone_hmac from hotline.ticket_contact where ticket_id = t.id));
    mine int[] := (select grams from hotline.ticket_gram where ticket_id = t.id);
    found jsonb;
begin
    select coalesce(jsonb_agg(hotline.ticket_row(k) || jsonb_build_object('why', why, 'similarity', likeness) order by why = 'same caller' desc, likeness desc), '[]')
    into found
    from (
        select i.ticket_id, case when i.phone_hmac = phone then 'same caller' else 'same place' end as why,
               hotline.gram_likeness(mine, g.grams) as likeness
        from (
            (select ticket_id, phone_hmac from hotline.inbox where phone_hmac = phone and state > 10 order by ticket_id desc limit 50)
            union
            (select ticket_id, phone_hmac from hotline.inbox
             where division like left(t.division, 9) || '%' and state > 10 order by ticket_id desc limit 300)
        ) i left join hotline.ticket_gram g on g.ticket_id = i.ticket_id
        where i.ticket_id <> t.id
    ) hit
    join hotline.ticket k on k.id = hit.ticket_id
    where (why = 'same caller' or likeness >= 0.2) and hotline.sees(who, k);
    return (select coalesce(jsonb_agg(h), '[]') from (select h from jsonb_array_elements(found) h limit 10) top);
end $$;
