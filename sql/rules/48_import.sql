-- History from another system: tickets with times of their own.  Nothing here asks what the workflow allows now and nothing is
-- sent to anybody; the events tell what the other system knew, each at its own time, by the role EXT.  A step that the other
-- system says nothing about (a signature, an audit) is not invented, except what a later state implies.

-- How far along each state is: 1 filed, 2 accepted, 3 with a unit, 4 in handling, 5 replied, 6 audited; ended ones by their times.
create or replace function hotline.import_stage(state_ smallint) returns int
language sql immutable as $$
    select case state_ when 11 then 1 when 20 then 2 when 30 then 3 when 40 then 4 when 50 then 5 when 60 then 6 when 70 then 7 when 71 then 7
                       when 80 then 0 when 81 then 0 when 82 then 0 when 83 then 0 when 84 then 0 when 85 then 0 end
$$;

-- What rows are looked up in, read once a batch: {kind: {word: code}} and, for "type/urgency", the policy.
create or replace function hotline.import_words() returns jsonb
language sql stable as $$
    select jsonb_object_agg(kind, words) || jsonb_build_object('policy', (
               select jsonb_object_agg(t.code || '/' || u.code, hotline.policy_for(t.code, u.code))
               from hotline.word t cross join hotline.word u where t.kind = 'appeal_type' and u.kind = 'urgency'))
    from (select kind, jsonb_object_agg(name, code) as words from hotline.word group by kind) w
$$;

-- Null, or what is wrong with a row: its fields as in bad_inputs.  Types, lengths and words were checked by the reader.
create or replace function hotline.import_faults(r jsonb, words jsonb) returns jsonb
language plpgsql stable as $$
declare
    bad jsonb := '[]';
    state_ smallint := (words->'state'->>(r->>'state'))::smallint;
    stage int := hotline.import_stage(state_);
    name_ text;
    last_name text;
    last_at timestamptz;
    at_ timestamptz;
begin
    if coalesce(length(r->>'id'), 0) not between 1 and 100 then
        bad := bad || hotline.field('id', 'required', '缺少原系统编号。', 'The other system''s id is needed.');
    end if;
    if coalesce(char_length(r->>'title'), 0) not between 1 and 200 then
        bad := bad || hotline.field('title', 'bad_value', '标题须为 1–200 字。', 'A title has 1 to 200 characters.');
    end if;
    if stage is null then
        bad := bad || hotline.field('state', 'bad_value', '没有这种状态，或不能导入。', 'There is no such state, or it cannot be taken over.');
        return bad;
    end if;
    foreach name_ in array '{channel,type,urgency,publish,satisfaction,resolved}'::text[] loop
        if (r ? name_ or name_ = 'channel')
           and words->(case name_ when 'type' then 'appeal_type' else name_ end)->(r->>name_) is null then
            bad := bad || hotline.field(name_, 'bad_word', '没有这个词。', 'There is no such word.');
        end if;
    end loop;
    if r ? 'unit' and not exists (select from hotline.unit where code = r->>'unit') then
        bad := bad || hotline.field('unit', 'unknown_unit', '没有这个单位。', 'There is no such unit.');
    end if;
    if r ? 'category' and not exists (select from hotline.category where scheme = 'local' and code = r->>'category') then
        bad := bad || hotline.field('category', 'unknown_category', '没有这个类别。', 'There is no such category.');
    end if;
    if r ? 'division' and not exists (select from hotline.division where code = r->>'division') then
        bad := bad || hotline.field('division', 'unknown_division', '没有这个区域。', 'There is no such place.');
    end if;

    foreach name_ in array '{submitted_at,accepted_at,dispatched_at,signed_at,replied_at,audited_at,ended_at,archived_at}'::text[] loop
        if r ? name_ then
            at_ := (r->>name_)::timestamptz;
            if at_ < '2000-01-01' or at_ > hotline.now() then
                bad := bad || hotline.field(name_, 'bad_time', '时间须在 2000 年以后、现在之前。', 'A time of the past, from 2000 on.');
            elsif at_ < last_at then
                bad := bad || hotline.field(name_, 'bad_order', '早于' || last_name || '。', 'Earlier than ' || last_name || '.');
            end if;
            last_name := name_;
            last_at := at_;
        end if;
    end loop;
    foreach name_ in array '{promise_due_at,sign_due_at,due_at}'::text[] loop
        if r ? name_ and (r->>name_)::timestamptz not between '2000-01-01' and '2100-01-01' then
            bad := bad || hotline.field(name_, 'bad_time', '时限须在 2000 年与 2100 年之间。', 'A due time from 2000 to 2100.');
        end if;
    end loop;
    if not (r ? 'submitted_at' or r ? 'accepted_at') then
        bad := bad || hotline.field('submitted_at', 'required', '缺少提交时间。', 'When it was filed is needed.');
    end if;

    -- What each state cannot be without, and what it cannot have.
    foreach name_ in array case when stage >= 2 then '{accepted_at}'::text[] else '{}' end
        || case when stage between 3 and 6 or r ? 'unit' or r ? 'dispatched_at' then '{dispatched_at,unit}'::text[] else '{}' end
        || case when stage in (5, 6) then '{replied_at}'::text[] else '{}' end
        || case when stage in (0, 7) then '{ended_at}'::text[] else '{}' end
    loop
        if not r ? name_ then
            bad := bad || hotline.field(name_, 'required', '这种状态必须有' || name_ || '。', 'This state needs ' || name_ || '.');
        end if;
    end loop;
    if stage between 1 and 6 then
        foreach name_ in array ('{accepted_at,dispatched_at,signed_at,replied_at,audited_at,ended_at}'::text[])[stage:] loop
            if r ? name_ then
                bad := bad || hotline.field(name_, 'not_in_state', '这种状态不应有' || name_ || '。', 'This state has no ' || name_ || '.');
            end if;
        end loop;
    end if;
    if state_ = 80 and r ? 'accepted_at' then
        bad := bad || hotline.field('accepted_at', 'not_in_state', '不予受理的没有受理时间。', 'What was refused was never accepted.');
    end if;
    if r ? 'archived_at' and state_ <> 71 then
        bad := bad || hotline.field('archived_at', 'not_in_state', '只有已归档的有归档时间。', 'Only what is archived has this time.');
    end if;
    return nullif(bad, '[]');
