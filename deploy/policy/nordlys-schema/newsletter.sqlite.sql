-- The newsletter of Nordlys Handel AS, as deploy/policy/nordlys.yaml describes it.
-- Dates and times are ISO 8601 text in UTC.

CREATE TABLE subscriber (
    id             INTEGER PRIMARY KEY,
    email          TEXT,
    name           TEXT,
    status         TEXT NOT NULL DEFAULT 'on' CHECK (status IN ('on', 'off')),
    subscribed_at  TEXT NOT NULL
);
-- One for looking up whatever the spelling, one as written.
CREATE INDEX subscriber_email_any_case ON subscriber (lower(email));
CREATE INDEX subscriber_email ON subscriber (email);

CREATE TABLE subscription_event (
    id             INTEGER PRIMARY KEY,
    subscriber_id  INTEGER NOT NULL REFERENCES subscriber (id),
    happened_at    TEXT NOT NULL,
    kind           TEXT NOT NULL CHECK (kind IN ('subscribed', 'sent', 'opened', 'unsubscribed')),
    sent_to        TEXT
);
CREATE INDEX subscription_event_subscriber ON subscription_event (subscriber_id);
