"""Queries with a mark in every place where a name, a word, a number or a text may stand. Made, not recorded."""

from collections.abc import Iterator

MARK = "ZZQ"
PAYLOADS = [
    "zzq); drop",
    "year from now()), zzq(2), extract(year",
    "zzq",
    "x') zzq --",
    'x") zzq --',
]
_QUOTES = ['"{}"', "'{}'", "e'{}'", "n'{}'", 'u&"{}"', "u&'{}'", "$${}$$", "{}"]

_DATES = """
extract({} from current_date)|extract({}, current_date)|extract(year from {})|date_part({}, current_date)
date_part('year', {})|date_trunc({}, current_date)|date_trunc('day', current_date, {})
timestamp_trunc(current_date, {})|datetrunc({}, current_date)|trunc(current_date, {})|interval '1' {}
interval {}|interval 1 {}|interval '1' day to {}|'1'::interval {}|cast('1' as interval {})|date {}|timestamp {}
timestamptz {}|time {}|date({})|current_date({})|current_date - interval {} day|current_date + 1 {}
date_diff({}, current_date, current_date)|dateadd({}, 1, current_date)|date_add(current_date, interval 1 {})
age({})|strftime({}, current_date)|format_date({}, current_date)|last_day(current_date, {})|year({})|week({})
current_timestamp({})|now({})|1 at time zone {}|current_timestamp at time zone {}|ts_or_ds_to_date({}, 'x')
to_char(current_date, {})|to_char({}, 'x')|to_date('1', {})|to_timestamp('1', {})|time_to_str(current_date, {})
"""
_TYPES = """
cast('1' as {})|'1'::{}|current_date::varchar({})|cast(1 as decimal({}))|cast(1 as decimal(1, {}))
cast('a' as timestamp({}))|convert({}, date)|try_cast({} as date)|safe_cast(1 as {})|cast(1 as date format {})
cast(1 as char character set {})|cast(1 as varchar {})|cast(1 as timestamp with time zone {})
cast(1 as enum({}))|id::int {}|{}::date|charset {}|_utf8 {}|b{}|x{}
"""
_TEXTS = """
trim({} from name)|trim(both {} from name)|trim({} name)|substring(name from {})|substring(name from 1 for {})
left(name, {})|left(name, 1) {}|length(name, {})|length(name {})|upper(name {})|position({} in name)
overlay(name placing {} from 1)|name like 'x' escape {}|name like {}|name ilike 'x' escape {}|name similar to {}
char_length({})|substr(name, {})|mid(name, {})|lcase({})|{} | 'x'|name collate {}|concat({}, name)|name ~ {}
name operator({}) name|format({}, name)
"""
_NUMBERS = """
round(1, {})|round(1, 2, {})|ceil(1, {})|floor(1 to {})|greatest(1, {})|nullif(1, {})|coalesce(id, {})
pow({}, 1)|mod({}, 1)|div({}, 1)|-{}|{} + 1|1 {} 1|{} between 1 and 2|{} in (1)|id in ({})|not {}|({})|({}, 1)
id is {}|id is not distinct from {}|case {} when 1 then 2 end|case when {} then 1 else {} end|if({}, 1, 2)
iff({}, 1, 2)|nvl({}, 1)|exists(select {})|{}|{}.id|dynos.{}|dynos.{}.id|id as {}|id {}|array[{}]|row({})|id[{}]
@{}|:{}|%({})s|?{}|{}(1)|{}.lower('a')|lower.{}
"""
_GROUPS = """
count(*) over (rows {} preceding)|count(*) over (rows between {} preceding and current row)|count(*) over ({})
count(*) over {}|count(*) over (partition by {})|count(*) over (order by {})|lag(id, {}) over (order by id)
lag(id) {} nulls over (order by id)|count(*) filter (where {})|count(distinct {})|count(all {})|min(id, {})
max({})|sum(id) within group (order by {})|row_number({}) over ()|rank({}) over (order by id)|bool_and({})
every({})|avg(all {})|string_agg(name, {})|sum(id order by {})
"""
_AFTER = """
as {}|{}|as d({})|join vehicles using ({})|natural join {}|join {} on true|{} join vehicles on true
left {} join vehicles on true|cross join {}|order by {}|order by id {}|order by id nulls {}
order by id collate {}|order by id using {}|limit {}|offset {}|fetch first {} rows only|limit 1 {}
limit {} percent|group by {}|group by rollup({})|having {}|where {}|tablesample {} (1)|for {}|for update of {}
union {} select * from dynos|union all by {} select * from dynos|window {} as (order by id)|, lateral {}|, {}
"""
_WHOLE = """
select * from {}|select * from {}.dynos|select * from assistant_sql.{}|select * from only {}|select * from {}(1)
with {} as (select 1) select 1|with x({}) as (select 1) select * from x|with x as {} (select 1) select 1
select distinct on ({}) id from dynos|select top {} id from dynos|select /*+ {} */ id from dynos
select id -- {} ~ from dynos|select {} /* x */ from dynos|select all {} from dynos|select distinct {} from dynos
select 1; {}|{}; select 1|{} select 1|select * from (values ({})) v|select * from (select 1) {}
select * from (select 1) as x({})|table {}|select 1 into {}
"""


def _pieces(text: str) -> list[str]:
    return [piece for line in text.strip().splitlines() for piece in line.split("|") if piece]


def _templates() -> Iterator[str]:
    for expression in _pieces(_DATES) + _pieces(_TYPES) + _pieces(_TEXTS) + _pieces(_NUMBERS) + _pieces(_GROUPS):
        yield f"select {expression} from dynos"
        yield f"select id from dynos where {expression} is not null"
    for end in _pieces(_AFTER):
        yield f"select * from dynos {end}"
    for whole in _pieces(_WHOLE):
        yield whole.replace("~", "\n")


def marked_queries() -> list[str]:
    return [
        template.replace("{}", quote.replace("{}", payload))
        for template in _templates()
        for quote in _QUOTES
        for payload in PAYLOADS
    ]