end $$;

-- Append one event, dated at_, to the ticket's chain; the states of c's ticket and assignment become those given.
create or replace function hotline.import_event(h hotline.history, transition_ text, action_ text, at_ timestamptz, state_ smallint,
    assignment_ smallint, units_ int[], payload_ jsonb) returns hotline.history
language plpgsql as $$
declare
    e hotline.event;
begin
    e.id := hotline.id_at(at_) | (nextval('hotline.id_seq') & 1048575);
    e.ticket_id := (h.t).id;
    e.n := (h.t).event_n + 1;
    e.transition := transition_;
    e.action := action_;
    e.at := at_;
    e.actor_role := 'EXT';
    e.unit_id := (h.t).unit_id;
    e.assignment_id := (h.a).id;
    e.from_state := (h.t).state;
    e.to_state := state_;
    if not payload_ ? 'main_unit' then
        e.assignment_from := (h.a).state;
    end if;
    e.assignment_to := assignment_;
    e.units := units_;
    e.payload := payload_;
    e.prev_hash := (h.t).event_hash;
    e.hash := hotline.event_hash(e.prev_hash, e);
    h.events := h.events || e;
    h.t.event_n := e.n;
    h.t.event_at := at_;
    h.t.event_hash := e.hash;
    h.t.state := state_;
    h.a.state := assignment_;
    return h;
end $$;

-- A clock with the due time that was given.  Its lights need no calendar: hours before and a day after.
create or replace function hotline.import_clock(h hotline.history, kind_ text, start_ timestamptz, due_ timestamptz, met_ timestamptz)
returns hotline.history
language plpgsql as $$
declare
    k hotline.clock;
begin
    k.id := hotline.id_at((h.t).submitted_at) | (nextval('hotline.id_seq') & 1048575);
    k.ticket_id := (h.t).id;
    k.assignment_id := case when kind_ <> 'promise' then (h.a).id end;
    k.kind := kind_;
    k.calendar_id := 1;
    k.start_at := start_;
    k.unit := 'hour';
    k.budget := greatest(ceil(extract(epoch from due_ - start_) / 3600), 0);
    k.due_at := due_;
    k.warn_at := due_ - k.budget * 0.3 * interval '1 hour';
    k.deep_at := due_ + interval '1 day';
    k.provisional := false;
    k.met_at := met_;
    if met_ is null then
        k.stopped_at := (h.t).ended_at;
    end if;
    if coalesce(met_, k.stopped_at, hotline.now()) > due_ then
        k.breached_at := due_;
    end if;
    h.clocks := h.clocks || k;
    return h;
end $$;

