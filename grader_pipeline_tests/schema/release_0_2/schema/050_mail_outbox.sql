-- Every mail that was decided on, and how far it came. The key makes one mail one mail; message
-- holds its bytes, headers and all, so that every attempt sends the same mail.
-- state: queued -> sending -> sent | partly_sent | failed, or back to queued until give_up_at.
-- 'sending' is noted before the server is asked; a row found in it past next_attempt_at was left
-- by a process that died, and is sent again.
CREATE TABLE IF NOT EXISTS mail_outbox (
    key             text        PRIMARY KEY,
    kind            text        NOT NULL,
    report_date     date,
    subject         text        NOT NULL,
    message         bytea       NOT NULL,
    state           text        NOT NULL DEFAULT 'queued'
                    CHECK (state IN ('queued', 'sending', 'sent', 'partly_sent', 'failed')),
    attempts        integer     NOT NULL DEFAULT 0,
    last_error      text,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    give_up_at      timestamptz NOT NULL DEFAULT now() + interval '1 day',
    created_at      timestamptz NOT NULL DEFAULT now(),
    sent_at         timestamptz
);

CREATE INDEX IF NOT EXISTS mail_outbox_due ON mail_outbox (next_attempt_at)
    WHERE state IN ('queued', 'sending');

-- Who a mail is for, and who has it: a refused address neither stops nor repeats the others.
CREATE TABLE IF NOT EXISTS mail_recipient (
    key     text NOT NULL REFERENCES mail_outbox ON DELETE CASCADE,
    address text NOT NULL,
    state   text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed')),
    answer  text,
    sent_at timestamptz,
    PRIMARY KEY (key, address)
);

-- What may call for a mail: every run and backfill that was seen. It is settled in the transaction
-- that enqueues its mails, and never looked at again.
CREATE TABLE IF NOT EXISTS mail_occasion (
    id          text        PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN ('run', 'backfill')),
    occurred_at timestamptz NOT NULL,
    settled_at  timestamptz
);

CREATE INDEX IF NOT EXISTS mail_occasion_open ON mail_occasion (occurred_at)
    WHERE settled_at IS NULL;
