-- The record set for the province (JSON Lines): tickets with their assignments, steps, replies and verdicts, each idempotent by source_no
-- and version.  Sealed matters stay here; where secrecy hides the citizen the masked words go out.  Contact data goes out as masks.

create or replace function hotline.unit_code(id_ int) returns text
language sql stable as $$ select code from hotline.unit where id = id_ $$;

create or replace function hotline.export_ticket(tid bigint) returns setof jsonb
language plpgsql stable as $$
declare
    t hotline.ticket;
    base jsonb;
begin
    select * into t from hotline.ticket where id = tid;
    if t.id is null or t.secrecy = 3 or t.state = 10 then
        return;
    end if;
    base := jsonb_build_object('source_no', t.ticket_no, 'version', t.event_n);
    if t.secrecy > 0 then
        t := hotline.veiled(t);
    end if;
    return next base || (select jsonb_build_object('kind', 'ticket', 'type', hotline.name_of('appeal_type', t.appeal_type), 'state', hotline.name_of('state', t.state),
        'province_no', (select min(external_id) from hotline.external_ref where system = 'province' and ticket_id = t.id),
        'category', (select code from hotline.category where id = t.category_id),
        'categories', (select coalesce(jsonb_object_agg(o.scheme, o.code), '{}') from hotline.category_map m join hotline.category o on o.id = m.to_id
                       where m.category_id = t.category_id and m.valid_to is null),
        'channel', hotline.name_of('channel', t.channel), 'region', t.division, 'address', t.address, 'title', t.title, 'content', t.content,
        'urgency', hotline.name_of('urgency', t.urgency), 'secrecy', t.secrecy, 'anonymous', t.anonymous,
        'appellant', (select jsonb_strip_nulls(jsonb_build_object('phone', phone_mask, 'name', name_mask)) from hotline.ticket_contact where ticket_id = t.id),
        'submitted_at', hotline.time_text(t.submitted_at), 'accepted_at', hotline.time_text(t.accepted_at), 'dispatched_at', hotline.time_text(t.dispatched_at),
        'due_at', hotline.time_text(t.promise_due_at), 'closed_at', hotline.time_text(t.closed_at), 'ended_at', hotline.time_text(t.ended_at),
        'close_kind', case when t.state >= 70 then hotline.name_of('close_kind', t.close_kind) end));
    return query select base || jsonb_build_object('kind', 'assignment', 'assignment', a.id::text, 'unit', u.code, 'unit_name', u.name,
            'role', case a.role when 1 then 'main' when 2 then 'co' else 'sub' end, 'round', a.round, 'state', hotline.name_of('assignment_state', a.state),
            'dispatched_at', hotline.time_text(a.dispatched_at), 'signed_at', hotline.time_text(a.signed_at), 'contacted_at', hotline.time_text(a.contacted_at),
            'replied_at', hotline.time_text(a.replied_at), 'done_at', hotline.time_text(a.done_at), 'returned', a.state = 8)
        from hotline.assignment a join hotline.unit u on u.id = a.unit_id where a.ticket_id = t.id order by a.id;
    return query select base || jsonb_build_object('kind', 'event', 'event', e.id::text, 'n', e.n, 'action', e.action, 'at', hotline.time_text(e.at),
            'unit', hotline.unit_code(coalesce((select p.unit_id from hotline.person p where p.id = e.actor_id), e.unit_id)), 'role', e.actor_role,
            'state', hotline.name_of('state', e.to_state))
        from hotline.event e where e.ticket_id = t.id order by e.n;
    return query select base || jsonb_build_object('kind', 'reply', 'reply', r.id::text, 'unit', hotline.unit_code((select a.unit_id from hotline.assignment a
                where a.ticket_id = t.id and a.id = r.assignment_id)), 'round', r.round, 'result', hotline.name_of('result', r.result),
            'content', case when t.secrecy = 0 then r.content end, 'public_text', r.public_text, 'at', hotline.time_text(r.submitted_at), 'verdict', r.verdict)
        from hotline.reply r where r.ticket_id = t.id order by r.id;
    return query select base || jsonb_build_object('kind', 'callback', 'round', k.round, 'contacted', k.contacted_by_unit,
            'resolved', hotline.name_of('resolved', k.resolved), 'sat_process', hotline.name_of('satisfaction', k.sat_process),
            'sat_result', hotline.name_of('satisfaction', k.sat_result), 'at', hotline.time_text(k.at))
        from hotline.callback k where k.ticket_id = t.id order by k.round;
end $$;

-- What a checker at the province would find amiss with a ticket: "missing:…" of a required field, "code:…" that its scheme does not have,
-- "short" (content under ten characters), "order" (steps not in the order of time), "late" (told more than a day after it happened).
create or replace function hotline.export_faults(tid bigint) returns text[]
language plpgsql stable as $$
declare
    t hotline.ticket;
    found_ text[] := '{}';
begin
    select * into t from hotline.ticket where id = tid;
    found_ := array(select 'missing:' || name from (values ('title', t.title), ('content', t.content), ('type', t.appeal_type::text), ('channel', t.channel::text),
            ('region', t.division), ('category', t.category_id::text), ('submitted_at', t.submitted_at::text),
            ('dispatched_at', case when t.state between 30 and 60 then coalesce(t.dispatched_at::text, '') else 'x' end)) as v(name, value)
        where coalesce(value, '') = '');
    if t.division is not null and not exists (select from hotline.division where code = t.division) then
        found_ := found_ || 'code:region'::text;
    end if;
    if t.category_id is not null and not exists (select from hotline.category where id = t.category_id) then
        found_ := found_ || 'code:category'::text;
    end if;
    if char_length(t.content) < 10 then
        found_ := found_ || 'short'::text;
    end if;
    if exists (select from (select at < lag(at) over (order by n) as back from hotline.event where ticket_id = tid) s where back) then
        found_ := found_ || 'order'::text;
    end if;
    if t.event_at < hotline.now() - interval '1 day' then
        found_ := found_ || 'late'::text;
    end if;
    return found_;
end $$;

-- The score of an export, of 25 (what the province counts for the stability of its interface is not ours to say): complete 10, content 10
-- (the mean of content, codes and order), in time 5 (of a delta).
create or replace function hotline.export_score(tickets int, missing int, codes int, short_ int, disorder int, late int, delta boolean) returns jsonb
language plpgsql immutable as $$
declare
    n numeric := greatest(tickets, 1);
    complete numeric := 10 * (1 - missing / (n * 8));
    content numeric := 10 * (3 - short_ / n - codes / (n * 2) - disorder / n) / 3;
    in_time numeric := case when delta then 5 * (1 - late / n) else 5 end;
begin
    return jsonb_build_object('complete', round(complete, 2), 'content', round(content, 2), 'in_time', round(in_time, 2), 'of', 25,
        'total', round(complete + content + in_time, 2), 'tickets', tickets, 'missing', missing, 'codes', codes, 'short', short_, 'order', disorder, 'late', late);
end $$;
