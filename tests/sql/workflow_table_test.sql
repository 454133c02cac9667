-- The table of actions, people and points, from a draft to the archive (table.psql).

\set points '{draft, pending_accept, refusing, refused, need_supplement, pending_dispatch, pending_sign, handling, pressed, contacted, unit_approval, audit_rejected, pending_audit, third_rejection, pending_callback, reached, unhappy, asked_rework, second_round, rounds_up, closed, archived}'
begin;
\ir table.psql
