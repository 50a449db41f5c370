-- What analysts ask. The names and types of these columns are a contract; their comments are the data dictionary
-- (projections/analytics/DICTIONARY.md). Each view runs with the rights of who asks, so that row-level security
-- confines it. A rebuild that takes another table's place points them to it.

create schema analytics;
comment on schema analytics is 'An organization''s activities, for analysts. Instants are timestamptz; a day is a day in UTC unless the setting analytics.time_zone says otherwise';

create view analytics.activities with (security_invoker = true) as
select l.activity_id,
       l.document::json ->> 'id' as id,
       l.number,
       l.type,
       l.status,
       (array['low', 'medium', 'high', 'urgent', 'critical'])[l.priority] as priority,
       l.priority as priority_rank,
       l.subject,
       l.related_type,
       l.related_id,
       l.contact_id,
       l.assigned_user_id,
       l.created_by,
       l.due_at,
       coalesce(l.due_at < now() and l.status in ('pending', 'in_progress', 'waiting'), false) as is_overdue,
       l.completed_at,
       l.created_at,
       l.updated_at,
       l.rescheduled_count,
       l.planned_duration_minutes,
       l.actual_duration_minutes,
       coalesce(l.actual_duration_minutes, l.planned_duration_minutes) as duration_minutes,
       l.is_billable,
       l.billable_rate,
       l.billable_amount,
       l.currency,
       l.tags,
       l.version
  from activities.activity_list l
 where l.deleted_at is null;
comment on view analytics.activities is 'One row an activity as it is now. Deleted ones are not here';
comment on column analytics.activities.activity_id is 'Which activity: the key to join by';
comment on column analytics.activities.id is 'Its id as the API writes it (a ULID)';
comment on column analytics.activities.number is 'Its number in the organization, as the account-centred API shows it; never changes';
comment on column analytics.activities.type is 'call, email, meeting, ...: see GET /activity-types';
comment on column analytics.activities.status is 'pending, in_progress, waiting, deferred, completed or cancelled';
comment on column analytics.activities.priority is 'low, medium, high, urgent or critical';
comment on column analytics.activities.priority_rank is 'The priority to sort by: 1 (low) to 5 (critical)';
comment on column analytics.activities.subject is 'What it is about, in a line';
comment on column analytics.activities.related_type is 'The kind of record it belongs to: lead, customer, opportunity, contact or account';
comment on column analytics.activities.related_id is 'The id of that record, in the view of its kind';
comment on column analytics.activities.contact_id is 'The id of the person on the other side, in contacts; null where none is named';
comment on column analytics.activities.assigned_user_id is 'The id of who is to do it, in users where they are known there';
comment on column analytics.activities.created_by is 'The id of who created it';
comment on column analytics.activities.due_at is 'When it is due; null where it has no date';
comment on column analytics.activities.is_overdue is 'Whether it is due in the past and still pending, in progress or waiting';
comment on column analytics.activities.completed_at is 'When it happened, as whoever completed it said; null while it is not completed';
comment on column analytics.activities.created_at is 'When it was created here';
comment on column analytics.activities.updated_at is 'When anything about it was last recorded';
comment on column analytics.activities.rescheduled_count is 'How often it was moved from one due date to another';
comment on column analytics.activities.planned_duration_minutes is 'How many minutes it was planned to take; null where nobody said';
comment on column analytics.activities.actual_duration_minutes is 'How many minutes it took, said on completion; null where nobody said';
comment on column analytics.activities.duration_minutes is 'The actual minutes, else the planned ones';
comment on column analytics.activities.is_billable is 'Whether it goes on the bill';
comment on column analytics.activities.billable_rate is 'Price of an hour, in currency; null where none is set';
comment on column analytics.activities.billable_amount is 'What it costs, in currency: rate x minutes / 60, half up to the cent, frozen on completion; null before and where it is not billable';
comment on column analytics.activities.currency is 'ISO 4217 code of rate and amount';
comment on column analytics.activities.tags is 'Its tags in order; one row each in activity_tags';
comment on column analytics.activities.version is 'How many facts were recorded of it so far';

