-- How often a person looked of late is asked at each look.
create index access_log_person on hotline.access_log (person_id, at);
