-- What the past says about responsibility, as directory items of its own: of_cases earlier tickets of this category in this place, of
-- which its_cases were answered by this unit; share is the part of the coming ones that is expected to be.
alter table hotline.directory_item add column share numeric(4, 3), add column its_cases int, add column of_cases int;
alter table hotline.directory_item add constraint directory_item_learned check (
    (share is null) = (its_cases is null) and (share is null) = (of_cases is null) and share between 0 and 1 and its_cases <= of_cases);
create index directory_item_given on hotline.directory_item (category_id) where share is null;
create index directory_item_learned on hotline.directory_item (category_id, coalesce(division, '')) where share is not null;
create sequence hotline.learned_item_seq as int start 1000000000;
