-- What an index of expressions knows about them is gathered again only when much of the table has changed.
analyze hotline.inbox;
