-- The accounts at Twilio that were ever a client's own are few: whether a request may be signed by one of
-- them is known without reading every version of every assistant.
CREATE INDEX assistant_versions_by_account ON assistant_versions (json_extract(spec, '$.twilio.account_sid'))
    WHERE json_extract(spec, '$.twilio.account_sid') IS NOT NULL;
