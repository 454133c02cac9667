-- Every step a citizen sees, as a sentence.  A step without a row here stays inside.
delete from hotline.plain_words;
insert into hotline.plain_words (transition, zh, en) values
    ('T03', '热线已答复您并办结。', 'The hotline has answered you; the matter is closed.'),
    ('T04', '话务员已登记您的诉求。', 'The operator has written down your matter.'),
    ('T05', '您的诉求已提交，热线正在受理。', 'Your matter has arrived; the hotline is looking at it.'),
    ('T06', '热线已受理您的诉求。', 'The hotline has accepted your matter.'),
    ('T10', '热线不能受理这件事，原因和可走的途径见答复。', 'The hotline cannot take this matter; the answer says why and where to turn.'),
    ('T18', '已交由{unit}办理。', 'Handed to {unit}.'),
    ('T30', '{unit}已签收，正在办理。', '{unit} has taken it on.'),
    ('T31', '{unit}未按时签收，已视同签收，办理时限照常计算。', '{unit} did not sign in time; its clock runs all the same.'),
    ('T43', '{unit}已就此事联系您。', '{unit} has been in touch about it.'),
    ('T53', '{unit}已提交办理结果，热线正在审核。', '{unit} has reported its result; the hotline is checking it.'),
    ('T60', '办理结果已通过审核，热线将回访您。', 'The result has passed the check; the hotline will call you.'),
    ('T61', '办理结果未通过审核，已退回{unit}重新办理。', 'The result did not pass the check and went back to {unit}.'),
    ('T63', '热线已电话回访。', 'The hotline has called you.'),
    ('T64', '回访完成，诉求已办结。', 'You were asked, and the matter is closed.'),
    ('T65', '您对结果不满意，已要求{unit}重新办理。', 'You were not satisfied; {unit} must do it again.'),
    ('T66', '诉求已依法办结，您的意见已记录。', 'The matter is closed as the law provides; your view is on record.'),
    ('T67', '多次未能联系上您，诉求已办结。', 'We could not reach you; the matter is closed.'),
    ('T68', '诉求已办结。', 'The matter is closed.'),
    ('T79', '诉求已归档。', 'The matter has been archived.');
