-- Accounts and invoices of Nordlys Handel AS, as deploy/policy/nordlys.yaml describes them.
-- Amounts are in øre.

CREATE SCHEMA IF NOT EXISTS billing;

CREATE TABLE billing.account (
    account_no    integer PRIMARY KEY,
    customer_no   text NOT NULL UNIQUE,
    bank_account  text,
    closed_on     date,
    processing    text NOT NULL DEFAULT 'open' CHECK (processing IN ('open', 'restricted'))
);
CREATE INDEX account_closed_on ON billing.account (closed_on);
COMMENT ON COLUMN billing.account.customer_no IS 'the customer number of the customer system';
COMMENT ON COLUMN billing.account.closed_on IS 'null: the account is open';

CREATE TABLE billing.invoice (
    invoice_no     integer PRIMARY KEY,
    account_no     integer NOT NULL REFERENCES billing.account (account_no),
    issued_on      date,
    buyer_name     text NOT NULL,
    buyer_address  text,
    total          bigint NOT NULL
);
CREATE INDEX invoice_account ON billing.invoice (account_no);
CREATE INDEX invoice_issued_on ON billing.invoice (issued_on);

CREATE TABLE billing.invoice_line (
    invoice_no    integer NOT NULL REFERENCES billing.invoice (invoice_no),
    line_no       smallint NOT NULL,
    article       text NOT NULL,
    amount        bigint NOT NULL,
    delivered_to  text,
    PRIMARY KEY (invoice_no, line_no)
);

CREATE TABLE billing.packing_slip (
    slip_no     integer PRIMARY KEY,
    invoice_no  integer NOT NULL REFERENCES billing.invoice (invoice_no),
    packed_on   date,
    recipient   text
);
CREATE INDEX packing_slip_invoice ON billing.packing_slip (invoice_no);
CREATE INDEX packing_slip_packed_on ON billing.packing_slip (packed_on);
