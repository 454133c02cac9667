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
    if bad = '[]' and x ? 'files' then
        return hotline.check_files(x->'files');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) end;
end $$;

-- Forms with fewer inputs, which an upgraded database still has and which would be ambiguous beside the present ones; and what nobody calls any more.
drop function if exists hotline.new_ticket(jsonb, hotline.actor, text, text);
drop function if exists hotline.make_ticket(jsonb, hotline.actor, text, text, hotline.call);
drop function if exists hotline.gram_likeness(int[], int[]);

-- A new ticket by T01 (a draft) or T05 (filed from outside).  spooled: the number it was answered with while the database was away,
-- the moment it came into the database, and what that found amiss with it.
create or replace function hotline.new_ticket(x jsonb, who hotline.actor, transition_ text, role_ text, spooled jsonb default null)
returns hotline.call
language plpgsql as $$
declare
    c hotline.call := hotline.make_ticket(x, who, transition_, role_, null, spooled);
begin
    perform hotline.store_tickets(array[c]);
    return c;
end $$;

-- The ticket as it will be, with number, clocks and first event; store_tickets writes it.  like_: a ticket made before it in the
-- same commit, whose clocks are the same when moment, type and urgency are: computing them is most of the work.
create or replace function hotline.make_ticket(x jsonb, who hotline.actor, transition_ text, role_ text, like_ hotline.call default null,
    spooled jsonb default null) returns hotline.call
language plpgsql as $$
declare
    c hotline.call;
    t hotline.ticket; -- a field of c.t would be set by copying all of c.t
begin
    if (like_.rule).id = transition_ then
        c.rule := like_.rule;
    else
        select w into c.rule from hotline.transition w where id = transition_;
    end if;
    c.actor := who;
    c.role := role_;
    c.x := x;
    c.at := hotline.now();
    -- Watchers know a spooled ticket's event from the moment it was stored; the event itself happened when it was answered.
    c.event := coalesce(hotline.id_at((spooled->>'stored_at')::timestamptz) | (nextval('hotline.id_seq') & 1048575), hotline.new_id());
    t.id := hotline.new_id();
    t.version := 1;
    t.state := (c.rule).to_state;
    t.channel := hotline.code_of('channel', coalesce(x->>'channel', 'web'));
    t.ticket_no := coalesce(spooled->>'number', hotline.ticket_no(c.at, t.channel, (x->>'seq')::bigint));
    t.appeal_type := coalesce(hotline.code_of('appeal_type', x->>'type'), 7::smallint);
    t.urgency := coalesce(hotline.code_of('urgency', x->>'urgency'), 4::smallint);
    t.secrecy := coalesce((x->>'secrecy')::smallint, 0::smallint);
    t.anonymous := coalesce((x->>'anonymous')::boolean, false);
    t.publish := coalesce(hotline.code_of('publish', x->>'publish'), 0::smallint);
    t.reply_wanted := coalesce((x->>'reply_wanted')::boolean, true);
    if x->>'category' is not null then
        t.category_id := (select id from hotline.category where scheme = 'local' and code = x->>'category');
    end if;
    t.division := x->>'division';
    t.address := x->>'address';
    t.lng := (x->>'lng')::numeric;
    t.lat := (x->>'lat')::numeric;
    t.title := coalesce(x->>'title', '');
    t.content := coalesce(x->>'content', '');
    t.masked := hotline.masks(x->'private');
    t.origin := x->>'origin';
    t.attributes := x->'attributes';
    t.created_by := who.id;
    t.round := 0;
    t.contact_count := 0;
    t.rework_count := 0;
    t.event_n := 0;
    t.query_code_hash := x->>'query_code_hash';
    t.route := jsonb_build_object('hits', coalesce(x->'hits', '[]'), 'found', x->'found');
    if transition_ <> 'T01' then
        t.submitted_at := c.at;
    end if;
    if t.state = 20 then
        t.accepted_at := c.at;
    end if;
    t.outer_due_at := (x->>'outer_due_at')::timestamptz;
    c.payload := hotline.dimensions(t);
    if x ? 'files' then
        c.payload := c.payload || hotline.file_digests(x->'files');
    end if;
    if spooled is not null then
        t.route := t.route || jsonb_build_object('surprises', spooled->'surprises');
        c.payload := c.payload || jsonb_build_object('spooled', jsonb_build_object('stored_at', spooled->>'stored_at', 'surprises', spooled->'surprises'));
    end if;
    c.t := t;
    if like_.at = c.at and (like_.t).appeal_type = t.appeal_type and (like_.t).urgency = t.urgency and transition_ <> 'T01' then
        c := hotline.same_clocks(c, like_);
    elsif transition_ = 'T01' then
        c := hotline.clock_run(c, hotline.draft_clock(c));
    else
        c := hotline.run_clocks(c);
    end if;
    return hotline.make_event(c, null, null, '{}');
