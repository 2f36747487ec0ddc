-- What names a line of a worksheet beside its day: each label that was ever written, by the worksheet's
-- title. A line of the sheet whose label is none of them is the readers' own.
CREATE TABLE IF NOT EXISTS sheet_label (
    worksheet text NOT NULL,
    label     text NOT NULL,  -- a JSON list: the cells of the columns that name a line
    PRIMARY KEY (worksheet, label)
);

-- A day that a run wants the sheet to show. The run that writes the sheet takes all of them along, and
-- notes where the sheet is. The run that wanted it deletes the row.
CREATE TABLE IF NOT EXISTS sheet_request (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report_date  date        NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    place        text        -- NULL: the sheet was not written since
);
