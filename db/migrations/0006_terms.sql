-- The text search configuration that cuts words of a language (ISO 639-1) to their stems; of any other, words as they are.
create function text_config(language text) returns regconfig
language sql immutable parallel safe
as $$
  select case language
    when 'en' then 'english'::regconfig when 'ar' then 'arabic' when 'ca' then 'catalan' when 'da' then 'danish'
    when 'de' then 'german' when 'el' then 'greek' when 'es' then 'spanish' when 'eu' then 'basque' when 'fi' then 'finnish'
    when 'fr' then 'french' when 'ga' then 'irish' when 'hi' then 'hindi' when 'hu' then 'hungarian' when 'hy' then 'armenian'
    when 'id' then 'indonesian' when 'it' then 'italian' when 'lt' then 'lithuanian' when 'ne' then 'nepali' when 'nl' then 'dutch'
    when 'no' then 'norwegian' when 'pt' then 'portuguese' when 'ro' then 'romanian' when 'ru' then 'russian' when 'sr' then 'serbian'
    when 'sv' then 'swedish' when 'ta' then 'tamil' when 'tr' then 'turkish' when 'yi' then 'yiddish' else 'simple' end
$$;
--> statement-breakpoint
-- The terms of a text, and how often each stands in it: one function for what is indexed and for what is asked, so that the two
-- cannot differ. Words are cut to the stems of their language; runs of a script without spaces become pairs of characters;
-- identifiers, codes and numbers stand whole, in small letters, beside their parts.
create function terms(language text, body text) returns table (term text, frequency int)
-- Ten are those of a question; how many a passage has decides no plan.
language plpgsql immutable parallel safe rows 10
as $$
#variable_conflict use_column
declare
  -- Thai and Lao, Burmese, Khmer, kana, Han, Hangul.
  dense constant text := U&'[\0E00-\0EFF\1000-\109F\1780-\17FF\3040-\30FF\3400-\4DBF\4E00-\9FFF\AC00-\D7AF\F900-\FAFF\+020000-\+03FFFF]+';
  config constant regconfig := text_config(language);
  words text := body;
  runs text[] := '{}';
begin
  if octet_length(body) <> char_length(body) then
    -- Ligatures, wide and presented forms as the letters that they are; soft hyphens and marks without width are not there.
    words := translate(normalize(body, nfkc), U&'\00AD\200B\200C\200D\2060\FEFF', '');
    if words ~ dense then
      runs := array(select found[1] from regexp_matches(words, dense, 'g') found);
      words := regexp_replace(words, dense, ' ', 'g');
    end if;
  end if;
  return query
  with identifiers as materialized (
    select lower(replace(found[1], ',', '')) as term
    from regexp_matches(words, '[[:alnum:]]+(?:[_.:/@#\-]+[[:alnum:]]+)+|[0-9]+(?:,[0-9]{3})+|\m[[:alpha:]](?:\+\+|#)', 'g') found
    where char_length(found[1]) <= 100 and found[1] ~ '[0-9_.:/@#+]'
  ), humps as materialized (
    select string_agg(regexp_replace(found[1], '([[:lower:]])([[:upper:]])', '\1 \2', 'g'), ' ') as parts
    from regexp_matches(words, '[[:alpha:]]*[[:lower:]]{2}[[:upper:]][[:lower:]][[:alpha:]]*', 'g') found
  )
  select found.term, sum(found.frequency)::int
  from (
    select lexeme as term, array_length(positions, 1) as frequency
    from humps, unnest(to_tsvector(config, translate(words, '_.:/@#-', '       ') || coalesce(' ' || humps.parts, '')))
    union all
    select identifiers.term, 1 from identifiers
    union all
    select substr(run, at, 2), 1 from unnest(runs) run, generate_series(1, greatest(1, char_length(run) - 1)) at
  ) found
  group by found.term;
end
$$;
