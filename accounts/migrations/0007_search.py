"""How members are found: one spelling of every name, and the indexes over names and phones."""

import django.contrib.postgres.indexes
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

# What each letter becomes. In a key “j” is ж, “q” is ч, “w” is ш or щ: the Latin letters written so are
# taken for others before. ц, х, ю and я have to wait for what Latin writes with two letters.
LETTERS = {
    **dict(zip("абвгдежзийклмнопрстуфчшщыэ", "abvgdejziiklmnoprstufqwwie", strict=True)),
    **{letter: letter for letter in "цхюя"},
    "ё": "e",
    # Of Russian's neighbours.
    **dict(zip("іїєґўәғқңөұүһҗ", "iieguagknouuхj", strict=True)),
    **{letter: letter for letter in "abcdefghiklmnoprstuvxz"},
    **dict(zip("jqwy", "ikvi", strict=True)),
    # Latin letters with marks, among them those of scholarly transliteration.
    **dict.fromkeys("àáâãäåāăą", "a"),
    **dict.fromkeys("èéêëēėęě", "e"),
    **dict.fromkeys("ìíîïīýÿ", "i"),
    **dict.fromkeys("òóôõöøōő", "o"),
    **dict.fromkeys("ùúûüūůű", "u"),
    **dict(zip("çćčďğłñńňřśşšťźżž", "ccqdglnnnrswwtzzj", strict=True)),
}
SPACES = "\t\n\u00a0\u2007\u202f-\u2010\u2011\u2012\u2013\u2014\u2212_.,/"
# Soft and hard signs, apostrophes, marks that stand apart from their letter, and what nobody sees.
NOTHING = "ьъЬЪ'’‘`´ʼ′\"\u0300\u0301\u0302\u0306\u0308\u030c\u00ad\u200b\u200c\u200d\u2060\ufeff"
# In this order. Cyrillic “сх” is no “sh”, so х becomes “h” only when the pairs are done.
PAIRS = [
    ("ц", "ts"),
    ("ю", "iu"),
    ("я", "ia"),
    ("ß", "ss"),
    ("sh", "w"),
    ("ch", "q"),
    ("zh", "j"),
    ("kh", "h"),
    ("ph", "f"),
    ("th", "t"),
    ("ck", "k"),
    ("c", "k"),
    ("x", "ks"),
    ("tz", "ts"),
    ("х", "h"),
    ("sq", "w"),
    ("wq", "w"),
    ("tq", "q"),
    *((letter * 2, letter) for letter in "aoubdfgklmnprstvzii"),
    ("ie", "e"),
    ("io", "e"),
    ("ee", "e"),
    ("ee", "e"),
    ("ander", "andr"),
    ("   ", " "),
    ("  ", " "),
    ("  ", " "),
]


def name_key_sql() -> str:
    """The function that brings every spelling of a name to one, written in Latin letters.

    It is one expression without patterns: it is computed for every row that an import writes.
    """
    letters = LETTERS | {letter.upper(): key for letter, key in LETTERS.items() if len(letter.upper()) == 1}
    changed = {letter: key for letter, key in letters.items() if letter != key}
    changed |= dict.fromkeys(SPACES, " ")
    expression = 'translate(name collate "C", {}, {})'.format(
        *(
            "'{}'".format(text.replace("'", "''"))
            for text in ("".join(changed) + NOTHING, "".join(changed.values()))
        )
    )
    for found, key in PAIRS:
        expression = f"replace({expression}, '{found}', '{key}')"
    return (
        "create function accounts_name_key(name text) returns text language sql immutable parallel safe"
        f" return btrim({expression})"
    )


KEYS = """
alter table accounts_member
    add column first_key text collate "C" generated always as (accounts_name_key(first_name)) stored not null,
    add column last_key text collate "C" generated always as (accounts_name_key(last_name)) stored not null
"""
NO_KEYS = "alter table accounts_member drop column first_key, drop column last_key"
# Whoever adds members in parallel must not wait for each other: a key may be noted twice, and no unique
# index makes anybody wait to see whether it will be.
NOTED = """
create function accounts_note_new_keys() returns trigger language plpgsql as $$
begin
    insert into accounts_name_key (is_last, key)
    select distinct named.is_last, named.key
      from added cross join lateral (values (false, added.first_key), (true, added.last_key))
           as named (is_last, key)
     where named.key <> '' and not added.is_sandbox
       and not exists (select from accounts_name_key known
                        where known.is_last = named.is_last and known.key = named.key);
    return null;
end $$;
create function accounts_note_changed_keys() returns trigger language plpgsql as $$
begin
    insert into accounts_name_key (is_last, key)
    select named.is_last, named.key
      from (values (false, new.first_key), (true, new.last_key)) as named (is_last, key)
     where named.key <> '' and not new.is_sandbox
       and not exists (select from accounts_name_key known
                        where known.is_last = named.is_last and known.key = named.key);
    return null;
end $$;
create trigger keys_of_new_members after insert on accounts_member
    referencing new table as added for each statement execute function accounts_note_new_keys();
create trigger keys_of_changed_names after update of first_name, last_name on accounts_member
    for each row when (old.first_key <> new.first_key or old.last_key <> new.last_key)
    execute function accounts_note_changed_keys();
insert into accounts_name_key (is_last, key)
select false, first_key from accounts_member where first_key <> '' and not is_sandbox group by first_key
 union all
select true, last_key from accounts_member where last_key <> '' and not is_sandbox group by last_key;
"""
NOT_NOTED = """
drop trigger keys_of_changed_names on accounts_member;
drop trigger keys_of_new_members on accounts_member;
drop function accounts_note_changed_keys;
drop function accounts_note_new_keys;
"""


def key_field(name: str) -> models.GeneratedField:
    return models.GeneratedField(
        expression=models.Func(models.F(name), function="accounts_name_key"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_console"),
    ]

    operations = [
        TrigramExtension(),
        migrations.RunSQL(name_key_sql(), "drop function accounts_name_key"),
        # Both at once, since the table is written anew.
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(KEYS, NO_KEYS)],
            [
                migrations.AddField("member", "first_key", key_field("first_name")),
                migrations.AddField("member", "last_key", key_field("last_name")),
            ],
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                fields=["last_key", "first_key", "id"],
                condition=models.Q(("is_sandbox", False)),
                name="member_by_last_name",
            ),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                fields=["first_key", "last_key", "id"],
                condition=models.Q(("is_sandbox", False)),
                name="member_by_first_name",
            ),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                django.db.models.functions.comparison.Collate(
                    django.db.models.functions.text.Reverse("phone"), "C"
                ),
                condition=models.Q(("is_sandbox", False), ("phone__isnull", False)),
                name="member_by_last_digits",
            ),
        ),
        migrations.CreateModel(
            name="NameKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_last", models.BooleanField()),
                ("key", models.TextField(db_collation="C")),
            ],
            options={
                "db_table": "accounts_name_key",
                "indexes": [
                    models.Index(fields=["is_last", "key"], name="name_key_by_beginning"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["key"], name="name_key_by_part", opclasses=["gin_trgm_ops"]
                    ),
                ],
            },
        ),
        migrations.RunSQL(NOTED, NOT_NOTED),
    ]
