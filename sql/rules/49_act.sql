-- The calls of a commit on tickets: api.act and api.act_all.

-- How many calls from this one on can be read and written together: no ticket twice, no key twice, and an action that makes or names
-- another ticket by itself.
create or replace function hotline.together(calls jsonb[], first_ int) returns int
language plpgsql stable as $$
declare
    by_itself text[] := array(select action from hotline.transition where alone);
    x jsonb;
    ids text[];
    keys text[];
    key_ text;
    n int := 0;
begin
    foreach x in array calls[first_:] loop
        key_ := concat_ws(' ', x->>'session', x->>'route', x->>'key');
        if n > 0 and (x->>'action' = any (by_itself) or x->>'id' = any (ids) or x ? 'key' and key_ = any (keys)) then
            return n;
        end if;
        n := n + 1;
        if x->>'action' = any (by_itself) then
            return n;
        end if;
        ids := ids || (x->>'id');
        keys := keys || key_;
    end loop;
    return n;
end $$;

create or replace function hotline.act_all(calls jsonb[]) returns table (i bigint, status int, body json)
language plpgsql as $$
declare
    first_ int := 1;
    n int;
begin
    while first_ <= cardinality(calls) loop
        n := hotline.together(calls, first_);
        return query select first_ - 1 + t.n, t.status, t.body from hotline.act_together(calls[first_ : first_ + n - 1]) t;
        first_ := first_ + n;
    end loop;
end $$;

-- Calls on as many tickets.
create or replace function hotline.act_together(calls jsonb[]) returns table (n bigint, status int, body json)
language plpgsql as $$
declare
    sessions text[];
    people hotline.actor[];
    before hotline.idem[];
    loaded hotline.call[];
    done hotline.call[];
    kept hotline.idem[];
    like_ hotline.clock[];
    who hotline.actor;
    c hotline.call;
    k hotline.clock;
    was hotline.idem;
    said api.answer;
    x jsonb;
    at_ jsonb;
    lang_ jsonb;
begin
    n := 0;
    foreach x in array calls loop
        if n = 0 or x->'at' is distinct from at_ or x->'lang' is distinct from lang_ then
            perform hotline.begin(x);
            at_ := x->'at';
            lang_ := x->'lang';
        end if;
        n := n + 1;
        if n = 1 then
            sessions := array(select distinct e->>'session' from unnest(calls) e where e->>'session' is not null);
            people := array(select hotline.actor_of(jsonb_build_object('session', s)) from unnest(sessions) s);
            before := hotline.answered(calls, sessions, people);
            loaded := hotline.load(array(select (e->>'id')::bigint from unnest(calls) with ordinality as u(e, o) order by o));
        end if;
        who := people[array_position(sessions, x->>'session')];
        if who.id is null then
            said := hotline.no_session();
        elsif (before[n]).key is not null then
            said := hotline.repeated(before[n], x);
        else
            c := loaded[n];
            c.actor := who;
            c.x := coalesce(x->'inputs', '{}');
            c.extra := jsonb_strip_nulls(jsonb_build_object('grams', x->'grams', 'hits', x->'hits', 'found', x->'found', 'contact', x->'contact',
                'private', x->'private', 'code_hash', x->'code_hash', 'files', x->'files'));
            c.like_ := like_;
            c := hotline.take(c, x->>'action', (x->>'version')::int);
            said := c.said;
            if said.status = 200 then
                done := done || c;
                if c.started is not null and (c.t).outer_due_at is null and coalesce(cardinality(like_), 0) < 16 then
                    foreach k in array c.clocks[cardinality(c.clocks) - cardinality(c.started) + 1 :] loop
                        if not exists (select from unnest(like_) l where l.start_at = k.start_at and l.budget = k.budget and l.unit = k.unit
                                and l.calendar_id = k.calendar_id) then
                            like_ := like_ || k;
                        end if;
                    end loop;
                end if;
                if x->>'key' is not null then
                    kept := kept || row('p' || who.id, x->>'route', x->>'key', coalesce(x->>'digest', ''), said.status, said.body, hotline.now())::hotline.idem;
                end if;
            end if;
        end if;
        status := said.status;
        body := said.body;
        return next;
    end loop;
    if done is not null then
        perform hotline.store(done);
        insert into hotline.idem select * from unnest(kept);
    end if;
end $$;

-- The answers that calls with these keys got before, each in its call's place, null where there is none.
create or replace function hotline.answered(calls jsonb[], sessions text[], people hotline.actor[]) returns hotline.idem[]
language plpgsql stable set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
begin
    return array(
        select d
        from unnest(calls) with ordinality as u(x, n)
        left join lateral (
            select i as d from hotline.idem i
            where i.principal = 'p' || (people[array_position(sessions, x->>'session')]).id and i.route = x->>'route' and i.key = x->>'key'
            limit 1) first on true
        order by n
    );
end $$;
