-- A function with a setting of its own is called; without, the planner puts its body where it is used: words of a
-- question's spelling are found, and new words learned, without a call for each. All it names is in pg_catalog.
alter function word_keys_of(text) reset search_path;
