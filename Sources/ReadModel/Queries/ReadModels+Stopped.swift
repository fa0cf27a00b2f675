package import EventModel
internal import FoundationEssentials
internal import Postgres

extension ReadModels {
    /// How many streams projections have stopped at an event that they cannot apply; their views lack the events of
    /// such a stream from there on.
    ///
    /// - Parameters:
    ///   - projections: The names of projections; only the versions that the views read count.
    ///   - stream: The only stream to look at; nil for all.
    /// - Returns: The projections that have any, by name; none for a role that may not see it.
    /// - Throws: ``ReadModelError``; `CancellationError`.
    package func stoppedStreams(
        of projections: [String],
        stream: StreamID? = nil
    ) async throws -> [(projection: String, streams: Int)] {
        do {
            return try await rows(CountStopped(projections: projections, stream: stream))
        } catch let error as ReadModelError where (error.cause as? PostgresError)?.isPermissionDenied == true {
            return []
        }
    }
}

/// Counts the rows of `projection_quarantine`.
private struct CountStopped: PostgresStatement {
    let projections: [String]
    let stream: StreamID?

    let sql = """
        select projection, count(*)
        from projection_quarantine as stopped
        join schema_projections as read on read.name = projection and read.version = stopped.version
            and read.view_checksum is not null
        where projection = any($1) and ($2::uuid is null or stream_id = $2)
        group by projection order by projection
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(projections)
        try parameters.append(stream?.uuid)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (projection: String, streams: Int) {
        (try row.decode(at: 0), try row.decode(at: 1))
    }
}
