-- The citizen's own words after filing, and what other platforms hand over and hear back.

create or replace function hotline.nothing_found() returns api.answer
language sql stable as $$
    select hotline.problem(404, 'no_such_ticket', '没有查到：请核对工单号和查询码。', 'Nothing found: please check the number and the query code.')
$$;

-- The ticket of this number, for who proves to be its citizen: by the query code, or by the link of the round that is asked about, whose
-- token the engine has checked; and for the application that filed it (origin), whose key the engine has checked.
create or replace function hotline.known_ticket(x jsonb) returns hotline.ticket
language plpgsql stable as $$
declare
    t hotline.ticket;
begin
    select k.* into t from hotline.ticket_ref r join hotline.ticket k on k.id = r.ticket_id where r.ticket_no = (x->>'number')::bpchar;
    if t.state > 10 and (t.query_code_hash = x->>'code_hash' or t.round = (x->>'link_round')::smallint or t.origin = x->>'origin') then
        return t;
    end if;
    return null;
end $$;

create or replace function hotline.citizen_acts(t hotline.ticket, action_ text, x jsonb, code_hash text, extra_ jsonb) returns api.answer
language plpgsql as $$
begin
    case action_
        when 'rate' then
            return hotline.rate(t, x, extra_);
        when 'followup', 'supplement', 'withdraw', 'object' then
            if code_hash is null then
                return hotline.nothing_found(); -- a rating link is for rating
            end if;
            return hotline.step(t.id, action_, hotline.citizen_actor(), x, extra_ => extra_);
        else
            return hotline.problem(422, 'unknown_action', '没有这种操作。', 'There is no such action.');
    end case;
end $$;

-- NULL where a rating may be given: once for the round whose callback is due, or once for what was closed without one.
create or replace function hotline.may_rate(t hotline.ticket) returns api.answer
language plpgsql stable as $$
declare
    c hotline.call;
begin
    if t.state = 60 then
        return case when exists (select from hotline.callback where ticket_id = t.id and round = t.round) then
            hotline.problem(409, 'rated_already', '您已评价过。', 'You have rated already.') end;
    elsif t.state <> 70 then
        return hotline.not_now(t, null);
    end if;
    c.t := t;
    c.at := hotline.now();
    return hotline.may_rate_late(c);
end $$;

-- While the callback is due, a rating is the citizen's answer to it: satisfied, the matter closes; not, a person takes it up.  Afterwards it
-- is a late one.
create or replace function hotline.rate(t hotline.ticket, x jsonb, extra_ jsonb) returns api.answer
language plpgsql as $$
declare
    said api.answer := hotline.check_inputs('late_rating', x);
    system constant hotline.actor := hotline.system_actor();
begin
    if said is not null then
        return said;
    elsif t.state <> 60 then
        return hotline.step(t.id, 'late_rating', hotline.citizen_actor(), x, extra_ => extra_);
    end if;
    said := hotline.may_rate(t);
    if said is not null then
        return said;
    end if;
    said := hotline.step(t.id, 'callback_attempt', system, hotline.given('late_rating', x) - 'comment' || '{"outcome": "web_rated"}');
    if said.status = 200 and not hotline.is_unhappy(x->>'sat_result', x->>'resolved') then
        said := hotline.step(t.id, 'callback_ok', system, hotline.given('late_rating', x), extra_ => extra_);
    end if;
    return said;
end $$;

create or replace function hotline.citizen_answer(tid bigint) returns api.answer
language plpgsql stable as $$
begin
    return (
        select hotline.answer(200, jsonb_build_object('number', ticket_no, 'state', hotline.name_of('state', state),
            'state_text', hotline.label_of('state', state), 'promise_due_at', hotline.time_text(promise_due_at)))
        from hotline.ticket where id = tid
    );
end $$;

-- A ticket that comes from another platform, once for each of its names.
create or replace function hotline.receive(x jsonb, system_ text, transition_ text) returns api.answer
language plpgsql as $$
declare
    who hotline.actor := hotline.system_actor();
    role_ text := 'EXT';
    said api.answer;
    c hotline.call;
    known bigint;
