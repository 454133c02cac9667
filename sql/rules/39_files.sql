-- Files of tickets.  The engine has written them to disk and says in "files" what they are: [{"upload","sha256","type","size"}], in the order
-- in which the inputs name them; one without a digest is not there.

-- 422 with the files that are not there, else null.
create or replace function hotline.check_files(files jsonb) returns api.answer
language plpgsql stable as $$
declare
    bad jsonb;
begin
    select jsonb_agg(hotline.field(format('attachments[%s]', n - 1), 'no_such_upload', '没有这个附件，或尚未上传完整、已过期。',
        'There is no such upload, or it is not whole, or it has expired.') order by n) into bad
    from jsonb_array_elements(files) with ordinality as f(file, n) where file->>'sha256' is null;
    return case when bad is not null then hotline.bad_inputs(bad) end;
end $$;

-- An action with files: are they all there, and is there room for them?
create or replace function hotline.check_attachments(c hotline.call) returns api.answer
language plpgsql stable as $$
declare
    files jsonb := coalesce(c.extra->'files', '[]');
begin
    if jsonb_array_length(files) <> jsonb_array_length(c.x->'attachments') then
        return hotline.input_fault('attachments', 'bad_value', '附件填写不对。', 'The attachments are not valid.');
    elsif (select count(*) from hotline.attachment where ticket_id = (c.t).id) + jsonb_array_length(files) > hotline.setting_int('attachments.most') then
        return hotline.input_fault('attachments', 'too_many', '这张工单的附件已经够多了。', 'This ticket has enough attachments already.');
    end if;
    return hotline.check_files(files);
end $$;

-- What the event says of its files: their digests, so that the chain proves which they were.
create or replace function hotline.file_digests(files jsonb) returns jsonb
language sql immutable as $$
    select jsonb_build_object('files', (select jsonb_agg(f->>'sha256' order by n) from jsonb_array_elements(files) with ordinality as u(f, n)))
$$;

-- The files of new events, one statement for all of them.  What a unit sends is told from what came from the citizen, whoever recorded it.
create or replace function hotline.store_files(calls hotline.call[]) returns void
language plpgsql as $$
begin
    insert into hotline.attachment (ticket_id, id, event_id, sha256, type, size, from_citizen, by_person, at)
    select (c.t).id, hotline.new_id(), c.event, f->>'sha256', f->>'type', (f->>'size')::int,
        (c.rule).action not in ('first_contact', 'progress_note', 'submit_reply'), (c.actor).id, c.at
    from unnest(calls) c cross join lateral jsonb_array_elements(coalesce(c.x->'files', c.extra->'files')) with ordinality as u(f, n)
    order by (c.t).id, n;
end $$;

-- May this person see this file?  The centre may, the unit what is its own; pictures cannot be masked, so those from a citizen whom the
-- secrecy hides stay in the centre.
create or replace function hotline.shows_file(who hotline.actor, t hotline.ticket, a hotline.attachment) returns boolean
language sql stable as $$ select not a.from_citizen or hotline.reads_all(who, t.secrecy) $$;

-- The citizen sees what came from the citizen, what a unit sends with a progress note for the citizen, and, once closed, what belongs to the
-- reply that passed.
create or replace function hotline.shows_file_to_citizen(t hotline.ticket, a hotline.attachment) returns boolean
language plpgsql stable as $$
begin
    return a.from_citizen
        or exists (select from hotline.event where id = a.event_id and action = 'progress_note' and payload->'visible' = 'true')
        or t.state >= 70 and exists (select from hotline.reply where ticket_id = t.id and id = a.event_id and verdict = 'passed');
end $$;

create or replace function hotline.file_json(a hotline.attachment) returns jsonb
language sql stable as $$
    select jsonb_build_object('id', a.id::text, 'type', a.type, 'size', a.size, 'at', hotline.time_text(a.at), 'from_citizen', a.from_citizen)
$$;

-- Of a ticket for staff: those this person may see, and how many more there are.
create or replace function hotline.attachments_json(who hotline.actor, t hotline.ticket) returns jsonb
language plpgsql stable as $$
begin
    return (
        select jsonb_build_object(
            'attachments', coalesce(jsonb_agg(hotline.file_json(a) || jsonb_build_object('event', a.event_id::text,
                'by', hotline.person_json(a.by_person, case when a.by_person is null then 'CIT' end)) order by a.id)
                filter (where hotline.shows_file(who, t, a)), '[]'),
            'attachments_hidden', count(*) filter (where not hotline.shows_file(who, t, a)))
        from hotline.attachment a where ticket_id = t.id
    );
end $$;

create or replace function hotline.citizen_files_json(t hotline.ticket) returns jsonb
language plpgsql stable as $$
begin
    return (
        select coalesce(jsonb_agg(hotline.file_json(a) order by id), '[]')
        from hotline.attachment a where ticket_id = t.id and hotline.shows_file_to_citizen(t, a)
    );
end $$;

-- Where a file lies, for the engine to send; the name says the ticket and which of its files it is.
create or replace function hotline.file_answer(t hotline.ticket, a hotline.attachment) returns api.answer
language plpgsql stable as $$
begin
    if a.id is null then
        return hotline.problem(404, 'no_such_attachment', '没有这个附件。', 'There is no such attachment.');
    end if;
    return hotline.answer(200, jsonb_build_object('file', a.sha256, 'type', a.type, 'size', a.size,
        'name', t.ticket_no || '-' || (select count(*) from hotline.attachment where ticket_id = t.id and id <= a.id)));
end $$;
