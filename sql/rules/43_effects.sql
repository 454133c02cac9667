-- Effects: what an action changes beside states and clocks.

-- The ticket's own fields, from whichever inputs carry them.  Once it is submitted, the words a citizen used are kept.
create or replace function hotline.apply_fields(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    if (c.t).state <> 10 and (nullif(c.x->>'title', '') <> (c.t).title or nullif(c.x->>'content', '') <> (c.t).content) then
        insert into hotline.ticket_text (ticket_id, n, title, content, by_person, at, masked)
        select (c.t).id, coalesce(max(n), 0) + 1, (c.t).title, (c.t).content, (c.actor).id, c.at, (c.t).masked
        from hotline.ticket_text where ticket_id = (c.t).id;
    end if;
    c.t.masked := hotline.masks_after(c);
    c.t.title := coalesce(nullif(c.x->>'title', ''), (c.t).title);
    c.t.content := coalesce(nullif(c.x->>'content', ''), (c.t).content);
    c.t.appeal_type := coalesce(hotline.code_of('appeal_type', c.x->>'type'), (c.t).appeal_type);
    c.t.urgency := coalesce(hotline.code_of('urgency', c.x->>'urgency'), (c.t).urgency);
    c.t.publish := coalesce(hotline.code_of('publish', c.x->>'publish'), (c.t).publish);
    c.t.secrecy := coalesce((c.x->>'secrecy')::smallint, (c.t).secrecy);
    c.t.anonymous := coalesce((c.x->>'anonymous')::boolean, (c.t).anonymous);
    c.t.reply_wanted := coalesce((c.x->>'reply_wanted')::boolean, (c.t).reply_wanted);
    c.t.division := coalesce(nullif(c.x->>'division', ''), (c.t).division);
    c.t.address := coalesce(c.x->>'address', (c.t).address);
    c.t.category_id := coalesce((select id from hotline.category where scheme = 'local' and code = c.x->>'category'), (c.t).category_id);
    c := hotline.take_words(c);
    if c.extra ? 'contact' then
        perform hotline.put_contact((c.t).id, c.extra->'contact');
    end if;
    -- Candidates are stored when the ticket goes on to its dispatch; before that they are looked up when somebody reads them.
    c.t.route := case when (c.rule).to_state = 20 then coalesce((c.t).route, '{}') || jsonb_build_object('candidates', hotline.route(c.t))
        else (c.t).route - 'candidates' end;
    c.payload := c.payload || hotline.dimensions(c.t);
    return c;
end $$;

-- The masked copies in the engine's scan of some texts, for ticket.masked.
create or replace function hotline.masks(scan jsonb) returns jsonb
language sql immutable as $$
    select case when scan is not null then (
        select coalesce(jsonb_object_agg(f.key, f.value->'masked'), '{}') from jsonb_each(scan) f
        where f.key in ('title', 'content', 'address')) end
$$;

-- The masked copies of the ticket with the words now given.  Words that nobody scanned leave none: then units see nothing of them.
-- Words given again as they are keep their copy, which knew the citizen's name.
create or replace function hotline.masks_after(c hotline.call) returns jsonb
language plpgsql stable as $$
declare
    old jsonb := jsonb_build_object('title', (c.t).title, 'content', (c.t).content, 'address', (c.t).address);
    given text[] := array(select n from unnest('{title,content,address}'::text[]) n
                          where coalesce(c.x->>n, '') <> '' and ((c.t).masked is null or c.x->>n is distinct from old->>n));
    known jsonb := (c.t).masked;
begin
    if given = '{}' then
        return known;
    elsif not c.extra ? 'private' then
        return null;
    elsif known is null and given @> '{title,content}' and (given @> '{address}' or (c.t).address is null) then
        known := '{}';
    end if;
    return known - given || (select coalesce(jsonb_object_agg(m.key, m.value), '{}') from jsonb_each(hotline.masks(c.extra->'private')) m
                             where m.key = any (given));
end $$;

-- What the text service read in the words given.  A title or content given alone says nothing against the other, which stays: the
-- ticket is found by both, and a new title does not change where the content points to.
create or replace function hotline.take_words(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    has_content boolean := coalesce(c.x->>'content', '') <> '';
    has_all boolean := has_content and coalesce(c.x->>'title', '') <> '';
begin
    if not c.extra ? 'grams' then
        return c;
    end if;
    perform hotline.put_grams((c.t).id, c.extra->'grams' || case when has_all then '[]' else
        coalesce((select to_jsonb(grams) from hotline.ticket_gram where ticket_id = (c.t).id), '[]') end);
    if has_content or coalesce((c.t).route->'hits', '[]') = '[]' then
        c.t.route := coalesce((c.t).route, '{}') || jsonb_build_object('hits', coalesce(c.extra->'hits', '[]'), 'found', c.extra->'found');
    end if;
    return c;
end $$;

-- What figures are counted by, as events carry it.
create or replace function hotline.dimensions(t hotline.ticket) returns jsonb
language sql stable as $$
    select jsonb_build_object('channel', t.channel, 'type', t.appeal_type, 'category', t.category_id, 'division', t.division, 'urgency', t.urgency)
$$;

create or replace function hotline.put_grams(tid bigint, grams_ jsonb) returns void
language plpgsql as $$
begin
    insert into hotline.ticket_gram (ticket_id, grams)
    select tid, coalesce(array_agg(distinct g::int), '{}') from jsonb_array_elements_text(grams_) g
    on conflict (ticket_id) do update set grams = excluded.grams;
end $$;

create or replace function hotline.put_contact(tid bigint, contact jsonb) returns void
language plpgsql as $$
begin
    insert into hotline.ticket_contact as k (ticket_id, phone_enc, phone_hmac, phone_mask, name_enc, name_mask, query_code_enc)
    values (tid, contact->>'phone_enc', contact->>'phone_hmac', contact->>'phone_mask', contact->>'name_enc', contact->>'name_mask',
        contact->>'query_code_enc')
    on conflict (ticket_id) do update set
        phone_enc = coalesce(excluded.phone_enc, k.phone_enc), phone_hmac = coalesce(excluded.phone_hmac, k.phone_hmac),
        phone_mask = coalesce(excluded.phone_mask, k.phone_mask), name_enc = coalesce(excluded.name_enc, k.name_enc),
        name_mask = coalesce(excluded.name_mask, k.name_mask), query_code_enc = coalesce(excluded.query_code_enc, k.query_code_enc);
end $$;

create or replace function hotline.do_edit(c hotline.call) returns hotline.call
language sql as $$ select hotline.apply_fields(c) $$;

create or replace function hotline.do_submit(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c := hotline.name_conflicts(hotline.apply_fields(c));
    c.t.submitted_at := c.at;
    c.t.accepted_at := c.at;
    return c;
end $$;

create or replace function hotline.do_accept(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    was hotline.ticket := c.t;
begin
    c := hotline.name_conflicts(hotline.apply_fields(c));
    c.t.accepted_at := coalesce((c.t).accepted_at, c.at);
    if (c.t).appeal_type <> was.appeal_type then
        c := hotline.shorten_promise(c, was.urgency);
    end if;
    return c;
end $$;

create or replace function hotline.do_answer(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c := hotline.apply_fields(c);
    c.t.submitted_at := coalesce((c.t).submitted_at, c.at);
    c.t.accepted_at := coalesce((c.t).accepted_at, c.at);
    perform hotline.note_inputs(c, 'answer_text', 'no_kb_reason', 'kb_article_ids');
    return c;
end $$;

create or replace function hotline.do_refuse(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.payload := c.payload || jsonb_build_object('refuse_code', c.x->>'refuse_code');
    perform hotline.note_inputs(c, 'told_text', 'alternative_channel');
    return c;
end $$;

create or replace function hotline.do_dispatch(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    item hotline.directory_item;
    co text;
    n int := 0;
begin
    select * into item from hotline.directory_item where id = (c.x->>'item')::int;
    c.a := null;
    c.a.id := hotline.new_id();
    c.a.ticket_id := (c.t).id;
    c.a.role := 1;
    c.a.unit_id := (c.x->>'main_unit')::int;
    c.a.round := (c.t).round;
    c.a.state := 1;
    c.a.instruction := c.x->>'instruction';
    c.a.directory_item_id := item.id;
    c.a.policy := coalesce(nullif(c.x->>'policy', ''), item.policy, hotline.policy_of(c.t));
    c.a.policy_version := hotline.policy_version((c.a).policy, c.at);
    c.a.dispatched_by := (c.actor).id;
    c.a.dispatched_at := c.at;
    c.a.forbid_return := false;
    c.a.deemed_signed := false;
    c.a.rejected_count := 0;
    c.a.sign_counted := false;
    c.a.due_counted := false;
    for co in select jsonb_array_elements_text(coalesce(c.x->'co_units', '[]')) loop
        c := hotline.add_part(c, 2, co::int, null, (
            select (hotline.clock_due(u.calendar_id, c.at, k.budget, k.unit)).due_at from hotline.unit u, hotline.policy_clock k
            where u.id = co::int and k.policy = (c.a).policy and k.version = (c.a).policy_version and k.kind = 'unit'), c.x->>'instruction');
        n := n + 1;
    end loop;
    c.t.claimed_by := null;
    c.t.claimed_until := null;
    c.t.unit_id := (c.a).unit_id;
    c.t.directory_item_id := item.id;
    c.t.policy := (c.a).policy;
    c.t.policy_version := (c.a).policy_version;
    c.t.dispatched_at := coalesce((c.t).dispatched_at, c.at);
    c.payload := c.payload || jsonb_build_object('item', item.id, 'policy', (c.a).policy, 'co_units', n);
    perform hotline.note_inputs(c, 'instruction');
    return c;
end $$;

create or replace function hotline.do_sign(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.a.signed_by := (c.actor).id;
    c.a.signed_at := c.at;
    c.a.handler_id := (c.x->>'handler')::int;
    return c;
end $$;

create or replace function hotline.do_deemed_sign(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.a.deemed_signed := true;
    c.a.sign_counted := true; -- its timer, where the sweep has not come to it yet, ends with the clock
    if exists (select from hotline.return_request where ticket_id = (c.t).id and assignment_id = (c.a).id and verdict = 'rejected' and decided_at < c.at) then
        return hotline.set_timer(c, 'unsigned', c.at, (c.a).id);
    end if;
    return c;
end $$;

create or replace function hotline.do_contact(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    insert into hotline.first_contact (ticket_id, assignment_id, event_id, contacted, at, way, attempts, fail_reason, by_person)
    values ((c.t).id, (c.a).id, c.event, (c.x->>'contacted')::boolean, coalesce((c.x->>'at')::timestamptz, c.at), c.x->>'way',
        (c.x->>'attempts')::smallint, c.x->>'fail_reason', (c.actor).id);
    if c.x->'contacted' = 'true' then
        c.a.contacted_at := coalesce((c.a).contacted_at, c.at);
    end if;
    c.payload := c.payload || jsonb_build_object('contacted', c.x->'contacted', 'way', c.x->>'way');
    perform hotline.note_inputs(c, 'fail_reason');
    return c;
end $$;

create or replace function hotline.do_reply(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    n smallint;
    asked hotline.approval;
begin
    select coalesce(max(version), 0) + 1 into n from hotline.reply where ticket_id = (c.t).id;
    insert into hotline.reply (id, ticket_id, assignment_id, round, version, result, fact_finding, content, measures, legal_basis,
        public_text, public_suggestion, told_at, told_way, submitted_by, submitted_at)
    values (c.event, (c.t).id, (c.a).id, (c.t).round, n, hotline.code_of('result', c.x->>'result'), c.x->>'fact_finding',
        c.x->>'content', c.x->>'measures', c.x->>'legal_basis', c.x->>'public_text', c.x->>'public_suggestion',
        (c.x->>'told_at')::timestamptz, c.x->>'told_way', (c.actor).id, c.at);
    insert into hotline.approval (id, ticket_id, assignment_id, kind, action, asked_by, asked_at, asks, decider_role)
    values (hotline.new_id(), (c.t).id, (c.a).id, 'reply', 'unit_approve', (c.actor).id, c.at,
        jsonb_build_object('reply', c.event::text), 'UAP')
    returning * into asked;
    c.waits := c.waits || asked;
    if hotline.setting_int('reply.copy_days') > 0 then
        insert into hotline.reply_print (unit_id, print, ticket_id, at) values ((c.a).unit_id, hotline.reply_print(c.x->>'content'), (c.t).id, c.at)
        on conflict (unit_id, print, ticket_id) do update set at = excluded.at;
    end if;
    if c.extra->'private' ? 'content' then
        update hotline.reply set masked = c.extra->'private'->'content'->>'masked' where ticket_id = (c.t).id and id = c.event;
    end if;
    c.payload := c.payload || jsonb_build_object('reply', c.event::text, 'result', c.x->>'result');
    return c;
end $$;

-- The reply under decision: the last one of this assignment.
create or replace function hotline.mark_reply(c hotline.call, verdict_ text) returns void
language plpgsql as $$
begin
    update hotline.reply set
        verdict = verdict_,
        approved_by = case verdict_ when 'approved' then (c.actor).id else approved_by end,
        approved_at = case verdict_ when 'approved' then c.at else approved_at end,
        audited_by = case when verdict_ in ('passed', 'rejected') then (c.actor).id else audited_by end,
        audited_at = case when verdict_ in ('passed', 'rejected') then c.at else audited_at end,
        reject_code = case verdict_ when 'rejected' then c.x->>'reject_code' else reject_code end
    where ticket_id = (c.t).id
      and id = (select max(id) from hotline.reply where ticket_id = (c.t).id and assignment_id = (c.a).id);
end $$;

create or replace function hotline.do_unit_approve(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.mark_reply(c, 'approved');
    c.a.replied_at := c.at;
    c.t.replied_at := c.at;
    perform hotline.note_inputs(c, 'opinion');
    return c;
end $$;

create or replace function hotline.do_unit_reject(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.mark_reply(c, 'unit_rejected');
    delete from hotline.reply_print where ticket_id = (c.t).id and unit_id = (c.a).unit_id -- it never left: it may be the right one elsewhere
        and print = (select hotline.reply_print(content) from hotline.reply where ticket_id = (c.t).id and assignment_id = (c.a).id order by id desc limit 1);
    perform hotline.note_inputs(c, 'opinion');
    return c;
end $$;

create or replace function hotline.do_audit_pass(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.mark_reply(c, 'passed');
    c.a.accepted_at := c.at;
    c.payload := c.payload || jsonb_build_object('quality_score', c.x->'quality_score');
    perform hotline.draw_callback(c);
    perform hotline.fan_out(c);
    return c;
end $$;

create or replace function hotline.do_audit_reject(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.mark_reply(c, 'rejected');
    c.a.rejected_count := (c.a).rejected_count + 1;
    c.payload := c.payload || jsonb_build_object('reject_code', c.x->>'reject_code');
    perform hotline.note_inputs(c, 'comment');
    return c;
end $$;

create or replace function hotline.in_quiet_hours(at timestamptz) returns boolean
language plpgsql immutable as $$
begin
    return (select t >= '20:00' or t < '08:30' or t >= '12:00' and t < '14:30' from (select (at at time zone 'Asia/Shanghai')::time as t) x);
end $$;

-- An attempt that reached nobody may be the one after which only the rating link is left.
create or replace function hotline.do_attempt(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    outcome_ smallint := hotline.code_of('outcome', c.x->>'outcome');
    from_at timestamptz;
    linked boolean;
begin
    insert into hotline.callback_attempt (ticket_id, event_id, round, outcome, at, by_person, quiet)
    values ((c.t).id, c.event, (c.t).round, outcome_, c.at, (c.actor).id, hotline.in_quiet_hours(c.at));
    c.payload := c.payload || jsonb_build_object('outcome', outcome_);
    if c.x ? 'sat_result' then
        perform hotline.keep_verdict(c);
    end if;
    from_at := hotline.unreachable_from((c.t).id, (c.t).round);
    delete from hotline.timer where ticket_id = (c.t).id and kind = 'unreachable';
    linked := found;
    if from_at is not null then
        c := hotline.set_timer(c, 'unreachable', from_at);
    end if;
    if from_at is null and not hotline.is_reached(outcome_) then
        perform hotline.plan_attempt(c);
    end if;
    if from_at is not null and not linked or outcome_ = 12 then
        c := hotline.notify(c, 'rating_link', jsonb_build_object('round', (c.t).round));
    end if;
    return c;
end $$;

-- The citizen's word, kept as it is given: at an attempt, with a request for rework, or when closing.
create or replace function hotline.keep_verdict(c hotline.call) returns void
language plpgsql as $$
begin
    insert into hotline.callback (ticket_id, round, contacted_by_unit, resolved, sat_process, sat_result, at, by_person)
    values ((c.t).id, (c.t).round, (c.x->>'contacted_by_unit')::boolean, hotline.code_of('resolved', c.x->>'resolved'),
        hotline.code_of('satisfaction', c.x->>'sat_process'), hotline.code_of('satisfaction', c.x->>'sat_result'), c.at,
        coalesce((c.approval).asked_by, (c.actor).id))
    on conflict (ticket_id, round) do update set
        contacted_by_unit = excluded.contacted_by_unit, resolved = excluded.resolved, sat_process = excluded.sat_process,
        sat_result = excluded.sat_result, at = excluded.at, by_person = excluded.by_person;
end $$;

-- The verdict of this round becomes the ticket's.
create or replace function hotline.take_verdict(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    b hotline.callback;
begin
    select * into b from hotline.callback where ticket_id = (c.t).id and round = (c.t).round;
    c.t.rated := b.sat_result;
    c.t.resolved := b.resolved;
    c.payload := c.payload || jsonb_build_object('sat_result', b.sat_result, 'sat_process', b.sat_process, 'resolved', b.resolved,
        'contacted_by_unit', b.contacted_by_unit);
    return c;
end $$;

-- How a ticket counts as closed: by what the unit's accepted reply says was done.
create or replace function hotline.close_kind_of(t hotline.ticket) returns smallint
language plpgsql stable as $$
begin
    return (
        select case result when 1 then 2 when 2 then 2 when 3 then 4 when 6 then 5 else 3 end::smallint
        from hotline.reply where ticket_id = t.id and verdict = 'passed' order by id desc limit 1
    );
end $$;

create or replace function hotline.do_verdict_close(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.keep_verdict(c);
    c := hotline.take_verdict(c);
    c.t.close_kind := hotline.close_kind_of(c.t);
    perform hotline.note_inputs(c, 'comment');
    return c;
end $$;

create or replace function hotline.do_close_unsatisfied(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c := hotline.take_verdict(c);
    perform hotline.note_inputs(c, 'why_no_rework', 'legal_basis');
    return c;
end $$;

-- Closed without a verdict: rated 0 where the citizen was asked and not reached, null where no callback was wanted.
create or replace function hotline.do_close(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.t.close_kind := hotline.close_kind_of(c.t);
    c.t.rated := case (c.rule).id when 'T67' then 0 end;
    c.t.resolved := null;
    return c;
end $$;

create or replace function hotline.do_archive(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.t.archived_at := c.at;
    return c;
end $$;

-- The same unit does it again.
create or replace function hotline.do_rework(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.keep_verdict(c);
    c := hotline.take_verdict(c);
    c := hotline.next_round(c, (select string_agg(e, E'\n') from jsonb_array_elements_text(c.x->'must_do') e));
    c.t.rework_count := (c.t).rework_count + 1;
    perform hotline.note_inputs(c, 'rework_reason', 'must_do');
    return c;
end $$;

-- A new round with an assignment of its own; that of the round before is done and kept.
create or replace function hotline.next_round(c hotline.call, instruction_ text) returns hotline.call
language plpgsql as $$
declare
    was hotline.assignment := c.a;
begin
    c.a.state := 7;
    c.a.done_at := coalesce((c.a).done_at, c.at);
    perform hotline.save_assignment(was, c.a, c.t, c.t);
    c := hotline.end_parts(c, 7);
    c.t.round := (c.t).round + 1;
    c.a.id := hotline.new_id();
    c.a.round := (c.t).round;
    c.a.state := 1;
    c.a.policy := 'W1';
    c.a.policy_version := hotline.policy_version('W1', c.at);
    c.a.instruction := instruction_;
    c.a.forbid_return := true;
    c.a.dispatched_by := (c.actor).id;
    c.a.dispatched_at := c.at;
    c.a.deemed_signed := false;
    c.a.sign_due_at := null;
    c.a.signed_by := null;
    c.a.signed_at := null;
    c.a.contacted_at := null;
    c.a.unit_due_at := null;
    c.a.replied_at := null;
    c.a.accepted_at := null;
    c.a.done_at := null;
    c.a.rejected_count := 0;
    c.a.sign_counted := false;
    c.a.due_counted := false;
    c.a.return_until := null;
    c.a.return_asked_at := null;
    c.payload := c.payload || jsonb_build_object('old_assignment', was.id::text, 'policy', 'W1');
    return c;
end $$;
