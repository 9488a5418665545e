-- What decides about a transfer, and the row that keeps it. These are functions since PostgreSQL then
-- makes their plans once per connection: planning them anew took longer than moving the points.
-- They run with the rights of whoever calls them.


-- When the password of a login or the e-mail of its member was last changed, or null.
create or replace function loyalty_changed_at(p_member_id bigint, p_user_id bigint)
returns timestamptz language plpgsql stable as $$
begin
    return greatest(
        (select password_changed_at from accounts_user where id = p_user_id),
        (select max(ended_at) from accounts_contactchange
          where member_id = p_member_id and kind = 'email' and outcome = 'confirmed')
    );
end $$;


-- What went from a member in the day and the month so far, as an array of two. What was taken back
-- does not count; nothing is added up where no limit asks, since many may have given to one member.
create or replace function loyalty_given_points(
    p_sender_id bigint, p_is_limited boolean, p_day_from timestamptz, p_month_from timestamptz, p_until timestamptz
) returns bigint[] language plpgsql stable as $$
begin
    if not p_is_limited then
        return array[0, 0];
    end if;
    return (select array[coalesce(sum(points) filter (where made_at >= p_day_from), 0), coalesce(sum(points), 0)]
              from loyalty_transfer
             where sender_id = p_sender_id and taken_back_at is null
               and made_at >= p_month_from and made_at < p_until);
end $$;


-- The same of what went to a member.
create or replace function loyalty_received_points(
    p_recipient_id bigint, p_is_limited boolean, p_day_from timestamptz, p_month_from timestamptz,
    p_until timestamptz
) returns bigint[] language plpgsql stable as $$
begin
    if not p_is_limited then
        return array[0, 0];
    end if;
    return (select array[coalesce(sum(points) filter (where made_at >= p_day_from), 0), coalesce(sum(points), 0)]
              from loyalty_transfer
             where recipient_id = p_recipient_id and taken_back_at is null
               and made_at >= p_month_from and made_at < p_until);
end $$;


-- Whether a login is not switched off; a member without one has none to switch off.
create or replace function loyalty_is_active(p_user_id bigint) returns boolean language plpgsql stable as $$
begin
    return coalesce((select is_active from accounts_user where id = p_user_id), true);
end $$;


-- Whether a member may get points from others at all.
create or replace function loyalty_may_receive(p_member_id bigint, p_user_id bigint) returns boolean language plpgsql stable as $$
begin
    return not coalesce((select is_blocked from loyalty_points_account where id = p_member_id), false)
       and loyalty_is_active(p_user_id);
end $$;


-- Lock both members' accounts, and then look at everything that decides about an intent, and at which
-- edition is in force.
create or replace function loyalty_transfer_facts(
    p_intent_id bigint, p_sender_id bigint, p_recipient_id bigint, p_at timestamptz,
    p_day_from timestamptz, p_month_from timestamptz, p_until timestamptz
) returns table (
    edition_id bigint, edition_number integer, edition_published_at timestamptz,
    expires_at timestamptz, wrong_proofs smallint, proof varchar, is_made boolean, knows_recipient boolean,
    is_active boolean, joined_at timestamptz, changed_at timestamptz, given_points bigint[],
    may_receive boolean, received_points bigint[]
) language plpgsql as $$
declare
    v_edition record;
begin
    perform ledger.lock_accounts(array[p_sender_id, p_recipient_id]);
    select id, number, published_at,
           transfer_day_limit_points is not null or transfer_month_limit_points is not null as limits_given,
           transfer_received_day_limit_points is not null
               or transfer_received_month_limit_points is not null as limits_received
      into v_edition
      from loyalty_rule_set
     where number is not null and withdrawn_at is null and effective_at <= p_at
     order by number desc limit 1;
    return query
        select v_edition.id, v_edition.number, v_edition.published_at,
               intent.expires_at, intent.wrong_proofs, intent.proof,
               exists (select from loyalty_transfer where key = intent.key),
               exists (select from loyalty_transfer where sender_id = p_sender_id
                          and recipient_id = p_recipient_id and taken_back_at is null),
               loyalty_is_active(sender.user_id), sender.joined_at,
               loyalty_changed_at(sender.id, sender.user_id),
               loyalty_given_points(sender.id, v_edition.limits_given, p_day_from, p_month_from, p_until),
               loyalty_may_receive(recipient.id, recipient.user_id),
               loyalty_received_points(
                   recipient.id, v_edition.limits_received, p_day_from, p_month_from, p_until)
          from loyalty_transfer_intent intent, accounts_member sender, accounts_member recipient
         where intent.id = p_intent_id and sender.id = p_sender_id and recipient.id = p_recipient_id;
end $$;


-- Keep a transfer, unless its number is taken: then nothing comes back. Otherwise its id does, with what
-- both sides are told: what the sender has left, and the first last day of what the recipient got.
create or replace function loyalty_keep_transfer(
    p_number varchar, p_key uuid, p_sender_id bigint, p_recipient_id bigint, p_points integer, p_posting_id bigint,
    p_rule_set_id bigint, p_made_at timestamptz, p_how varchar, p_actor_id bigint, p_proof varchar,
    p_take_back_until_at timestamptz
) returns table (id bigint, available_after_points bigint, first_expires_on date) language plpgsql as $$
begin
    return query
        insert into loyalty_transfer
            (number, key, sender_id, recipient_id, points, posting_id, rule_set_id, made_at, how, actor_id, proof,
             take_back_until_at, ended_by, end_reason)
        values
            (p_number, p_key, p_sender_id, p_recipient_id, p_points, p_posting_id, p_rule_set_id, p_made_at, p_how,
             p_actor_id, p_proof, p_take_back_until_at, '', '')
        on conflict (number) do nothing
        returning loyalty_transfer.id,
            (select available_points from loyalty_points_account account where account.id = p_sender_id),
            (select min(lot.expires_on)
               from loyalty_entry entry join loyalty_lot lot on lot.id = entry.lot_id
              where entry.posting_id = p_posting_id and lot.account_id = p_recipient_id);
end $$;