create view analytics.activity_details with (security_invoker = true) as
select l.activity_id, d.*
  from activities.activity_list l
 cross join lateral json_to_record(l.document::json) as d(
       id text, external_id text, description text, outcome text, location text, previous_due_at timestamptz,
       reminder_at timestamptz, started_at timestamptz, cancelled_at timestamptz, cancellation_reason text,
       follow_up_required boolean, follow_up_date date, follow_up_of_id text, predecessor_id text, successor_id text,
       recreated_from_id text, attachment_urls text[], custom_fields jsonb)
 where l.deleted_at is null;
comment on view analytics.activity_details is 'What of an activity is asked for less often: texts, further dates, links between activities. Slower than activities, join only when needed';
comment on column analytics.activity_details.activity_id is 'Which activity: the key to join by';
comment on column analytics.activity_details.id is 'Its id as the API writes it (a ULID)';
comment on column analytics.activity_details.external_id is 'The id it was imported under; null where it was not';
comment on column analytics.activity_details.description is 'What it is about, at length; null where nothing was said';
comment on column analytics.activity_details.outcome is 'What came of it; null where nothing was said';
comment on column analytics.activity_details.location is 'Where it takes place; null where nothing was said';
comment on column analytics.activity_details.previous_due_at is 'The due date before the last change of it; null where it never changed';
comment on column analytics.activity_details.reminder_at is 'When to remind of it; null where nobody is to be';
comment on column analytics.activity_details.started_at is 'When it was last begun; null where it never was';
comment on column analytics.activity_details.cancelled_at is 'When it was cancelled; null where it is not';
comment on column analytics.activity_details.cancellation_reason is 'Why it was cancelled; null where nothing was said';
comment on column analytics.activity_details.follow_up_required is 'Whether something is to follow once it is completed';
comment on column analytics.activity_details.follow_up_date is 'The day by which it is to follow; null where none is set';
comment on column analytics.activity_details.follow_up_of_id is 'The id (as the API writes it) of the activity this one follows up; null where it follows none';
comment on column analytics.activity_details.predecessor_id is 'The id of the cancelled activity this one took the place of; null where there is none';
comment on column analytics.activity_details.successor_id is 'The id of the activity that took the place of this cancelled one; null where there is none';
comment on column analytics.activity_details.recreated_from_id is 'The id of the cancelled activity this one is a copy of; null where it is none';
comment on column analytics.activity_details.attachment_urls is 'Addresses of its attachments in order; the service stores them and never fetches them';
comment on column analytics.activity_details.custom_fields is 'The organization''s own fields, as one JSON object';

create view analytics.activity_tags with (security_invoker = true) as
select l.activity_id, t.tag, t.place::int as place
  from activities.activity_list l
 cross join lateral unnest(l.tags) with ordinality as t(tag, place)
 where l.deleted_at is null;
comment on view analytics.activity_tags is 'One row a tag of an activity';
comment on column analytics.activity_tags.activity_id is 'Which activity: the key to join by';
comment on column analytics.activity_tags.tag is 'The tag, as it was written';
comment on column analytics.activity_tags.place is 'Its place among the activity''s tags, from 1';

create view analytics.activity_participants with (security_invoker = true) as
select l.activity_id, p.place::int as place, p.kind, p.id, p.email, p.name, p.role, p.rsvp, p.attended
  from activities.activity_list l
 cross join lateral rows from (
       json_to_recordset(l.document::json -> 'participants')
           as (kind text, id text, email text, name text, role text, rsvp text, attended boolean)
       ) with ordinality as p(kind, id, email, name, role, rsvp, attended, place)
 where l.deleted_at is null;
comment on view analytics.activity_participants is 'One row a participant of an activity';
comment on column analytics.activity_participants.activity_id is 'Which activity: the key to join by';
comment on column analytics.activity_participants.place is 'Their place among its participants, from 1';
comment on column analytics.activity_participants.kind is 'user (in users), contact (in contacts) or external (in no record)';
comment on column analytics.activity_participants.id is 'The id of their record; null for externals';
comment on column analytics.activity_participants.email is 'Their address, where it was given';
comment on column analytics.activity_participants.name is 'Their name, where it was given';
comment on column analytics.activity_participants.role is 'organizer, required, optional or informed; null where nothing was said';
comment on column analytics.activity_participants.rsvp is 'needs_action, accepted, declined or tentative; null where nothing was said';
comment on column analytics.activity_participants.attended is 'Whether they were there; null where nothing was said';

