internal import Postgres

/// One statement of a projection's apply.sql with the batch that it folds.
struct ApplyStatement: PostgresStatement {
    let sql: String
    let arrays: [(type: PostgresType, array: PostgresBuffer)]

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        for (type, array) in arrays { try parameters.append(encoded: array, as: type) }
    }

    /// All statements of a projection, on one batch.
    static func all(of projection: Projection, _ batch: BatchColumns) -> [ApplyStatement] {
        guard batch.count > 0 else { return [] }
        let arrays = batch.arrays()
        return projection.statements.map { ApplyStatement(sql: $0, arrays: arrays) }
    }
}
