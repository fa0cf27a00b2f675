/// A statement with its parameters encoded, ready to be sent.
struct BoundStatement {
    let key: PreparedStatements.Key
    let parameters: PostgresParameters

    /// - Throws: ``PostgresError`` with `.encoding`, before anything was sent.
    init(_ statement: some PostgresStatement) throws(PostgresError) {
        var parameters = PostgresParameters()
        try statement.bind(&parameters)
        key = PreparedStatements.Key(sql: statement.sql, types: parameters.types)
        self.parameters = parameters
    }
}
