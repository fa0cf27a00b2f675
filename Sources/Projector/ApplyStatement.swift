internal import Postgres

/// One statement of a projection's apply.sql with the batch that it folds.
struct ApplyStatement: PostgresStatement {
    let sql: String
    let arrays: [(type: PostgresType, array: PostgresBuffer)]

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        for (type, array) in arrays { try parameters.append(encoded: array, as: type) }
    }
}
