-- However many twins there are, asking whether an attempt is one of them stays cheap.
ALTER TABLE staged_twins ADD PRIMARY KEY (position);
