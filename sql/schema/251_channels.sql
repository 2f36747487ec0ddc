-- A mail goes to further channels too: its short form, as it was written once, and the channels among
-- its recipients. Their address is the channel's name, never the address of GRADER_CHANNELS.
-- Constant defaults: no row is rewritten, and each table is locked for a moment.
ALTER TABLE mail_outbox ADD COLUMN IF NOT EXISTS short text;
ALTER TABLE mail_recipient ADD COLUMN IF NOT EXISTS is_channel boolean NOT NULL DEFAULT false;
