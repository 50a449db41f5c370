-- Search in one statement: what the terms stand for, the best of the newest that say it, and how many do.

create function search_ranked(p_organization_id text, p_expression tsquery, p_exact tsquery, p_most int)
    returns table (activity_id uuid, rank real)
    language plpgsql stable security definer set search_path = activities, pg_temp
    set plan_cache_mode = force_custom_plan as $$
begin
    perform confined_to(p_organization_id);
    if p_exact is null then
        return query
            select s.activity_id, ts_rank(s.words, p_expression)
              from (select m.activity_id, m.words from activity_search m
                     where m.organization_id = p_organization_id and m.words @@ p_expression
                     order by m.activity_id desc limit p_most) s;
    else
        return query
            select s.activity_id, ts_rank(s.words, p_expression) + ts_rank(s.words, p_exact)
              from (select m.activity_id, m.words from activity_search m
                     where m.organization_id = p_organization_id and m.words @@ p_expression
                     order by m.activity_id desc limit p_most) s;
    end if;
end $$;
comment on function search_ranked is 'The newest p_most activities (null: all) that match, with their rank; p_exact is null where the terms stand for themselves. Planned knowing the words: how common they are decides how best to look for them';
revoke all on function search_ranked from public;

create function search_page(p_organization_id text, p_terms text[], p_most int)
    returns table (activity_id uuid, rank real, expression text, total bigint)
    language plpgsql stable security definer set search_path = activities, public, pg_temp as $$
declare
    v_expression tsquery := search_expression(p_organization_id, p_terms);
    v_exact tsquery := ('''' || array_to_string(p_terms, ''' & ''') || '''')::tsquery;
    v_total bigint;
begin
    if v_expression is null then
        return;
    end if;
    return query
        select r.activity_id, r.rank, v_expression::text, null::bigint
          from search_ranked(p_organization_id, v_expression, nullif(v_exact, v_expression), p_most) r;
    get diagnostics v_total = row_count;
    if v_total = p_most then
        v_total := search_count(p_organization_id, v_expression);
    end if;
    return query select null::uuid, null::real, v_expression::text, v_total;
end $$;
comment on function search_page is 'The newest p_most activities (null: all) that say every term, with their rank; then a row with how many there are. No rows where a term stands for nothing. Terms are letters and digits';
revoke all on function search_page from public;
grant execute on function search_page to activities_reader;

-- What waits in the pending list of a GIN index is looked through by every question: let it be short.
alter index activity_search_words_idx set (gin_pending_list_limit = 128);
alter index search_words_word_idx set (fastupdate = off);
