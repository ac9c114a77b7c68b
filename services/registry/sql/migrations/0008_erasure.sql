-- An erased profile is an empty row: placements and applications refer to it.
ALTER TABLE person ADD COLUMN erased_at timestamptz;
