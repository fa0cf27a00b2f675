internal import FoundationEssentials
internal import Postgres

/// The SQL of one content's table, built once.
struct CacheSQL<Content: CacheContent>: Sendable {
    /// Finds the value at an address: see ``FindCached``.
    let find: String
    /// Stores a value: see ``StoreCached``.
    let store: String
    /// Finds the values that were used most: see ``MostUsed``.
    let mostUsed: String

    /// Stands for all users in `cache_generations`.
    private static var everybody: String { "'00000000-0000-0000-0000-000000000000'" }

    init() {
        let kind = Content.kind
        let values = Content.valueColumns.map { "c.\($0)" }.joined(separator: ", ")
        func generation(_ user: String) -> String {
            """
            (select coalesce(max(generation), 0) as generation from cache_generations
                where kind = '\(kind.rawValue)' and user_id in (\(user), \(Self.everybody))) as g
            """
        }
        let owner = kind.isPerUser ? "$2" : Self.everybody
        find = """
            select g.generation, extract(epoch from c.expires_at - now())::float8, \(values)
            from \(generation(owner))
            left join \(kind.table) c on c.key = $1 and c.generation = g.generation and c.expires_at > now()
            \(kind.isPerUser ? "and c.user_id = $2" : "")
            """
        let columns = (kind.isPerUser ? ["user_id"] : []) + Content.storedColumns
        let places = (4..<(4 + columns.count)).map { "$\($0)" }.joined(separator: ", ")
        store = """
            insert into \(kind.table) (key, generation, expires_at, \(columns.joined(separator: ", ")))
            select $1, $2, now() + make_interval(secs => $3), \(places)
            from \(generation(kind.isPerUser ? "$4" : Self.everybody)) where g.generation = $2
            on conflict (\(kind.isPerUser ? "user_id, key" : "key")) do update
            set (generation, expires_at, created_at, \(Content.storedColumns.joined(separator: ", ")))
                = (excluded.generation, excluded.expires_at, excluded.created_at,
                    \(Content.storedColumns.map { "excluded.\($0)" }.joined(separator: ", ")))
            """
        mostUsed = """
            select c.key, extract(epoch from c.expires_at - now())::float8, \(values)
            from \(generation(owner))
            join \(kind.table) c on c.generation = g.generation and c.expires_at > now()
            \(kind.isPerUser ? "and c.user_id = $2" : "")
            order by c.hit_count desc, c.expires_at desc limit $1
            """
    }
}

/// What a table holds for an address.
struct FoundValue<Value: Sendable>: Sendable {
    /// The generation under which to store a value that is computed from now on.
    let generation: Int64
    /// The value, and for how long it may be served.
    let found: (value: Value, lifetime: Duration)?
}

/// Finds the value at an address, if there is one, and the current generation: always one row.
struct FindCached<Content: CacheContent>: PostgresStatement {
    let sql: String
    let address: CacheAddress

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(bytes: address.digest)
        if let user = address.user { try parameters.append(user) }
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> FoundValue<Content.Value> {
        let generation = try row.decode(Int64.self, at: 0)
        guard let seconds = try row.decode(Double?.self, at: 1) else {
            return FoundValue(generation: generation, found: nil)
        }
        let value = try Content.decode(row, from: 2)
        return FoundValue(generation: generation, found: (value, .seconds(seconds)))
    }
}

/// Stores a value, replacing any other, unless its generation is over, so that it would never be found.
struct StoreCached<Content: CacheContent>: PostgresStatement {
    let sql: String
    let address: CacheAddress
    let key: Content.Key
    let value: Content.Value
    let generation: Int64
    let lifetime: Duration

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(bytes: address.digest)
        try parameters.append(generation)
        try parameters.append(lifetime / .seconds(1))
        if let user = address.user { try parameters.append(user) }
        try Content.bind(key, value, into: &parameters)
    }
}

/// Finds the most used values of a user, or of nobody.
struct MostUsed<Content: CacheContent>: PostgresStatement {
    let sql: String
    let user: UUID?
    let limit: Int

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(limit)
        if let user { try parameters.append(user) }
    }

    func decode(
        _ row: borrowing PostgresRow
    ) throws(PostgresError) -> (address: CacheAddress, value: Content.Value, lifetime: Duration) {
        let digest = try row.decode(PostgresBytea.self, at: 0).bytes
        let seconds = try row.decode(Double.self, at: 1)
        return (CacheAddress(user: user, digest: digest), try Content.decode(row, from: 2), .seconds(seconds))
    }
}

/// Adds to the hit counts of values: of the acting user, or of nobody.
struct CountHits: PostgresStatement {
    let kind: CacheKind
    let uses: [(key: CacheAddress, uses: Int)]

    let sql = "select count_cache_hits($1, $2, $3, $4)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(kind.rawValue)
        try parameters.append(uses.map(\.key.user))
        try parameters.append(uses.map { PostgresBytea($0.key.digest) })
        try parameters.append(uses.map { Int64($0.uses) })
    }
}
