internal import Schema

/// The temporary table that a large batch is copied to, once for all of its projections and their statements.
///
/// With arrays, the server unpacks the batch again for each statement; from a few hundred events on, that costs more
/// than the table. The table belongs to the session and is empty outside a transaction.
struct BatchTable: Sendable {
    /// The number of events from which a batch is put there; see decision 0004.
    static let threshold = 250

    /// The most projections that a row can be marked for.
    private static let mostProjections = 62

    /// Its name, which holds a hash of its columns: behind a pooler, projectors of several builds share sessions.
    let name: String
    private let fields: [FieldScan.Field]

    /// - Parameters:
    ///   - fields: The fields to search for in events; each gets a column.
    ///   - projections: How many projections take from it.
    init?(fields: [FieldScan.Field], projections: Int) {
        guard projections <= Self.mostProjections else { return nil }
        self.fields = fields
        let columns = fields.map(\.type.rawValue).joined(separator: ",")
        name = "recorder_batch_\(String(FNV1a64(columns).value, radix: 36))"
    }

    /// Makes the table if the session has none.
    ///
    /// Values stay inside their rows, uncompressed, because the rows live for one transaction.
    var creation: String {
        let columns =
            ["takers bigint"] + ProjectionFiles.commonColumns.map { "\"\($0.name)\" \($0.type)" }
            + fields.enumerated().map { "c\($0.offset) \($0.element.type.rawValue)" }
        return """
            create temporary table if not exists \(name) (\(columns.joined(separator: ", ")))
            with (toast_tuple_target = 8160) on commit delete rows
            """
    }

    /// The relation `batch` of one projection, as a common table expression.
    ///
    /// The condition on `ctid` is always true. It gives the planner a scan that `enable_seqscan = off`, which
    /// projectors' sessions need for the other tables, does not penalize: that penalty would swamp the costs of the
    /// whole plan.
    ///
    /// - Parameters:
    ///   - index: Which bit of `takers` stands for the projection.
    ///   - fields: The indices of its declared columns among the table's fields.
    func batch(of projection: ProjectionFiles, at index: Int, fields: [Int]) -> String {
        let columns =
            ProjectionFiles.commonColumns.map { "\"\($0.name)\"" }
            + zip(projection.columns, fields).map { "c\($1) as \"\($0.name)\"" }
        return "batch as not materialized (select \(columns.joined(separator: ", ")) from pg_temp.\(name) "
            + "where ctid >= '(0,0)' and takers & \(1 << index) <> 0)"
    }
}
