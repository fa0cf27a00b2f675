/// The type of a value on the server, by its object identifier.
///
/// Source: PostgreSQL's `pg_type.dat`; the built-in types' identifiers never change.
package struct PostgresType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let bool = PostgresType(rawValue: 16)
    package static let bytea = PostgresType(rawValue: 17)
    package static let name = PostgresType(rawValue: 19)
    package static let int8 = PostgresType(rawValue: 20)
    package static let int2 = PostgresType(rawValue: 21)
    package static let int4 = PostgresType(rawValue: 23)
    package static let text = PostgresType(rawValue: 25)
    package static let oid = PostgresType(rawValue: 26)
    package static let json = PostgresType(rawValue: 114)
    package static let float4 = PostgresType(rawValue: 700)
    package static let float8 = PostgresType(rawValue: 701)
    package static let unknown = PostgresType(rawValue: 705)
    package static let bpchar = PostgresType(rawValue: 1042)
    package static let varchar = PostgresType(rawValue: 1043)
    package static let timestamptz = PostgresType(rawValue: 1184)
    package static let numeric = PostgresType(rawValue: 1700)
    package static let uuid = PostgresType(rawValue: 2950)
    package static let jsonb = PostgresType(rawValue: 3802)
    package static let pgSnapshot = PostgresType(rawValue: 5038)
    package static let xid8 = PostgresType(rawValue: 5069)

    /// The array type of each type above, as the server pairs them.
    private static let arrays: [PostgresType: PostgresType] = {
        let pairs: [(PostgresType, UInt32)] = [
            (.bool, 1000), (.bytea, 1001), (.name, 1003), (.int2, 1005), (.int4, 1007), (.text, 1009), (.bpchar, 1014),
            (.varchar, 1015), (.int8, 1016), (.float4, 1021), (.float8, 1022), (.oid, 1028), (.timestamptz, 1185),
            (.json, 199), (.xid8, 271), (.numeric, 1231), (.uuid, 2951), (.jsonb, 3807), (.pgSnapshot, 5039),
        ]
        return Dictionary(uniqueKeysWithValues: pairs.map { ($0.0, PostgresType(rawValue: $0.1)) })
    }()

    private static let elements: [PostgresType: PostgresType] =
        Dictionary(uniqueKeysWithValues: arrays.map { ($0.value, $0.key) })

    private static let names: [PostgresType: String] = [
        .bool: "boolean", .bytea: "bytea", .name: "name", .int8: "bigint", .int2: "smallint", .int4: "integer",
        .text: "text", .oid: "oid", .json: "json", .float4: "real", .float8: "double precision", .unknown: "unknown",
        .bpchar: "character", .varchar: "character varying", .timestamptz: "timestamp with time zone",
        .numeric: "numeric", .uuid: "uuid", .jsonb: "jsonb", .pgSnapshot: "pg_snapshot", .xid8: "xid8",
    ]

    /// The type of an array of this type.
    package var array: PostgresType { Self.arrays[self] ?? PostgresType(rawValue: 0) }

    /// The type of the elements, if this is an array type.
    package var element: PostgresType? { Self.elements[self] }

    /// The type's SQL name, for messages and casts.
    package var sqlName: String {
        if let name = Self.names[self] { return name }
        if let element { return element.sqlName + "[]" }
        return "type \(rawValue)"
    }
}
