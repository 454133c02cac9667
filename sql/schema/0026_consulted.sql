-- A unit that is asked for its opinion in a consultation has an assignment of its own (4), as long as the consultation lasts.
alter table hotline.assignment drop constraint assignment_role;
alter table hotline.assignment add constraint assignment_role check (role between 1 and 4);

-- consulted: the person's unit is asked for its opinion; party: its unit has any part in the ticket.
alter table hotline.role_right drop constraint role_right_scope;
alter table hotline.role_right add constraint role_right_scope
    check (scope in ('own', 'unit', 'all', 'co', 'sub', 'part', 'consulted', 'party', 'asked'));
