internal import Postgres

extension SchemaDescription {
    /// The lines that describe a schema's objects, from the system catalogs.
    ///
    /// Source: PostgreSQL manual, chapter 53 "System Catalogs".
    struct SelectLines: PostgresStatement {
        let schema: String
        let names: [String]

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(schema)
            // Whole words only: a role may be named `recorder_owner`.
            let patterns = names.map { name in name.map { $0.isWord ? "\($0)" : "\\\($0)" }.joined() }
            try parameters.append("\"?\\m(" + patterns.joined(separator: "|") + ")\\M\"?")
        }

        func decode(
            _ row: borrowing PostgresRow
        ) throws(PostgresError) -> (title: String, parent: String?, line: String) {
            (try row.decode(at: 0), try row.decode(at: 1), try row.decode(at: 2))
        }

        let sql = """
            with home as (
                select oid, nspowner, nspacl from pg_namespace where nspname = $1
            ), relation as (
                select class.*, parent.relname as parent,
                    case class.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                        when 'c' then 'type' else 'table' end || ' ' || class.relname as title
                from pg_class class
                join home on class.relnamespace = home.oid
                left join pg_inherits on inhrelid = class.oid and class.relispartition
                left join pg_class parent on parent.oid = inhparent
                where class.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')
            ), line(title, parent, line) as (
                select 'the schema', null::name, 'privilege ' || privilege_type || ' for ' || pg_get_userbyid(grantee)
                from home, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
                where grantee <> nspowner
            union all
                select title, parent, 'kind ' || relkind::text || ' ' || relpersistence::text || ' ' || relreplident::text
                    || case when relrowsecurity then ' row security' else '' end
                    || coalesce(' with ' || array_to_string(reloptions, ', '), '')
                    || coalesce(' partitioned by ' || pg_get_partkeydef(oid), '')
                from relation
            union all
                select title, parent, 'owner '
                    || case when relowner = (select nspowner from home) then '«owner»' else pg_get_userbyid(relowner) end
                from relation
            union all
                select title, parent, 'privilege ' || privilege_type || ' for '
                    || case when grantee = 0 then 'public' else pg_get_userbyid(grantee) end
                from relation, aclexplode(coalesce(relacl, acldefault(case relkind when 'S' then 's'::"char" else 'r' end, relowner)))
                where grantee <> relowner
            union all
                select title, parent, 'column '
                    || row_number() over (partition by attrelid order by attnum) || ' ' || attname || ' '
                    || format_type(atttypid, atttypmod)
                    || case when attnotnull then ' not null' else '' end
                    || coalesce(case when attgenerated = '' then ' default ' else ' generated ' end
                        || pg_get_expr(adbin, adrelid), '')
                    || case when attidentity = '' then '' else ' identity ' || attidentity::text end
                    || ' storage ' || attstorage::text || ' compression ' || attcompression::text
                    || coalesce(' collate ' || (select collname from pg_collation where oid = nullif(attcollation, 100)), '')
                    || coalesce(' privileges ' || attacl::text, '')
                from relation
                join pg_attribute on attrelid = relation.oid and attnum > 0 and not attisdropped
                left join pg_attrdef on adrelid = attrelid and adnum = attnum
                where relkind <> 'S'
            union all
                select title, parent, 'constraint ' || case when parent is null then conname else '' end || ' '
                    -- One that was not validated guards what is stored from then on all the same.
                    || replace(pg_get_constraintdef(pg_constraint.oid), ' NOT VALID', '')
                from relation join pg_constraint on conrelid = relation.oid
            union all
                select title, parent, 'index '
                    || case when parent is null then pg_get_indexdef(indexrelid)
                        else regexp_replace(pg_get_indexdef(indexrelid), '^(CREATE (UNIQUE )?INDEX) .* USING', '\\1 … USING') end
                    || case when indisvalid then '' else ' invalid' end
                from relation join pg_index on indrelid = relation.oid
            union all
                select title, parent, 'trigger '
                    || case when parent is null then pg_get_triggerdef(pg_trigger.oid)
                        else replace(pg_get_triggerdef(pg_trigger.oid), '.' || quote_ident(relname) || ' ', '.… ') end
                    || ' enabled ' || tgenabled::text
                from relation join pg_trigger on tgrelid = relation.oid and not tgisinternal
            union all
                select title, parent, 'rule ' || pg_get_ruledef(pg_rewrite.oid)
                from relation join pg_rewrite on ev_class = relation.oid
            union all
                select title, parent, 'policy ' || polname || ' ' || polcmd::text || ' '
                    || coalesce(pg_get_expr(polqual, polrelid), '') || ' ' || coalesce(pg_get_expr(polwithcheck, polrelid), '')
                    || ' ' || polroles::regrole[]::text
                from relation join pg_policy on polrelid = relation.oid
            union all
                select title, parent, 'sequence ' || format_type(seqtypid, null) || ' start ' || seqstart || ' by ' || seqincrement
                    || ' from ' || seqmin || ' to ' || seqmax || ' cache ' || seqcache || case when seqcycle then ' cycle' else '' end
                from relation join pg_sequence on seqrelid = relation.oid
            union all
                select title, parent, 'statistics ' || pg_get_statisticsobjdef(pg_statistic_ext.oid)
                from relation join pg_statistic_ext on stxrelid = relation.oid
            union all
                select 'function ' || proname || '(' || pg_get_function_identity_arguments(pg_proc.oid) || ')', null, part
                from pg_proc
                join home on pronamespace = home.oid
                cross join lateral (
                    select case prokind
                        when 'a' then 'aggregate returning ' || format_type(prorettype, null)
                            || (select ' by ' || aggtransfn::text || ' ' || aggfinalfn::text || ' ' || format_type(aggtranstype, null)
                                || coalesce(' from ' || agginitval, '') from pg_aggregate where aggfnoid = pg_proc.oid)
                        else pg_get_functiondef(pg_proc.oid) end
                    union all
                    select 'owner ' || case when proowner = nspowner then '«owner»' else pg_get_userbyid(proowner) end
                    union all
                    select 'privilege ' || privilege_type || ' for '
                        || case when grantee = 0 then 'public' else pg_get_userbyid(grantee) end
                    from aclexplode(coalesce(proacl, acldefault('f', proowner)))
                    where grantee <> proowner
                ) as parts(part)
            union all
                select 'type ' || typname, null, format_type(typbasetype, typtypmod) || coalesce(' default ' || typdefault, '')
                    || case when typnotnull then ' not null' else '' end
                    || coalesce((select ' ' || string_agg(pg_get_constraintdef(oid), ' ' order by conname) from pg_constraint
                        where contypid = pg_type.oid), '')
                    || coalesce((select ' ' || string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum
                        where enumtypid = pg_type.oid), '')
                from pg_type join home on typnamespace = home.oid
                where typtype in ('d', 'e')
            )
            -- Bodies are long: their digest tells that they differ.
            select regexp_replace(title, $2, '«schema»', 'g'), parent::text,
                case when line ~ '^(CREATE OR REPLACE|rule )'
                    then 'definition ' || left(md5(regexp_replace(line, $2, '«schema»', 'g')), 8)
                    else regexp_replace(line, $2, '«schema»', 'g') end
            from line
            where line is not null
            """
    }
}

extension Character {
    /// Whether it stands for itself in a regular expression, and must not be escaped there.
    fileprivate var isWord: Bool { isLetter || isNumber || self == "_" }
}