-- A row as a ticket with its assignment, clocks and events; nothing is written yet.  swept: due times up to here count already.
create or replace function hotline.import_ticket(r jsonb, words jsonb, swept timestamptz) returns hotline.history
language plpgsql as $$
declare
    h hotline.history;
    final smallint := (words->'state'->>(r->>'state'))::smallint;
    stage int := hotline.import_stage(final);
    unit_ hotline.unit;
    how text[];
begin
    unit_.path := '{}';
    h.t.submitted_at := coalesce((r->>'submitted_at')::timestamptz, (r->>'accepted_at')::timestamptz);
    h.t.id := hotline.id_at((h.t).submitted_at) | (nextval('hotline.id_seq') & 1048575);
    h.t.version := 1;
    h.t.event_n := 0;
    h.t.round := 0;
    h.t.contact_count := 0;
    h.t.rework_count := 0;
    h.t.channel := (words->'channel'->>(r->>'channel'))::smallint;
    h.t.ticket_no := hotline.ticket_no((h.t).submitted_at, (h.t).channel, nextval('hotline.ticket_no_seq'));
    h.t.appeal_type := coalesce((words->'appeal_type'->>(r->>'type'))::smallint, 7::smallint);
    h.t.urgency := coalesce((words->'urgency'->>(r->>'urgency'))::smallint, 4::smallint);
    h.t.secrecy := coalesce((r->>'secrecy')::smallint, 0::smallint);
    h.t.anonymous := coalesce((r->>'anonymous')::boolean, not r ? 'contact');
    h.t.publish := coalesce((words->'publish'->>(r->>'publish'))::smallint, 0::smallint);
    h.t.reply_wanted := coalesce((r->>'reply_wanted')::boolean, true);
    h.t.category_id := (select id from hotline.category where scheme = 'local' and code = r->>'category');
    h.t.division := r->>'division';
    h.t.address := r->>'address';
    h.t.lng := (r->>'lng')::numeric;
    h.t.lat := (r->>'lat')::numeric;
    h.t.title := r->>'title';
    h.t.content := coalesce(r->>'content', '');
    h.t.masked := hotline.masks(r->'private');
    h.t.accepted_at := (r->>'accepted_at')::timestamptz;
    h.t.ended_at := (r->>'ended_at')::timestamptz;
    h.t.promise_due_at := (r->>'promise_due_at')::timestamptz;
    h := hotline.import_event(h, 'T05', 'submit_online', (h.t).submitted_at, 11::smallint, null, '{}',
        hotline.dimensions(h.t) || '{"imported": true}');
    if (h.t).accepted_at is not null then
        h := hotline.import_event(h, 'T06', 'accept', (h.t).accepted_at, 20::smallint, null, '{}', '{}');
    end if;

    if r ? 'dispatched_at' then
        select * into unit_ from hotline.unit where code = r->>'unit';
        h.t.dispatched_at := (r->>'dispatched_at')::timestamptz;
        h.t.unit_id := unit_.id;
        h.t.policy := words->'policy'->>((h.t).appeal_type || '/' || (h.t).urgency);
        h.t.policy_version := hotline.policy_version((h.t).policy, (h.t).dispatched_at);
        h.a.id := hotline.id_at((h.t).dispatched_at) | (nextval('hotline.id_seq') & 1048575);
        h.a.ticket_id := (h.t).id;
        h.a.role := 1;
        h.a.unit_id := unit_.id;
        h.a.round := 0;
        h.a.policy := (h.t).policy;
        h.a.policy_version := (h.t).policy_version;
        h.a.forbid_return := false;
        h.a.deemed_signed := false;
        h.a.rejected_count := 0;
        h.a.dispatched_at := (h.t).dispatched_at;
        h.a.sign_due_at := (r->>'sign_due_at')::timestamptz;
        h.a.unit_due_at := (r->>'due_at')::timestamptz;
        h := hotline.import_event(h, 'T18', 'dispatch', (h.t).dispatched_at, 30::smallint, 1::smallint, unit_.path,
            jsonb_build_object('main_unit', unit_.id, 'round', 0, 'sign_due_at', (h.a).sign_due_at, 'unit_due_at', (h.a).unit_due_at));
        h.a.signed_at := coalesce((r->>'signed_at')::timestamptz, case when stage = 4 then (h.t).dispatched_at end);
        if (h.a).signed_at is not null then
            h := hotline.import_event(h, 'T30', 'sign', (h.a).signed_at, 40::smallint, 3::smallint, unit_.path, '{}');
        end if;
        h.t.replied_at := coalesce((r->>'replied_at')::timestamptz, case when stage = 7 then (h.t).ended_at end);
        h.a.replied_at := (h.t).replied_at;
        if (h.t).replied_at is not null then
            h := hotline.import_event(h, 'T53', 'unit_approve', (h.t).replied_at, 50::smallint, 5::smallint, unit_.path, '{}');
        end if;
        h.a.accepted_at := coalesce((r->>'audited_at')::timestamptz,
            case when stage = 6 then (h.t).replied_at when stage = 7 then (h.t).ended_at end);
        if (h.a).accepted_at is not null then
            h := hotline.import_event(h, 'T60', 'audit_pass', (h.a).accepted_at, 60::smallint, 5::smallint, unit_.path, '{}');
        end if;
    end if;

    if stage = 7 then
        h.t.closed_at := (h.t).ended_at;
        if (h.a).id is null then
            h.t.close_kind := 1;
            how := '{T03,answer_on_spot}';
        elsif r ? 'satisfaction' or r ? 'resolved' then
            h.t.rated := coalesce((words->'satisfaction'->>(r->>'satisfaction'))::smallint, 0::smallint);
            h.t.resolved := (words->'resolved'->>(r->>'resolved'))::smallint;
            h.t.close_kind := case (h.t).resolved when 2 then 4 when 3 then 5 else 2 end;
            how := '{T64,callback_ok}';
        else
            h.t.close_kind := 2;
            how := '{T68,close_waived}';
        end if;
        h := hotline.import_event(h, how[1], how[2], (h.t).closed_at, 70::smallint, case when (h.a).id is not null then 7::smallint end,
            unit_.path, case when (h.t).rated is null then '{}'
                else jsonb_strip_nulls(jsonb_build_object('sat_result', (h.t).rated, 'resolved', (h.t).resolved)) end);
        if final = 71 then
            h.t.archived_at := coalesce((r->>'archived_at')::timestamptz, (h.t).closed_at);
            h := hotline.import_event(h, 'T79', 'archive', (h.t).archived_at, 71::smallint, (h.a).state, unit_.path, '{}');
        end if;
    elsif stage = 0 then
        how := case final when 80 then '{T10,refuse}' when 81 then '{T77,withdraw}' when 82 then '{T73,void}' when 83 then '{T14,merge}'
                          when 84 then '{T78,refer_out}' else '{T54,terminate}' end;
        h := hotline.import_event(h, how[1], how[2], (h.t).ended_at, final, case when (h.a).id is not null then 9::smallint end, unit_.path, '{}');
        h.t.close_kind := case final when 81 then 10 when 83 then 9 when 84 then 11 when 85 then 8 end;
    end if;
    if (h.a).state in (7, 9) then
        h.a.done_at := (h.t).ended_at;
    end if;

    if (h.t).promise_due_at is not null then
        h := hotline.import_clock(h, 'promise', (h.t).submitted_at, (h.t).promise_due_at, coalesce((h.a).accepted_at, (h.t).closed_at));
    end if;
    if (h.a).id is not null then
        h.a.sign_counted := coalesce((h.a).sign_due_at <= swept and (h.a).state <> 9, false);
        h.a.due_counted := coalesce((h.a).unit_due_at <= swept and (h.a).state <> 9, false);
        if (h.a).sign_due_at is not null then
            h := hotline.import_clock(h, 'sign', (h.a).dispatched_at, (h.a).sign_due_at, coalesce((h.a).signed_at, (h.a).replied_at));
        end if;
        if (h.a).unit_due_at is not null then
            h := hotline.import_clock(h, 'unit', (h.a).dispatched_at, (h.a).unit_due_at, (h.a).replied_at);
        end if;
    end if;
    return h;