create view analytics.overdue_now with (security_invoker = true) as
select o.activity_id,
       l.document::json ->> 'id' as id,
       l.type,
       l.status,
       (array['low', 'medium', 'high', 'urgent', 'critical'])[o.priority] as priority,
       o.priority as priority_rank,
       l.subject,
       l.related_type,
       l.related_id,
       l.assigned_user_id,
       o.due_at,
       floor(extract(epoch from now() - o.due_at) / 86400)::int as days_overdue
  from activities.overdue o
  join activities.activity_list l on l.organization_id = o.organization_id and l.activity_id = o.activity_id
 where o.due_at < now();
comment on view analytics.overdue_now is 'One row an activity that is overdue at this moment: due in the past and still pending, in progress or waiting';
comment on column analytics.overdue_now.activity_id is 'Which activity: the key to join by';
comment on column analytics.overdue_now.id is 'Its id as the API writes it (a ULID)';
comment on column analytics.overdue_now.type is 'call, email, meeting, ...: see GET /activity-types';
comment on column analytics.overdue_now.status is 'pending, in_progress or waiting';
comment on column analytics.overdue_now.priority is 'low, medium, high, urgent or critical';
comment on column analytics.overdue_now.priority_rank is 'The priority to sort by: 1 (low) to 5 (critical)';
comment on column analytics.overdue_now.subject is 'What it is about, in a line';
comment on column analytics.overdue_now.related_type is 'The kind of record it belongs to: lead, customer, opportunity, contact or account';
comment on column analytics.overdue_now.related_id is 'The id of that record, in the view of its kind';
comment on column analytics.overdue_now.assigned_user_id is 'The id of who is to do it';
comment on column analytics.overdue_now.due_at is 'When it was due';
comment on column analytics.overdue_now.days_overdue is 'Whole days (of 24 hours) since then';

create view analytics.follow_ups with (security_invoker = true) as
select f.activity_id,
       l.document::json ->> 'id' as id,
       f.due_on,
       case when kept.activity_id is null then 'open' else 'satisfied' end as state,
       kept.activity_id as satisfied_by,
       l.type,
       l.subject,
       l.related_type,
       l.related_id,
       l.assigned_user_id,
       l.completed_at
  from activities.follow_ups f
  join activities.activity_list l on l.organization_id = f.organization_id and l.activity_id = f.activity_id
  left join lateral (
    select g.activity_id from (
      (select g.activity_id, g.number from activities.follow_ups g
        where g.organization_id = f.organization_id and g.related_key = f.related_key and g.number > f.opened
        order by g.number limit 1)
      union all
      (select g.activity_id, g.number from activities.follow_ups g
        where g.organization_id = f.organization_id and g.follow_up_of = f.activity_id
        order by g.number limit 1)
    ) g order by g.number limit 1
  ) kept on true
 where f.opened is not null;
comment on view analytics.follow_ups is 'One row a promise to follow up, kept or not: made when an activity is completed with follow-up required, kept by the next activity on the same record or by one that names it';
comment on column analytics.follow_ups.activity_id is 'The activity that made the promise: the key to join by';
comment on column analytics.follow_ups.id is 'Its id as the API writes it (a ULID)';
comment on column analytics.follow_ups.due_on is 'The day by which to follow up; null where none was set';
comment on column analytics.follow_ups.state is 'open, or satisfied once it was kept';
comment on column analytics.follow_ups.satisfied_by is 'The activity_id of the activity that kept it; null while it is open';
comment on column analytics.follow_ups.type is 'Type of the activity that made the promise';
comment on column analytics.follow_ups.subject is 'Subject of the activity that made the promise';
comment on column analytics.follow_ups.related_type is 'The kind of record it belongs to: lead, customer, opportunity, contact or account';
comment on column analytics.follow_ups.related_id is 'The id of that record, in the view of its kind';
comment on column analytics.follow_ups.assigned_user_id is 'The id of who did the activity that made the promise';
comment on column analytics.follow_ups.completed_at is 'When that activity happened';