begin
    if x ? 'session' then
        who := hotline.actor_of(x);
        role_ := 'OPR';
        if who.id is null then
            return hotline.no_session();
        elsif not hotline.has_right(who, (select action from hotline.transition where id = transition_)) then
            return hotline.forbidden();
        end if;
    end if;
    said := hotline.check_received(x);
    if said is not null then
        return said;
    end if;
    select ticket_id into known from hotline.external_ref where system = system_ and external_id = x->>'external_id';
    if known is null then
        c := hotline.new_ticket(x || jsonb_build_object('seq', coalesce(x->>'seq', nextval('hotline.ticket_no_seq')::text)), who, transition_, role_);
        insert into hotline.external_ref (system, external_id, ticket_id, at) values (system_, x->>'external_id', (c.t).id, c.at);
        perform hotline.note(c, 'measures', x->>'measures');
        known := (c.t).id;
    end if;
    return hotline.answer(201, (select jsonb_build_object('number', ticket_no, 'state', hotline.name_of('state', state),
        'promise_due_at', hotline.time_text(promise_due_at)) from hotline.ticket where id = known));
end $$;

create or replace function hotline.check_received(x jsonb) returns api.answer
language plpgsql stable as $$
declare
    bad jsonb := '[]';
    f record;
begin
    for f in select * from (values ('external_id', 1, 100), ('title', 2, 200), ('content', 2, 10000)) as v(name, least_, most) loop
        if char_length(btrim(coalesce(x->>f.name, ''))) not between f.least_ and f.most then
            bad := bad || hotline.field(f.name, 'bad_value', format('须有 %s–%s 字。', f.least_, f.most), format('Between %s and %s characters.', f.least_, f.most));
        end if;
    end loop;
    for f in select * from (values ('type', 'appeal_type'), ('urgency', 'urgency')) as v(name, kind) loop
        if x->>f.name is not null and hotline.code_of(f.kind, x->>f.name) is null then
            bad := bad || hotline.field(f.name, 'unknown_word', '没有这个值。', 'There is no such value.');
        end if;
    end loop;
    return case when bad <> '[]' then hotline.bad_inputs(bad) else hotline.check_references(x) end;
end $$;

-- One record for the other platform: a step of its ticket, or a matter passed to it.
create or replace function hotline.exchange_record(system_ text, id_ bigint, kind_ text) returns jsonb
language plpgsql stable as $$
declare
    e hotline.event;
    t hotline.ticket;
    m hotline.transfer;
    place text;
begin
    if kind_ = 'transfer' then
        select * into m from hotline.transfer where id = id_;
        select * into t from hotline.ticket where id = m.ticket_id;
        -- Words go out masked.  The place stays as it is where nothing is hidden: who comes must find it.
        place := case when t.secrecy = 0 then t.address end;
        t := hotline.veiled(t);
        t.address := coalesce(place, t.address);
        return jsonb_build_object('kind', 'transfer', 'event', id_::text, 'transfer', m.id::text, 'source_no', t.ticket_no, 'ticket', t.id::text,
            'title', t.title, 'content', t.content, 'division', t.division, 'address', t.address, 'lng', t.lng, 'lat', t.lat,
            'phone_mask', (select phone_mask from hotline.ticket_contact where ticket_id = t.id), 'at', hotline.time_text(m.at),
            'receipt_due_at', hotline.time_text(m.check_at));
    end if;
    select * into e from hotline.event where id = id_;
    select * into t from hotline.ticket where id = e.ticket_id;
    return jsonb_build_object('kind', 'step', 'event', id_::text, 'source_no', t.ticket_no,
        'external_id', (select min(external_id) from hotline.external_ref where system = system_ and ticket_id = t.id), 'version', e.n,
        'action', e.action, 'at', hotline.time_text(e.at), 'state', hotline.name_of('state', e.to_state),
        'unit', (select code from hotline.unit where id = e.unit_id), 'promise_due_at', hotline.time_text(t.promise_due_at),
        'close_kind', case when e.to_state >= 70 then hotline.name_of('close_kind', t.close_kind) end,
        'result', case when e.to_state >= 70 then (select coalesce(masked, content) from hotline.reply where ticket_id = t.id and verdict = 'passed' order by id desc limit 1) end,
        'resolved', hotline.name_of('resolved', t.resolved), 'satisfaction', hotline.name_of('satisfaction', t.rated));
end $$;
