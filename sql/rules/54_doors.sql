-- How the public doors are guarded: what the city or an operator has set, read by every worker within seconds.

insert into hotline.setting (name, value, meaning) values
    ('door.challenge', '"auto"', 'proof of work for who files without an account: auto (above challenge_rate), on, off'),
    ('door.phone_code', '"off"', 'who files without an account shows by a short message that the mobile phone is theirs: on, off')
on conflict (name) do nothing;

create or replace function hotline.doors() returns jsonb
language plpgsql stable as $$
begin
    return (select jsonb_object_agg(substr(name, 6), value) from hotline.setting where name like 'door.%');
end $$;

-- A code on its way to a phone: a message like any other, but no step of a ticket, good for a while only, and never a dead letter.
create or replace function hotline.is_code(d hotline.delivery) returns boolean
language sql immutable as $$ select d.kind = 'phone_code' $$;

-- What came too late to be of use is not sent.
create or replace function hotline.drop_late_codes() returns void
language plpgsql as $$
begin
    update hotline.delivery set state = 'dropped', ended_at = hotline.now(), why = 'too late', args = '{}'
    where state = 'waiting' and due_at <= hotline.now() and kind = 'phone_code' and (args->>'until')::timestamptz < hotline.now();
end $$;
