-- What the search asks for: a movement's inspections, the latest first, and an inspection by its name.

CREATE INDEX inspection_designator ON inspection (designator, last_at);
CREATE INDEX inspection_name ON inspection (inspection);