end $$;

-- The clocks of a ticket like this one, under ids of their own.
create or replace function hotline.same_clocks(c hotline.call, like_ hotline.call) returns hotline.call
language plpgsql as $$
declare
    k hotline.clock;
begin
    foreach k in array like_.clocks loop
        k.id := hotline.new_id();
        k.ticket_id := (c.t).id;
        c := hotline.clock_run(c, k);
    end loop;
    return c;
end $$;

-- A draft shows yellow after 30 minutes and red after four hours; it is never counted, and nothing happens to it by itself.
create or replace function hotline.draft_clock(c hotline.call) returns hotline.clock
language plpgsql as $$
declare
    k hotline.clock;
begin
    k.id := hotline.new_id();
    k.ticket_id := (c.t).id;
    k.kind := 'draft';
    k.calendar_id := 1;
    k.start_at := c.at;
    k.budget := 240;
    k.unit := 'minute';
    k.due_at := c.at + interval '4 hours';
    k.warn_at := c.at + interval '30 minutes';
    k.deep_at := c.at + interval '1 day';
    k.provisional := false;
    return k;
end $$;

-- Write new tickets with all that belongs to them, one statement a table: a statement costs more than the row it writes.
create or replace function hotline.store_tickets(made hotline.call[]) returns void
language plpgsql as $$
begin
    insert into hotline.ticket select (c.t).* from unnest(made) c;
    insert into hotline.ticket_ref (ticket_no, ticket_id) select (c.t).ticket_no, (c.t).id from unnest(made) c;
    insert into hotline.ticket_contact (ticket_id, phone_enc, phone_hmac, phone_mask, name_enc, name_mask, query_code_enc)
    select (c.t).id, k->>'phone_enc', k->>'phone_hmac', k->>'phone_mask', k->>'name_enc', k->>'name_mask', c.x->>'query_code_enc'
    from unnest(made) c cross join lateral (select c.x->'contact' as k) contact;
    insert into hotline.ticket_gram (ticket_id, grams)
    select (c.t).id, array(select g::int from jsonb_array_elements_text(c.x->'grams') g) from unnest(made) c;
    insert into hotline.event select e.* from unnest(made) c cross join lateral unnest(c.records) e;
    insert into hotline.outbox (id, ticket_id, kind, args, at)
    select hotline.new_id(), (c.t).id, 'received', '{}', c.at from unnest(made) c where (c.t).submitted_at is not null;
    if exists (select from unnest(made) c where c.x ? 'files') then
        perform hotline.store_files(made);
    end if;
    perform hotline.store_clocks(made);
    insert into hotline.inbox (ticket_id, ticket_no, version, state, title, appeal_type, urgency, secrecy, channel, category_id, division,
        unit_id, round, created_by, submitted_at, due_kind, due_at, warn_at, deep_at, phone_hmac)
    select (c.t).id, (c.t).ticket_no, (c.t).version, (c.t).state, (c.t).title, (c.t).appeal_type, (c.t).urgency, (c.t).secrecy,
        (c.t).channel, (c.t).category_id, (c.t).division, (c.t).unit_id, (c.t).round, (c.t).created_by, (c.t).submitted_at,
        k.kind, k.due_at, k.warn_at, k.deep_at, c.x->'contact'->>'phone_hmac'
    from unnest(made) c
    left join lateral (select * from unnest(c.clocks) u where u.kind <> 'promise' order by due_at limit 1) k on true;
    perform hotline.count_calls(made);
