-- What a call has made and not written yet, so that it is written in one statement: its clocks with their timers, its event.
alter type hotline.call add attribute clocks hotline.clock[];
alter type hotline.call add attribute record hotline.event;