end $$;

-- The figures' differences of a batch, those of one day and kind as one.
create or replace function hotline.import_count(ts hotline.ticket[], as_ hotline.assignment[]) returns void
language sql as $$
    with t as (
        select * from unnest(ts)
    ), told as (
        select t.id, f.day, f.fact, f.bucket, coalesce(t.unit_id, 0) as unit_id, coalesce(t.category_id, 0) as category_id, t.channel,
               coalesce(left(t.division, 6), '') as district, f.n
        from unnest(ts) t
        cross join lateral hotline.ticket_facts(t) f
        union all
        select t.id, f.day, f.fact, f.bucket, a.unit_id, coalesce(t.category_id, 0), t.channel, coalesce(left(t.division, 6), ''), f.n
        from unnest(as_) a
        join t on t.id = a.ticket_id
        cross join lateral hotline.assignment_facts(a) f
    )
    insert into hotline.fact_delta (ticket_id, day, fact, bucket, unit_id, category_id, channel, district, n)
    select min(id), day, fact, bucket, unit_id, category_id, channel, district, sum(n)
    from told
    group by 2, 3, 4, 5, 6, 7, 8
    having sum(n) <> 0
$$;

-- Write what is missing of these rows: {"imported", "there", "bad": [{"row", "fields"}…]}.  Locks the sweep's mark, so that no due time
-- is passed between counting it and setting its timer.
create or replace function hotline.import_rows(source_ text, rows_ jsonb) returns jsonb
language plpgsql as $$
declare
    swept timestamptz;
    words jsonb := hotline.import_words();
    known text[];
    r jsonb;
    i int := -1;
    faults jsonb;
    bad jsonb := '[]';
    there int := 0;
    h hotline.history;
    ts hotline.ticket[];
    as_ hotline.assignment[];
    ks hotline.clock[];
    es hotline.event[];
    given jsonb[];
