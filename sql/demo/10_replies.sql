-- Who tries the system out answers many complaints in the same words; a centre does not (setting reply.copy_days).
update hotline.setting set value = '0' where name = 'reply.copy_days';
