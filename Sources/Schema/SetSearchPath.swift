package import Postgres

/// Sets the schemas in which unqualified names are looked up, in their order, until the transaction ends.
package struct SetSearchPath: PostgresStatement {
    package let sql = """
        select set_config('search_path', (select string_agg(quote_ident(name), ', ' order by number)
            from unnest($1::text[]) with ordinality as given(name, number)), true)
        """
    let schemas: [String]

    /// - Parameter schemas: Their names.
    package init(schemas: [String]) { self.schemas = schemas }

    package func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(schemas) }

    package func decode(_ row: borrowing PostgresRow) throws(PostgresError) {}
}