begin
    select swept_to into swept from hotline.sweep for share;
    known := array(select external_id from hotline.imported
                   where source = source_ and external_id in (select x->>'id' from jsonb_array_elements(rows_) x));
    for r in select jsonb_array_elements(rows_) loop
        i := i + 1;
        if r->>'id' = any (known) then
            there := there + 1;
            continue;
        end if;
        faults := hotline.import_faults(r, words);
        if faults is not null then
            bad := bad || jsonb_build_object('row', i, 'fields', faults);
            continue;
        end if;
        h := hotline.import_ticket(r, words, swept);
        -- The same id twice in one batch, or by another run just now.
        insert into hotline.imported (source, external_id, ticket_id) values (source_, r->>'id', (h.t).id) on conflict do nothing;
        if not found then
            there := there + 1;
            continue;
        end if;
        ts := ts || h.t;
        ks := ks || h.clocks;
        es := es || h.events;
        given := given || (r || jsonb_build_object('ticket', (h.t).id));
        if (h.a).id is not null then
            as_ := as_ || h.a;
        end if;
    end loop;

    insert into hotline.ticket select (t).* from unnest(ts) t;
    insert into hotline.ticket_ref (ticket_no, ticket_id) select t.ticket_no, t.id from unnest(ts) t;
    insert into hotline.ticket_contact (ticket_id, phone_enc, phone_hmac, phone_mask, name_enc, name_mask)
    select (g->>'ticket')::bigint, g->'contact'->>'phone_enc', g->'contact'->>'phone_hmac', g->'contact'->>'phone_mask',
           g->'contact'->>'name_enc', g->'contact'->>'name_mask'
    from unnest(given) g;
    insert into hotline.ticket_gram (ticket_id, grams)
    select (g->>'ticket')::bigint, array(select jsonb_array_elements_text(g->'grams')::int)
    from unnest(given) g
    where jsonb_typeof(g->'grams') = 'array';
    insert into hotline.assignment select a.* from unnest(as_) a;
    insert into hotline.clock select k.* from unnest(ks) k;
    insert into hotline.timer (id, at, ticket_id, kind, clock_id)
    select hotline.new_id(), k.due_at, k.ticket_id, 'clock', k.id
    from unnest(ks) k
    where case when k.kind in ('sign', 'unit') then k.due_at > swept or k.kind = 'sign' and k.met_at is null and k.stopped_at is null
               else k.due_at > swept and k.met_at is null and k.stopped_at is null end;
    insert into hotline.timer (id, at, ticket_id, kind)
    select hotline.new_id(), t.closed_at + make_interval(days => hotline.setting_int('archive.days')), t.id, 'archive'
    from unnest(ts) t
    where t.state = 70;
    insert into hotline.event select e.* from unnest(es) e;
    insert into hotline.event_note (ticket_id, event_id, name, body)
    select e.ticket_id, e.id, 'reply', g->>'reply'
    from unnest(given) g
    join unnest(es) e on e.ticket_id = (g->>'ticket')::bigint
    where e.transition in ('T53', 'T03') and g->>'reply' <> '';
    perform hotline.store_inbox(hotline.as_stored(array(select t.id from unnest(ts) t where t.state < 70)));
    perform hotline.import_count(ts, as_);
    return jsonb_build_object('imported', coalesce(cardinality(ts), 0), 'there', there, 'bad', bad);
end $$;