create view analytics.leads with (security_invoker = true) as
select r.id, r.name, d.status, d.source, r.email, d.phone, d.account_id, d.tags, d.notes, d.attributes, r.version, r.created_at, r.updated_at
  from activities.directory r
 cross join lateral json_to_record(r.document::json) as d(status text, source text, phone text, account_id text, tags text[], notes text, attributes jsonb)
 where r.kind = 'lead';
comment on view analytics.leads is 'One row a lead';
comment on column analytics.leads.status is 'Where it stands, in the organization''s own words';
comment on column analytics.leads.source is 'Where it came from, in the organization''s own words';

create view analytics.customers with (security_invoker = true) as
select r.id, r.name, d.status, r.email, d.phone, d.account_id, d.tags, d.notes, d.attributes, r.version, r.created_at, r.updated_at
  from activities.directory r
 cross join lateral json_to_record(r.document::json) as d(status text, phone text, account_id text, tags text[], notes text, attributes jsonb)
 where r.kind = 'customer';
comment on view analytics.customers is 'One row a customer';
comment on column analytics.customers.status is 'active, at_risk, inactive, churned or suspended';

create view analytics.opportunities with (security_invoker = true) as
select r.id, r.name, d.customer_id, r.value, d.probability, d.expected_close_date, d.stage, d.source, d.description,
       d.budget_confirmed, d.authority_confirmed, d.need_confirmed, d.timeline_confirmed, d.discovery_notes, d.next_step,
       d.account_id, d.tags, d.notes, d.attributes, r.version, r.created_at, r.updated_at
  from activities.directory r
 cross join lateral json_to_record(r.document::json) as d(
       customer_id text, probability numeric(5, 2), expected_close_date date, stage text, source text, description text,
       budget_confirmed boolean, authority_confirmed boolean, need_confirmed boolean, timeline_confirmed boolean,
       discovery_notes text, next_step text, account_id text, tags text[], notes text, attributes jsonb)
 where r.kind = 'opportunity';
comment on view analytics.opportunities is 'One row an opportunity';
comment on column analytics.opportunities.customer_id is 'The id of its customer, in customers; null where none is named';
comment on column analytics.opportunities.value is 'What it is worth, in the organization''s currency';
comment on column analytics.opportunities.probability is 'How likely it is to be won, in percent';
comment on column analytics.opportunities.expected_close_date is 'The day on which it is expected to be decided';
comment on column analytics.opportunities.stage is 'Where it stands, in the organization''s own words';
comment on column analytics.opportunities.source is 'Where it came from, in the organization''s own words';
comment on column analytics.opportunities.description is 'What it is about, at length';
comment on column analytics.opportunities.budget_confirmed is 'Whether the budget is confirmed; null where nobody said';
comment on column analytics.opportunities.authority_confirmed is 'Whether the authority to decide is confirmed; null where nobody said';
comment on column analytics.opportunities.need_confirmed is 'Whether the need is confirmed; null where nobody said';
comment on column analytics.opportunities.timeline_confirmed is 'Whether the time line is confirmed; null where nobody said';
comment on column analytics.opportunities.discovery_notes is 'What was found out about it';
comment on column analytics.opportunities.next_step is 'What is to be done next';

create view analytics.contacts with (security_invoker = true) as
select r.id, r.name, r.email, d.phone, d.title, d.customer_id, d.account_id, d.tags, d.notes, d.attributes, r.version, r.created_at, r.updated_at
  from activities.directory r
 cross join lateral json_to_record(r.document::json) as d(phone text, title text, customer_id text, account_id text, tags text[], notes text, attributes jsonb)
 where r.kind = 'contact';
comment on view analytics.contacts is 'One row a contact: a person on the other side';
comment on column analytics.contacts.title is 'Their position';
comment on column analytics.contacts.customer_id is 'The id of the customer they belong to, in customers; null where none is named';

