internal import EventModel
internal import Postgres

/// Maps event types to their interned ids and back. Types are only ever added, so what is known stays right.
struct EventTypes: Sendable {
    private var ids: [EventType: Int16] = [:]
    /// The ids of the frequent types, by their place.
    private var frequent = [Int16?](repeating: nil, count: EventType.frequent.count)
    private var names: [Int16: EventType] = [:]

    /// The id of a type, or `nil` if it is not known.
    subscript(type: EventType) -> Int16? { type.place.map { frequent[Int($0)] } ?? ids[type] }

    /// The type of an id, or `nil` if it is not known.
    subscript(id: Int16) -> EventType? { names[id] }

    /// Looks up types, and interns those that the database does not know yet.
    ///
    /// - Throws: ``PostgresError``.
    mutating func intern(_ types: Set<EventType>, on connection: PostgresConnection) async throws {
        let unknown = types.filter { self[$0] == nil }
        guard !unknown.isEmpty else { return }
        add(try await connection.query(SelectTypes(names: unknown.map(\.name))))
        // Sorted by name, as in append_event, so that two writers that intern the same types do not deadlock.
        let missing = unknown.filter { self[$0] == nil }.map(\.name).sorted()
        guard !missing.isEmpty else { return }
        add(try await connection.query(InternTypes(names: missing)))
    }

    /// Loads all types.
    ///
    /// - Throws: ``PostgresError``.
    mutating func load(on connection: PostgresConnection) async throws {
        add(try await connection.query(SelectTypes(names: nil)))
    }

    /// Adds types and their ids.
    mutating func add(_ rows: [(Int16, String)]) {
        for (id, name) in rows {
            guard let type = try? EventType(name) else { continue }
            if let place = type.place { frequent[Int(place)] = id } else { ids[type] = id }
            names[id] = type
        }
    }

    private struct SelectTypes: PostgresStatement {
        let names: [String]?
        let sql = "select id, name from event_types where $1::text[] is null or name = any($1)"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(names) }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (Int16, String) {
            (try row.decode(at: 0), try row.decode(at: 1))
        }
    }

    /// Gives each type its id, in this order.
    private struct InternTypes: PostgresStatement {
        let names: [String]
        let sql = """
            select event_type_id(name), name from unnest($1::text[]) with ordinality as new(name, place) order by place
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(names) }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (Int16, String) {
            (try row.decode(at: 0), try row.decode(at: 1))
        }
    }
}
