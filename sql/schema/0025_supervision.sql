-- For which causes the system orders a supervision by itself.  timer: what comes up when it may be so; null where an action is followed
-- by the order.  n: how many it takes; days: workdays in which the unit's head answers.  An installation changes n, days and active.
create table hotline.supervision_rule (
    cause text primary key,
    timer text unique,
    n int,
    days int not null,
    active boolean not null,
    requirement text not null
);
