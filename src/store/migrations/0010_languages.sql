-- Calls that change their language.

-- As which language the caller was heard, where the recogniser listened for several.
ALTER TABLE turns ADD COLUMN heard_language TEXT;