end $$;

create or replace function hotline.intake_answer(c hotline.call) returns api.answer
language plpgsql stable as $$
begin
    return hotline.answer(201, jsonb_build_object('number', (c.t).ticket_no, 'query_code_enc', c.x->>'query_code_enc',
        'state', hotline.name_of('state', (c.t).state), 'promise_due_at', hotline.time_text((c.t).promise_due_at)));
end $$;

-- The tickets of an intake, and the answers by their keys.
create or replace function hotline.store_intake(made hotline.call[]) returns void
language plpgsql as $$
begin
    if made is null then
        return;
    end if;
    perform hotline.store_tickets(made);
    insert into hotline.idem (principal, route, key, digest, status, body, at)
    select c.x->>'principal', c.x->>'route', c.x->>'key', coalesce(c.x->>'digest', ''), 201, (hotline.intake_answer(c)).body, c.at
    from unnest(made) c where c.x->>'key' is not null;
end $$;

-- Open tickets like this one: of the same caller, or of the same place in like words.  At most ten.
create or replace function hotline.similar_open(t hotline.ticket, who hotline.actor, phone_hmac_ text default null) returns jsonb
language plpgsql stable set plan_cache_mode = force_generic_plan as $$ -- planning it anew would take longer than running it
declare
    phone text := coalesce(phone_hmac_, (select phone_hmac from hotline.ticket_contact where ticket_id = t.id));
    mine int[] := (select grams from hotline.ticket_gram where ticket_id = t.id);
    place text := left(t.division, 9);
begin
    return (
        select coalesce(jsonb_agg(row_ || jsonb_build_object('why', whys[nth], 'similarity', likenesses[nth]) order by nth), '[]')
        from (
            select array_agg(id order by why = 'same caller' desc, likeness desc) as ids, array_agg(why order by why = 'same caller' desc, likeness desc) as whys,
                   array_agg(likeness order by why = 'same caller' desc, likeness desc) as likenesses
            from (
                select k.id, why, likeness
                from (
                    select i.ticket_id, case when i.phone_hmac = phone then 'same caller' else 'same place' end as why,
                           round(coalesce(both_.n::numeric / nullif(cardinality(mine) + cardinality(g.grams) - both_.n, 0), 0), 3) as likeness
                    from (
                        (select ticket_id, phone_hmac from hotline.inbox where phone_hmac = phone and state > 10 order by ticket_id desc limit 50)
                        union
                        -- The operators of the index by prefix: a pattern that is not known when the plan is made would read all.
                        (select ticket_id, phone_hmac from hotline.inbox
                         where division ~>=~ place and division ~<~ (place || '~') and state > 10 order by ticket_id desc limit 300)
                    ) i left join hotline.ticket_gram g on g.ticket_id = i.ticket_id
                    cross join lateral (select count(*) as n from (select unnest(mine) intersect select unnest(g.grams)) s) both_
                    where i.ticket_id <> t.id
                ) hit
                join hotline.ticket k on k.id = hit.ticket_id
                where (why = 'same caller' or likeness >= 0.2) and hotline.sees(who, k)
                order by why = 'same caller' desc, likeness desc limit 10
            ) best
        ) best, jsonb_array_elements(hotline.ticket_rows(ids, hotline.reads_all(who, 1::smallint))) with ordinality as rows_(row_, nth)
        where ids is not null
    );
end $$;