create view analytics.accounts with (security_invoker = true) as
select r.id, r.name, r.email, d.phone, d.account_id, d.tags, d.notes, d.attributes, r.version, r.created_at, r.updated_at
  from activities.directory r
 cross join lateral json_to_record(r.document::json) as d(phone text, account_id text, tags text[], notes text, attributes jsonb)
 where r.kind = 'account';
comment on view analytics.accounts is 'One row an account';

create view analytics.users with (security_invoker = true) as
select r.id, r.name, r.email, d.time_zone, d.account_id, d.tags, d.notes, d.attributes, r.version, r.created_at, r.updated_at
  from activities.directory r
 cross join lateral json_to_record(r.document::json) as d(time_zone text, account_id text, tags text[], notes text, attributes jsonb)
 where r.kind = 'user';
comment on view analytics.users is 'One row a user: somebody of the organization. Who acts needs no record, so not everybody is here';
comment on column analytics.users.time_zone is 'Their time zone, such as Europe/Vienna';

do $$
declare
    v_common jsonb := '{
        "id": "Its id, as the API writes it: the key to join by",
        "name": "Its name",
        "email": "Mail address; null where none is known",
        "phone": "Telephone number; null where none is known",
        "account_id": "The id of the account it belongs to, in accounts; null where it belongs to none",
        "tags": "Its tags; null where it has none",
        "notes": "Notes on it; null where there are none",
        "attributes": "Whatever else the organization keeps about it, as one JSON object; null where there is nothing",
        "version": "How many facts were recorded of it so far",
        "created_at": "When it was recorded here first",
        "updated_at": "When anything about it was last recorded"}';
    v_view text;
    v_column text;
begin
    foreach v_view in array array['leads', 'customers', 'opportunities', 'contacts', 'accounts', 'users'] loop
        for v_column in
            select attname from pg_attribute
             where attrelid = ('analytics.' || v_view)::regclass and attnum > 0 and v_common ? attname::text
        loop
            execute format('comment on column analytics.%I.%I is %L', v_view, v_column, v_common ->> v_column);
        end loop;
    end loop;
end $$;

create view analytics.activity_changes with (security_invoker = true) as
select c.position, c.activity_id, c.version, c.change, c.recorded_at, c.happened_at, c.type, c.status,
       c.assigned_user_id, c.due_at, c.overdue_after, c.was_type, c.was_status, c.was_assigned_user_id, c.was_due_at,
       c.was_overdue_after, c.planned_minutes, c.actual_minutes, c.billable_amount, c.currency
  from activities.activity_changes c;
comment on view analytics.activity_changes is 'One row a change of an activity, deleted ones included: what became of it, and what it was before where that differs. Rows are added, never changed';
comment on column analytics.activity_changes.position is 'Its place among all that was ever recorded for the organization: order by it';
comment on column analytics.activity_changes.activity_id is 'Which activity: the key to join by';
comment on column analytics.activity_changes.version is 'The how-manieth change of that activity it is, from 1';
comment on column analytics.activity_changes.change is 'created, updated, rescheduled, started, deferred, waited, resumed, completed, cancelled, deleted or restored';
comment on column analytics.activity_changes.recorded_at is 'When it was recorded: from then on it was known';
comment on column analytics.activity_changes.happened_at is 'When it happened: of a completion, what whoever completed it said, which may be long before; of all others, when it was recorded';
comment on column analytics.activity_changes.type is 'The activity''s type from then on';
comment on column analytics.activity_changes.status is 'The activity''s status from then on; deleting and restoring leave it as it is';
comment on column analytics.activity_changes.assigned_user_id is 'The id of who was to do it from then on';
comment on column analytics.activity_changes.due_at is 'When it was due from then on; null without a date';
comment on column analytics.activity_changes.overdue_after is 'The instant from which it is overdue if nothing else happens: due_at while pending, in progress or waiting and not deleted, else null';
comment on column analytics.activity_changes.was_type is 'The type before; null where this change left it as it was';
comment on column analytics.activity_changes.was_status is 'The status before; null where this change left it as it was, and of created';
comment on column analytics.activity_changes.was_assigned_user_id is 'Who was to do it before; null where this change left it as it was';
comment on column analytics.activity_changes.was_due_at is 'When it was due before; null where this change left it as it was, and where it had no date';
comment on column analytics.activity_changes.was_overdue_after is 'overdue_after as the change before had it; null where it was null, and of created';
comment on column analytics.activity_changes.planned_minutes is 'Of completed: the minutes it was planned to take; else null';
comment on column analytics.activity_changes.actual_minutes is 'Of completed: the minutes it took, null where nobody said; else null';
comment on column analytics.activity_changes.billable_amount is 'Of completed: what it costs, in currency, null where it is not billable; else null';
comment on column analytics.activity_changes.currency is 'Of completed: ISO 4217 code of the amount; else null';

