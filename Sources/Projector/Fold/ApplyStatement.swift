internal import Postgres
internal import Schema

/// One statement of a projection's apply.sql with the batch that it folds.
struct ApplyStatement: PostgresStatement {
    let sql: String
    let parameters: [(type: PostgresType, value: PostgresBuffer?)]

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        for (type, value) in self.parameters { try parameters.append(encoded: value, as: type) }
    }

    /// All statements of a projection, on one batch.
    ///
    /// A single event is sent as plain values: a statement without arrays to unpack starts much sooner; see decision
    /// 0008.
    static func all(of projection: ProjectionFiles, _ batch: BatchColumns) -> [ApplyStatement] {
        switch batch.count {
        case 0: []
        case 1: all(projection.statementsOfOne, batch.columns.map { ($0.type, $0.first) })
        default: all(projection.statements, batch.columns.map { ($0.type.array, $0.finished()) })
        }
    }

    private static func all(
        _ statements: [String],
        _ parameters: [(type: PostgresType, value: PostgresBuffer?)]
    ) -> [ApplyStatement] {
        statements.map { ApplyStatement(sql: $0, parameters: parameters) }
    }
}
