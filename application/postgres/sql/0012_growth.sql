-- What must cost the same with a million activities as with ten thousand: counting, and finding words.

-- How many activities say a word is kept; a word nobody says any more counts none.
create table word_totals (
    organization_id text not null,
    word text not null collate "C",
    n bigint not null,
    primary key (organization_id, word)
) with (fillfactor = 70);
create index on word_totals using gin (word public.gin_trgm_ops) with (fastupdate = off);
comment on table word_totals is 'How many activities of activity_search say a word; moved with its rows';

create table word_keys (
    organization_id text not null,
    key text not null collate "C",
    word text not null collate "C",
    primary key (organization_id, key, word)
);
comment on table word_keys is 'What a word is found by but itself: its endings, for whoever asks for a part of it; behind a dash the word and what is left of it without one of its letters, for whoever misspells it by one';

create function word_keys_of(p_word text) returns setof text
    language sql immutable parallel safe set search_path = activities, pg_temp as $$
    select substr(p_word, place) from generate_series(2, length(p_word) - 2) as place
    union
    select '-' || p_word
    union
    select '-' || overlay(p_word placing '' from place for 1)
      from generate_series(1, length(p_word)) as place
     where length(p_word) between 4 and 24
$$;
comment on function word_keys_of is 'The keys of a word, as they stand in word_keys';

do $$
declare t text;
begin
    foreach t in array array['word_totals', 'word_keys'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy own_organization on %I using (organization_id = current_setting(''activities.organization_id'', true))', t);
        execute format('create policy every_organization on %I to activities_projector using (true) with check (true)', t);
        execute format('grant select on %I to activities_reader', t);
        execute format('grant select, insert, update, delete on %I to activities_projector', t);
    end loop;
end $$;

-- The projector of the release before cannot write without search_words, and leaves it to this one's.
lock table activity_search in share mode;
drop table search_words;

set local role activities_projector;
insert into word_totals
select h.organization_id, s.word, s.ndoc
  from heads h
 cross join lateral ts_stat(format('select words from activity_search where organization_id = %L', h.organization_id)) s;

insert into word_keys
select w.organization_id, k.key, w.word from word_totals w cross join lateral word_keys_of(w.word) as k(key);
reset role;

create or replace function search_expression(p_organization_id text, p_terms text[]) returns tsquery
    language plpgsql stable security definer set search_path = activities, public, pg_temp as $$
declare
    v_term text;
    v_words text[];
    v_expression text;
    v_last constant text := chr(1114111);
begin
    perform confined_to(p_organization_id);
    foreach v_term in array p_terms loop
        select array_agg(word) into v_words from (
            (select w.word from word_totals w
              where w.organization_id = p_organization_id and w.word >= v_term and w.word < v_term || v_last and w.n > 0
              order by w.word limit 64)
            union
            (select k.word from word_keys k
              where k.organization_id = p_organization_id and k.key >= v_term and k.key < v_term || v_last
                and length(v_term) >= 3
                and (select w.n from word_totals w where w.organization_id = p_organization_id and w.word = k.word) > 0
              order by k.key, k.word limit 64)
        ) found;
        if v_words is null then
            select array_agg(word) into v_words from (
                select k.word from word_keys k
                 where k.organization_id = p_organization_id
                   and k.key = any(array(select key from word_keys_of(v_term) as key where starts_with(key, '-')))
                   and (select w.n from word_totals w where w.organization_id = p_organization_id and w.word = k.word) > 0
                 group by k.word
                 order by similarity(k.word, v_term) desc, k.word limit 8
            ) near;
        end if;
        if v_words is null then
            select array_agg(word) into v_words from (
                select w.word from word_totals w
                 where w.organization_id = p_organization_id and w.word % v_term and w.n > 0
                 order by similarity(w.word, v_term) desc, w.word limit 8
            ) alike;
        end if;
        if v_words is null then
            return null;
        end if;
        v_expression := concat_ws(' & ', v_expression,
            '(' || (select string_agg(quote_literal(word), ' | ') from unnest(v_words) as word) || ')');
    end loop;
    return v_expression::tsquery;
end $$;
comment on function search_expression is 'Terms as a tsquery over the words the organization uses: whole, in part, else spelt with one letter wrong, else the most alike; null where a term stands for nothing. Terms are letters and digits';

create or replace function search_count(p_organization_id text, p_expression tsquery) returns bigint
    language plpgsql stable security definer set search_path = activities, pg_temp
    set plan_cache_mode = force_custom_plan as $$
begin
    perform confined_to(p_organization_id);
    if numnode(p_expression) = 1 then
        return coalesce((select w.n from word_totals w
                          where w.organization_id = p_organization_id and w.word = trim('''' from p_expression::text)), 0);
    end if;
    return (select count(*) from activity_search m
             where m.organization_id = p_organization_id and m.words @@ p_expression);
end $$;
comment on function search_count is 'How many activities match; kept for a single word';

-- Lists that are narrowed in ways no total is kept for are counted, and their pages found, in an index alone.
create index on activity_list (organization_id, due_at, activity_id)
    include (status, type, priority, assignee_key, related_type, related_key, contact_key, tags)
    where deleted_at is null;
create index on activity_list (organization_id, assignee_key, due_at, activity_id)
    include (status, type, priority, related_type, tags)
    where deleted_at is null;
create index on activity_list (organization_id, due_at, activity_id)
    include (status, type, priority, assignee_key, related_type, related_key, contact_key, tags)
    where deleted_at is null and status in ('pending', 'in_progress', 'deferred', 'waiting');

do $$
declare i regclass;
begin
    for i in select x.indexrelid::regclass
               from pg_index x
              where x.indrelid = 'activity_list'::regclass
                and pg_get_indexdef(x.indexrelid) ~ '\(organization_id, (due_at, activity_id|assignee_key, due_at)\) WHERE'
    loop
        execute format('drop index %s', i);
    end loop;
end $$;
