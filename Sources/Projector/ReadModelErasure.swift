package import EventModel
internal import FoundationEssentials
package import Postgres
package import Schema

/// Blanks a person's data in read models: in every version that has tables, and in the shadows being built beside them.
package struct ReadModelErasure: Sendable {
    private let schema: String

    /// - Parameter schema: The recorder's schema.
    package init(schema: String) { self.schema = schema }

    /// A query for the events of some streams, with the columns that an erase.sql finds in the relation `erased`.
    static func erased(where condition: String) -> String {
        """
        select e.position, e.stream_id, e.version, e.event_id, t.name as type
        from events e join event_types t on t.id = e.type where \(condition)
        """
    }

    /// The versions that have tables and an erase.sql.
    ///
    /// - Throws: ``ProjectorError`` with `.invalidProjection` if a version has tables but its files are not known, so
    ///   that its data could not be blanked; `PostgresError`.
    package func concerned(
        among files: [ProjectionFiles],
        on connection: PostgresConnection
    ) async throws -> [ProjectionFiles] {
        let installed = try await ProjectionInstaller(schema: schema).installed(on: connection)
        return try installed.compactMap { version in
            guard let known = files.first(where: { $0.id == version.id }) else {
                throw ProjectorError(
                    .invalidProjection,
                    "\(version.id) has tables, but its files are not known: name their folder with --projections, as "
                        + "for `recorder projections drop \(version.id.name) --version \(version.id.version) "
                        + "--with-views` if nobody needs it any more",
                    projection: version.id
                )
            }
            return known.eraseSQL == nil ? nil : known
        }
    }

    /// Blanks one version, in a transaction. It may be repeated any number of times.
    ///
    /// - Throws: ``ProjectorError`` with `.projectionFailed` if its erase.sql fails; `PostgresError`.
    package func run(_ files: ProjectionFiles, subject: StreamID, on connection: PostgresConnection) async throws {
        guard let script = files.eraseSQL else { return }
        try await connection.transaction(retries: 10) { connection in
            // Keeps shadows from replacing the live tables meanwhile.
            try await ProjectionInstaller(schema: schema).lock(on: connection)
            _ = try await connection.first(SetSearchPath(schemas: [schema]))
            try await connection.run(
                unsafeSQL: "create temporary table erased on commit drop as \(Self.erased(where: "false"))"
            )
            try await connection.execute(InsertErased(subject: subject))
            var places = [[schema]]
            for purpose in ShadowModel.Purpose.allCases {
                let shadow = ShadowModel(files, purpose: purpose, recorder: schema).schema
                let tables = try await connection.query(SelectRelations(schema: shadow, kinds: ["r", "p"]))
                if !tables.isEmpty { places.append([shadow, schema]) }
            }
            for place in places {
                _ = try await connection.first(SetSearchPath(schemas: place))
                do {
                    try await connection.run(unsafeSQL: script)
                } catch let error as PostgresError where error.code == .server && !error.isTransactionConflict {
                    throw ProjectorError(
                        .projectionFailed,
                        "erase.sql of \(files.title) fails",
                        cause: error,
                        projection: files.id
                    )
                }
            }
        }
    }

    private struct InsertErased: PostgresStatement {
        let subject: StreamID
        let sql = "insert into erased \(ReadModelErasure.erased(where: "e.stream_id in (select subject_streams($1))"))"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(subject.uuid) }
    }
}