-- An activity is overdue from the later of a change and overdue_after until the later of the next change and the same
-- overdue_after: 1 at its beginning and -1 at its end, summed over the days. Where a change leaves it as it was, the two
-- would cancel out and are left away.
create view analytics.daily_facts_known with (security_invoker = true) as
with here as (
    select coalesce(nullif(current_setting('analytics.time_zone', true), ''), 'UTC') as zone
), facts as (
    select (c.recorded_at at time zone here.zone)::date as day, c.type, c.assigned_user_id,
           count(*) filter (where c.change = 'created') as created,
           count(*) filter (where c.change = 'completed') as completed,
           count(*) filter (where c.change = 'cancelled') as cancelled,
           count(*) filter (where c.change = 'rescheduled' and c.due_at > c.was_due_at) as slipped,
           count(*) filter (where c.change = 'deleted') as deleted,
           count(*) filter (where c.change = 'restored') as restored,
           sum(c.planned_minutes) as planned_minutes,
           sum(c.actual_minutes) as actual_minutes
      from activities.activity_changes c, here
     group by 1, 2, 3
    having count(*) filter (where c.change in ('created', 'completed', 'cancelled', 'deleted', 'restored')
                               or c.change = 'rescheduled' and c.due_at > c.was_due_at) > 0
), moves as (
    select m.type, m.assigned_user_id, greatest(c.recorded_at, m.overdue_after) as at, m.n
      from activities.activity_changes c
     cross join lateral (values
           (c.type, c.assigned_user_id, c.overdue_after, 1),
           (coalesce(c.was_type, c.type), coalesce(c.was_assigned_user_id, c.assigned_user_id), c.was_overdue_after, -1)
           ) as m(type, assigned_user_id, overdue_after, n)
     where (c.overdue_after is distinct from c.was_overdue_after or c.was_type is not null or c.was_assigned_user_id is not null)
       and m.overdue_after is not null
), balances as (
    select m.type, m.assigned_user_id, m.day,
           sum(sum(m.n)) over (partition by m.type, m.assigned_user_id order by m.day) as overdue,
           lead(m.day) over (partition by m.type, m.assigned_user_id order by m.day) as until
      from (select m.type, m.assigned_user_id, m.n, (m.at at time zone here.zone)::date as day
              from moves m, here where m.at < now()) m
     group by 1, 2, 3
), standing as (
    select b.type, b.assigned_user_id, b.day + g.n as day, b.overdue
      from here, balances b
     cross join lateral generate_series(0, coalesce(b.until, (now() at time zone here.zone)::date + 1) - b.day - 1) as g(n)
     where b.overdue > 0
)
select day, type, assigned_user_id,
       coalesce(f.created, 0) as created,
       coalesce(f.completed, 0) as completed,
       coalesce(f.cancelled, 0) as cancelled,
       coalesce(f.slipped, 0) as slipped,
       coalesce(f.deleted, 0) as deleted,
       coalesce(f.restored, 0) as restored,
       coalesce(s.overdue, 0)::bigint as overdue_at_end,
       coalesce(f.planned_minutes, 0)::bigint as planned_minutes,
       coalesce(f.actual_minutes, 0)::bigint as actual_minutes
  from facts f
  full join standing s using (day, type, assigned_user_id);

