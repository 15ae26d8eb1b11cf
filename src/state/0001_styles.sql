CREATE TABLE styles (
    site     TEXT NOT NULL,
    name     TEXT NOT NULL,
    rule     TEXT NOT NULL,
    created  BIGINT NOT NULL, -- seconds since 1970, of the first of this name
    modified BIGINT NOT NULL,
    PRIMARY KEY (site, name)
);
