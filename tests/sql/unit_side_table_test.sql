-- The table of actions, people and points where a return, more time, a pause or another unit's part goes on (table.psql).

\set points '{claimed, in_consultation, asked_return, return_review, deemed, sub_waiting, sub_handling, with_co, asked_extension, extension_up, suspend_up, suspended, parkable, park_up, parked}'
begin;
\ir table.psql