create view analytics.daily_facts_happened with (security_invoker = true) as
with here as (
    select coalesce(nullif(current_setting('analytics.time_zone', true), ''), 'UTC') as zone
), facts as (
    select (c.happened_at at time zone here.zone)::date as day, c.type, c.assigned_user_id,
           count(*) filter (where c.change = 'created') as created,
           count(*) filter (where c.change = 'completed') as completed,
           count(*) filter (where c.change = 'cancelled') as cancelled,
           count(*) filter (where c.change = 'rescheduled' and c.due_at > c.was_due_at) as slipped,
           count(*) filter (where c.change = 'deleted') as deleted,
           count(*) filter (where c.change = 'restored') as restored,
           sum(c.planned_minutes) as planned_minutes,
           sum(c.actual_minutes) as actual_minutes
      from activities.activity_changes c, here
     group by 1, 2, 3
    having count(*) filter (where c.change in ('created', 'completed', 'cancelled', 'deleted', 'restored')
                               or c.change = 'rescheduled' and c.due_at > c.was_due_at) > 0
), moves as (
    -- what was recorded of an activity after it was done in truth: it was done by then
    select m.type, m.assigned_user_id, greatest(least(c.recorded_at, done.happened_at), m.overdue_after) as at, m.n
      from activities.activity_changes c
      left join activities.activity_changes done
        on done.organization_id = c.organization_id and done.activity_id = c.activity_id and done.change = 'completed'
     cross join lateral (values
           (c.type, c.assigned_user_id, c.overdue_after, 1),
           (coalesce(c.was_type, c.type), coalesce(c.was_assigned_user_id, c.assigned_user_id), c.was_overdue_after, -1)
           ) as m(type, assigned_user_id, overdue_after, n)
     where (c.overdue_after is distinct from c.was_overdue_after or c.was_type is not null or c.was_assigned_user_id is not null)
       and m.overdue_after is not null
), balances as (
    select m.type, m.assigned_user_id, m.day,
           sum(sum(m.n)) over (partition by m.type, m.assigned_user_id order by m.day) as overdue,
           lead(m.day) over (partition by m.type, m.assigned_user_id order by m.day) as until
      from (select m.type, m.assigned_user_id, m.n, (m.at at time zone here.zone)::date as day
              from moves m, here where m.at < now()) m
     group by 1, 2, 3
), standing as (
    select b.type, b.assigned_user_id, b.day + g.n as day, b.overdue
      from here, balances b
     cross join lateral generate_series(0, coalesce(b.until, (now() at time zone here.zone)::date + 1) - b.day - 1) as g(n)
     where b.overdue > 0
)
select day, type, assigned_user_id,
       coalesce(f.created, 0) as created,
       coalesce(f.completed, 0) as completed,
       coalesce(f.cancelled, 0) as cancelled,
       coalesce(f.slipped, 0) as slipped,
       coalesce(f.deleted, 0) as deleted,
       coalesce(f.restored, 0) as restored,
       coalesce(s.overdue, 0)::bigint as overdue_at_end,
       coalesce(f.planned_minutes, 0)::bigint as planned_minutes,
       coalesce(f.actual_minutes, 0)::bigint as actual_minutes
  from facts f
  full join standing s using (day, type, assigned_user_id);

create view analytics.daily_billing_known with (security_invoker = true) as
select (c.recorded_at at time zone coalesce(nullif(current_setting('analytics.time_zone', true), ''), 'UTC'))::date as day,
       c.currency, c.type, c.assigned_user_id,
       count(*) as completed,
       sum(coalesce(c.actual_minutes, c.planned_minutes))::bigint as minutes,
       sum(c.billable_amount)::numeric(18, 2) as billable_amount
  from activities.activity_changes c
 where c.change = 'completed' and c.billable_amount is not null
 group by 1, 2, 3, 4;

