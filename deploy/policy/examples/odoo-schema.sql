-- Tables of an Odoo company as its public documentation names their models and fields, without the
-- columns that matter to nobody's privacy.
CREATE TABLE res_partner (
    id serial PRIMARY KEY,
    name varchar,
    parent_id integer REFERENCES res_partner (id),
    email varchar,
    phone varchar,
    street varchar,
    city varchar,
    comment text
);
CREATE INDEX ON res_partner (lower(email));
CREATE TABLE account_move (
    id serial PRIMARY KEY,
    name varchar NOT NULL,
    partner_id integer REFERENCES res_partner (id),
    invoice_date date,
    invoice_partner_display_name varchar
);
CREATE TABLE res_partner_bank (
    id serial PRIMARY KEY,
    partner_id integer NOT NULL REFERENCES res_partner (id),
    acc_number varchar NOT NULL
);
CREATE TABLE mail_message (
    id serial PRIMARY KEY,
    model varchar,
    res_id integer,
    parent_id integer REFERENCES mail_message (id),
    email_from varchar,
    body text
);
CREATE TABLE calendar_event (
    id serial PRIMARY KEY,
    name varchar NOT NULL,
    description text
);
CREATE TABLE calendar_attendee (
    id serial PRIMARY KEY,
    event_id integer REFERENCES calendar_event (id),
    partner_id integer REFERENCES res_partner (id),
    email varchar,
    common_name varchar
);
