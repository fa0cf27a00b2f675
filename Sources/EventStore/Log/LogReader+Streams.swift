package import EventModel
package import Postgres

extension LogReader {
    /// Selects streams at random.
    package struct SampleStreams: PostgresStatement {
        let count: Int

        /// - Parameter count: How many streams at most.
        package init(count: Int) { self.count = count }

        package let sql = """
            select stream_id from events where version = 1 order by random() limit $1
            """

        package func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(count) }

        package func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> StreamID {
            StreamID(try row.uuid(at: 0))
        }
    }

    /// Reads a stream's events up to a cursor, by version.
    package struct ReadStream: PostgresStatement {
        let stream: StreamID
        let target: LogCursor

        /// - Parameters:
        ///   - stream: The stream.
        ///   - target: Events that were delivered at this cursor are read.
        package init(stream: StreamID, until target: LogCursor) {
            self.stream = stream
            self.target = target
        }

        package let sql = """
            select \(StoredEvent.columns) from events
            where stream_id = $1 and (pg_visible_in_snapshot(transaction_id, $2)
                or position <= $4 and pg_visible_in_snapshot(transaction_id, $3))
            order by version
            """

        package func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(stream.uuid)
            try parameters.append(target.delivered)
            try parameters.append(target.window?.end ?? target.delivered)
            try parameters.append(target.window?.position ?? 0)
        }

        package func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> StoredEvent { try StoredEvent(row) }
    }
}

/// Looks for one event at one version of its stream.
struct FindEvent: PostgresStatement {
    let stream: StreamID
    let version: Int
    let id: EventID

    let sql = "select 1 from events where stream_id = $1 and version = $2 and event_id = $3"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(stream.uuid)
        try parameters.append(Int32(clamping: version))
        try parameters.append(id.uuid)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int32 { try row.decode(at: 0) }
}
