-- Whether the outbox has a mail whose key begins like this.
SELECT EXISTS (SELECT FROM mail_outbox WHERE starts_with(key, %(key)s)) AS value;
