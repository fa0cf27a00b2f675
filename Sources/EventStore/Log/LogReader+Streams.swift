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

    /// Selects a page of the events of a stream that a cursor has delivered, by version.
    package struct SelectDelivered: PostgresStatement {
        let stream: StreamID
        let version: Int
        let cursor: LogCursor
        let limit: Int

        /// - Parameters:
        ///   - stream: The stream.
        ///   - version: The first version of the page.
        ///   - cursor: Events that were delivered at this cursor are read.
        ///   - limit: How many events at most.
        package init(of stream: StreamID, from version: Int, at cursor: LogCursor, limit: Int) {
            self.stream = stream
            self.version = version
            self.cursor = cursor
            self.limit = limit
        }

        package let sql = """
            select \(StoredEvent.columns) from events
            where stream_id = $1 and version >= $2
                and (pg_visible_in_snapshot(transaction_id, $3)
                    or (pg_visible_in_snapshot(transaction_id, $4) and position <= $5))
            order by version limit $6
            """

        package func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(stream.uuid)
            try parameters.append(Int32(clamping: version))
            try parameters.append(cursor.delivered)
            try parameters.append(cursor.window?.end)
            try parameters.append(cursor.window?.position ?? 0)
            try parameters.append(limit)
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
