CREATE TABLE period (
	code    TEXT NOT NULL,      -- ISO 3166
	country TEXT NOT NULL,
	zone    TEXT NOT NULL,
	since   TEXT NOT NULL,      -- year; empty: from the beginning
	until   TEXT NOT NULL,      -- year; empty: still so
	minutes REAL NOT NULL,      -- offset from UTC
	rules   TEXT NOT NULL       -- summer time, empty: none
);
