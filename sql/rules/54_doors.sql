-- How the public doors are guarded: what the city or an operator has set, read by every worker within seconds.

insert into hotline.setting (name, value, meaning) values
    ('door.challenge', '"auto"', 'proof of work for who files without an account: auto (above challenge_rate), on, off')
on conflict (name) do nothing;

create or replace function hotline.doors() returns jsonb
language plpgsql stable as $$
begin
    return (select jsonb_object_agg(substr(name, 6), value) from hotline.setting where name like 'door.%');
end $$;
