-- The own systems of units.  A key acts as a person of its unit who cannot sign in; what it stands for is a session under the key's hash.
create table hotline.unit_key (
    code text primary key,
    person_id int not null unique references hotline.person,
    expires_at timestamptz not null,
    made_at timestamptz not null,
    renewed_at timestamptz not null
);