create view analytics.daily_billing_happened with (security_invoker = true) as
select (c.happened_at at time zone coalesce(nullif(current_setting('analytics.time_zone', true), ''), 'UTC'))::date as day,
       c.currency, c.type, c.assigned_user_id,
       count(*) as completed,
       sum(coalesce(c.actual_minutes, c.planned_minutes))::bigint as minutes,
       sum(c.billable_amount)::numeric(18, 2) as billable_amount
  from activities.activity_changes c
 where c.change = 'completed' and c.billable_amount is not null
 group by 1, 2, 3, 4;

do $$
declare
    v_axis text[];
    v_columns jsonb := '{
        "day": "The day, in UTC unless the setting analytics.time_zone says otherwise. A day on which nothing happened and nothing was overdue has no row",
        "type": "Type of the activities, as of the change that is counted",
        "assigned_user_id": "The id of who was to do them, as of the change that is counted",
        "created": "Activities created",
        "completed": "Activities completed",
        "cancelled": "Activities cancelled",
        "slipped": "Moves of a due date to a later one; an activity moved twice counts twice",
        "deleted": "Activities deleted. What was counted of them before stays counted",
        "restored": "Deleted activities brought back",
        "overdue_at_end": "Activities overdue at the day''s end (today: now). Add it up over types and assignees, never over days",
        "planned_minutes": "Minutes planned for the activities completed",
        "actual_minutes": "Minutes they took, as far as somebody said",
        "currency": "ISO 4217 code of the amount",
        "minutes": "Minutes billed: the actual ones, else the planned ones",
        "billable_amount": "What they cost, in currency"}';
    v_column text;
begin
    foreach v_axis slice 1 in array array[
        ['daily_facts_known', 'What was recorded day by day, by type and assignee: by the day a thing was known. Days that are over stay as they are'],
        ['daily_facts_happened', 'What happened day by day, by type and assignee: by the day a thing happened. A completion that is recorded late counts on the day it happened, and from that day on its activity is not overdue here, whatever was known then'],
        ['daily_billing_known', 'Billable activities completed day by day, by currency, type and assignee: by the day the completion was recorded'],
        ['daily_billing_happened', 'Billable activities completed day by day, by currency, type and assignee: by the day they happened']]
    loop
        execute format('comment on view analytics.%I is %L', v_axis[1], v_axis[2]);
        for v_column in
            select attname from pg_attribute where attrelid = ('analytics.' || v_axis[1])::regclass and attnum > 0
        loop
            if v_column = 'completed' and v_axis[1] like 'daily_billing%' then
                execute format('comment on column analytics.%I.%I is %L', v_axis[1], v_column, 'Billable activities completed');
            else
                execute format('comment on column analytics.%I.%I is %L', v_axis[1], v_column, v_columns ->> v_column);
            end if;
        end loop;
    end loop;
end $$;

create view analytics.freshness with (security_invoker = true) as
select m.read_model,
       coalesce(c.position, 0) as position,
       h.position as head,
       h.position - coalesce(c.position, 0) as behind,
       coalesce(extract(epoch from now() - (
           select e.recorded_at from activities.events e
            where e.organization_id = h.organization_id and e.position = coalesce(c.position, 0) + 1
       )), 0)::double precision as age_seconds,
       c.moved_at
  from activities.heads h
 cross join unnest(array['activity_list', 'activity_search', 'overdue', 'directory', 'follow_ups', 'activity_changes']) as m(read_model)
  left join activities.cursors c on c.organization_id = h.organization_id and c.read_model = m.read_model;
comment on view analytics.freshness is 'How fresh each read model is: the views over activities, tags, participants and details read activity_list, daily facts and billing activity_changes';
comment on column analytics.freshness.read_model is 'Name of the read model';
comment on column analytics.freshness.position is 'How many of the recorded facts it shows';
comment on column analytics.freshness.head is 'How many facts were recorded for the organization';
comment on column analytics.freshness.behind is 'How many of them it does not show yet';
comment on column analytics.freshness.age_seconds is 'How long the oldest of these has been waiting, in seconds; 0 where it shows all';
comment on column analytics.freshness.moved_at is 'When it last took something in; null where it never did';

grant usage on schema analytics to activities_analyst, activities_reader;
grant select on all tables in schema analytics to activities_analyst, activities_reader;
